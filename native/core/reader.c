#include "reader.h"

#include "poll.h"

#define TAKE_LIMIT (1u << 30) /* bytes asked of the system in one call */

static bool reader__has_data(const nps_pipe *pipe) {
  return pipe->in != NULL && pipe->in->state == OP_IDLE && pipe->in->taken < pipe->in->filled;
}

/* Rule 6: the end stays, and no further read is issued. Only want of memory, which loses nothing, is told once and then forgotten. */
static void reader__end(nps_pipe *pipe, nps_result how) {
  pipe->read_end = how;
  op_give_memory(pipe->in, pipe->poll);
  pipe->ready |= NPS_READABLE;
  if (!has_status(how, NPS_E_OUT_OF_MEMORY))
    pipe_peer_closed(pipe);
}

static nps_result reader__tell_end(nps_pipe *pipe) {
  const nps_result how = pipe->read_end;
  if (has_status(how, NPS_E_OUT_OF_MEMORY))
    pipe->read_end = RESULT_OK;
  return how;
}

/* Tells the reader's state what a READ or a READ_PROBE brought. false: nothing, start again. */
static bool reader__apply(nps_pipe *pipe, const os_completion *done) {
  if (has_status(done->result, NPS_E_CLOSED))
    return false; /* somebody else cancelled it, on a handle that was lent */
  if (done->result != RESULT_OK) {
    reader__end(pipe, done->result);
    return true;
  }
  if (pipe->in->os.kind == OS_READ) {
    if (done->bytes == 0)
      return false; /* rule 7: a peer wrote zero bytes, which is not the end */
    pipe->in->filled = done->bytes;
    pipe->in->taken = 0;
  }
  pipe->ready |= NPS_READABLE;
  if ((done->flags & OS_PEER_CLOSED) != 0)
    pipe_peer_closed(pipe);
  return true;
}

/* Nothing is left: waits for more. May find it at once. */
static void reader__start(nps_pipe *pipe) {
  nps_poll *poll = pipe->poll;
  op *in = pipe->in;
  pipe->watched = true;
  pipe->ready &= (uint8_t)~NPS_READABLE;
  if (op_is_pending(in) && !op_cancel(in, false))
    return; /* a CLOSE_PROBE whose completion is on its way: that starts us again */

  const uint32_t ahead = os_direct_io ? 0 : min_u32(pipe->read_ahead, poll->pool.size);
  for (;;) {
    os_completion done;
    const bool buffered = ahead > 0 && op_take_memory(in, poll, poll->pool.size, false);
    if (op_start(in, buffered ? OS_READ : OS_READ_PROBE, buffered ? ahead : 0, &done) == OS_PENDING)
      return;
    if (reader__apply(pipe, &done))
      break;
  }
  reader_watch_close(pipe); /* P8: it may have taken the place of a CLOSE_PROBE */
}

void reader_begin(nps_pipe *pipe) {
  if (pipe_lets_be(pipe)) {
    pipe->ready |= pipe->direction & NPS_READABLE;
    return;
  }
  if ((pipe->direction & NPS_DIRECTION_IN) != 0)
    reader__start(pipe);
  if ((pipe->ready & NPS_READABLE) != 0)
    pipe_became_ready(pipe, NPS_READABLE); /* the client wrote before we looked */
  reader_watch_close(pipe);
}

/* What a CLOSE_PROBE brought. Without one nobody would hear of the close: so its failure is told, and taking the error tries again. */
static void reader__apply_close(nps_pipe *pipe, nps_result result) {
  if (result == RESULT_OK) {
    pipe_peer_closed(pipe);
  } else if (!has_status(result, NPS_E_CLOSED)) {
    pipe_background_error(pipe, result);
  }
}

void reader_watch_close(nps_pipe *pipe) {
  if (!os_direct_io || pipe->poll == NULL || pipe->state != PIPE_CONNECTED || pipe->peer_closed ||
      op_is_pending(pipe->in) || pipe_lets_be(pipe))
    return;
  if ((pipe->direction & NPS_DIRECTION_IN) != 0 && (pipe->interest & NPS_INTEREST_READABLE) != 0)
    return;
  os_completion done;
  if (op_start(pipe->in, OS_CLOSE_PROBE, 0, &done) == OS_DONE)
    reader__apply_close(pipe, done.result);
}

void reader_complete(nps_pipe *pipe, const os_completion *completion) {
  if (pipe->in->os.kind == OS_CLOSE_PROBE) {
    reader__apply_close(pipe, completion->result);
    if ((pipe->direction & NPS_DIRECTION_IN) == 0 || (pipe->ready & NPS_READABLE) != 0)
      return;
    reader__start(pipe);
  } else if (!reader__apply(pipe, completion)) {
    reader__start(pipe);
  }
  if ((pipe->ready & NPS_READABLE) != 0)
    pipe_became_ready(pipe, NPS_READABLE);
  reader_watch_close(pipe);
}

/* Takes from the buffer that was read ahead; an empty one is sent for more at once. */
static size_t reader__from_buffer(nps_pipe *pipe, char *buffer, size_t size) {
  op *in = pipe->in;
  const uint32_t left = in->filled - in->taken;
  const uint32_t n = size < left ? (uint32_t)size : left;
  memcpy(buffer, (const char *)in->os.memory + in->taken, n);
  in->taken += n;
  if (in->taken == in->filled)
    reader__start(pipe);
  return n;
}

/* Takes from the system straight into the caller's memory. *more: it may be asked again. */
static size_t reader__from_system(nps_pipe *pipe, char *buffer, size_t size, bool *more) {
  os_completion done;
  os_pipe_take(pipe->os, buffer, size < TAKE_LIMIT ? (uint32_t)size : TAKE_LIMIT, &done);
  if (done.result == RESULT_OK) {
    if ((done.flags & OS_DRAINED) != 0) {
      *more = !pipe_lets_be(pipe);
      if (*more)
        reader__start(pipe);
    }
    return done.bytes;
  }
  if (has_status(done.result, NPS_WOULD_BLOCK)) {
    reader__start(pipe);
  } else {
    reader__end(pipe, done.result);
  }
  return 0;
}

nps_result reader_read(nps_pipe *pipe, char *buffer, size_t size, size_t *count) {
  *count = 0;
  nps_result result = pipe_usable(pipe);
  if (result != RESULT_OK)
    return result;
  if ((pipe->direction & NPS_DIRECTION_IN) == 0)
    return RESULT(NPS_E_NOT_SUPPORTED);
  if (pipe->state == PIPE_CONNECTING)
    return RESULT(NPS_WOULD_BLOCK);
  if (pipe->state == PIPE_IDLE)
    return RESULT(NPS_E_NOT_CONNECTED);
  if (size == 0)
    return RESULT_OK;

  size_t total = 0;
  bool more = true;
  while (more && total < size && (pipe->ready & NPS_READABLE) != 0 && pipe->read_end == RESULT_OK) {
    const size_t n = reader__has_data(pipe) ? reader__from_buffer(pipe, buffer + total, size - total)
                                            : reader__from_system(pipe, buffer + total, size - total, &more);
    if (n == 0)
      break;
    total += n;
  }
  *count = total;
  if (total == 0 && pipe->read_end != RESULT_OK)
    return reader__tell_end(pipe);
  if (total < size && more) {
    if (total == 0)
      pipe->events &= (uint8_t)~NPS_READABLE; /* the caller has just seen for itself */
    pipe_arm(pipe, NPS_READABLE);
  }
  return total > 0 ? RESULT_OK : RESULT(NPS_WOULD_BLOCK);
}

nps_result reader_peek(nps_pipe *pipe, char *buffer, size_t size, size_t *count, uint64_t *available) {
  nps_result result = pipe_connected(pipe);
  if (result != RESULT_OK)
    return result;
  if ((pipe->direction & NPS_DIRECTION_IN) == 0)
    return RESULT(NPS_E_NOT_SUPPORTED);
  const bool ahead = reader__has_data(pipe);
  if (!ahead && pipe->read_end != RESULT_OK)
    return pipe->read_end;

  uint32_t left = 0;
  os_completion done = {NULL, RESULT_OK, 0, 0};
  if (ahead) {
    left = pipe->in->filled - pipe->in->taken;
    *count = size < left ? size : left;
    if (size > 0)
      memcpy(buffer, (const char *)pipe->in->os.memory + pipe->in->taken, *count);
    os_pipe_peek(pipe->os, NULL, 0, available, &done); /* what fails there is told by the read that comes to it */
  } else {
    os_pipe_peek(pipe->os, buffer, size < TAKE_LIMIT ? (uint32_t)size : TAKE_LIMIT, available, &done);
    *count = done.bytes;
  }
  if (done.result != RESULT_OK)
    *available = 0;
  *available += left;
  return ahead ? RESULT_OK : done.result;
}
