#include "writer.h"

#include "poll.h"
#include "reader.h"

/* It goes on failing until disconnect. */
static void writer__end(nps_pipe *pipe, nps_result how) {
  if (!has_status(pipe->write_end, NPS_E_CLOSED)) { /* half-closed: that stays */
    pipe->write_end = how;
    pipe->write_again = false;
  }
  pipe->ready |= NPS_WRITABLE;
  if (has_status(how, NPS_E_BROKEN_PIPE))
    pipe_peer_closed(pipe);
}

/* A call failed that had accepted nothing. Want of memory passes: the next write may do. */
static void writer__failed(nps_pipe *pipe, nps_result how) {
  if (!has_status(how, NPS_E_OUT_OF_MEMORY))
    writer__end(pipe, how);
}

/* A probe failed, which no call has asked for: the next write tells. */
static void writer__probe_failed(nps_pipe *pipe, nps_result how) {
  writer__end(pipe, how);
  pipe->write_again = has_status(pipe->write_end, NPS_E_OUT_OF_MEMORY);
}

static nps_result writer__tell_end(nps_pipe *pipe) {
  const nps_result how = pipe->write_end;
  if (pipe->write_again)
    pipe->write_end = RESULT_OK;
  return how;
}

/* The pipe is full: waits for room. May find it at once. */
static void writer__probe(nps_pipe *pipe) {
  os_completion done;
  const bool first = pipe_lets_be(pipe);
  pipe->watched = true;
  if (op_start(pipe->out, OS_WRITE_PROBE, 0, &done) == OS_PENDING) {
    pipe->ready &= (uint8_t)~NPS_WRITABLE;
  } else if (done.result != RESULT_OK) {
    writer__probe_failed(pipe, done.result);
  }
  if (first)
    reader_watch_close(pipe); /* P8: what register leaves out on demand */
}

/* What a write call offers: `size` bytes, all that the buffers hold, or as many as the pipe accepts in one call. */
typedef struct writer__offer {
  const nps_buffer *buffers;
  uint32_t count;
  uint32_t size;
} writer__offer;

/* Of more than `limit` bytes, what the first buffers hold whole, or `limit` bytes of the first: *part. */
static writer__offer writer__cut(const nps_buffer *buffers, uint32_t limit, nps_buffer *part) {
  writer__offer offer = {buffers, 0, 0};
  while (buffers[offer.count].size <= limit - offer.size)
    offer.size += (uint32_t)buffers[offer.count++].size;
  if (offer.size == 0) {
    while (buffers->size == 0)
      buffers++;
    *part = (nps_buffer){buffers->data, limit};
    offer = (writer__offer){part, 1, limit};
  }
  return offer;
}

static nps_result writer__give(nps_pipe *pipe, const writer__offer *offer, size_t *count) {
  os_completion done;
  os_pipe_give(pipe->os, offer->buffers, offer->count, &done);
  if (done.result == RESULT_OK) {
    *count = done.bytes;
    if (done.bytes < offer->size && !pipe_lets_be(pipe))
      writer__probe(pipe);
    return RESULT_OK;
  }
  if (has_status(done.result, NPS_WOULD_BLOCK)) {
    writer__probe(pipe);
  } else if (!has_status(done.result, NPS_E_INVALID_ARGUMENT)) { /* a message too long: of that call only */
    writer__failed(pipe, done.result);
  }
  return done.result;
}

static nps_result writer__start(nps_pipe *pipe, const writer__offer *offer, size_t *count) {
  op *out = pipe->out;
  if (!op_take_memory(out, pipe->poll, offer->size, true))
    return RESULT(NPS_E_OUT_OF_MEMORY);
  char *to = out->os.memory;
  for (uint32_t i = 0; i < offer->count; i++) {
    if (offer->buffers[i].size > 0)
      memcpy(to, offer->buffers[i].data, offer->buffers[i].size);
    to += offer->buffers[i].size;
  }
  os_completion done;
  if (op_start(out, OS_WRITE, offer->size, &done) == OS_PENDING) {
    pipe->ready &= (uint8_t)~NPS_WRITABLE;
    *count = offer->size; /* accepted: delivered, or reported as lost (W4) */
    return RESULT_OK;
  }
  op_give_memory(out, pipe->poll);
  if (done.result != RESULT_OK) {
    writer__failed(pipe, done.result);
    return done.result;
  }
  *count = done.bytes;
  return RESULT_OK;
}

static nps_result writer__usable(nps_pipe *pipe) {
  nps_result result = pipe_usable(pipe);
  if (result != RESULT_OK)
    return result;
  if ((pipe->direction & NPS_DIRECTION_OUT) == 0)
    return RESULT(NPS_E_NOT_SUPPORTED);
  if (pipe->state == PIPE_CONNECTING)
    return pipe_not_yet(pipe);
  return pipe->state == PIPE_IDLE ? RESULT(NPS_E_NOT_CONNECTED) : RESULT_OK;
}

nps_result writer_write(nps_pipe *pipe, const nps_buffer *buffers, uint32_t buffer_count, size_t *count) {
  nps_result result = writer__usable(pipe);
  if (result != RESULT_OK)
    return result;
  /* The sum never overflows: beyond the limit nothing is added, and limits are far below SIZE_MAX. */
  const uint32_t limit = pipe->message ? OS_MAX_MESSAGE : pipe->write_limit;
  size_t size = 0;
  for (uint32_t i = 0; i < buffer_count && size <= limit; i++)
    size += buffers[i].size < (size_t)limit + 1 ? buffers[i].size : (size_t)limit + 1;
  if (size == 0 && !pipe->message)
    return RESULT_OK;
  if (pipe->write_end != RESULT_OK)
    return writer__tell_end(pipe);
  if (size > limit && pipe->message)
    return invalid_argument(NPS_ARGUMENT_MESSAGE);

  if ((pipe->ready & NPS_WRITABLE) != 0) {
    if (pipe->out == NULL)
      pipe->out = op_acquire(pipe);
    if (pipe->out == NULL)
      return RESULT(NPS_E_OUT_OF_MEMORY);
    nps_buffer part;
    const writer__offer offer =
        size <= limit ? (writer__offer){buffers, buffer_count, (uint32_t)size} : writer__cut(buffers, limit, &part);
    result = os_direct_io ? writer__give(pipe, &offer, count) : writer__start(pipe, &offer, count);
  } else {
    result = RESULT(NPS_WOULD_BLOCK);
  }
  if (has_status(result, NPS_WOULD_BLOCK))
    pipe->events &= (uint8_t)~NPS_WRITABLE;
  if (has_status(result, NPS_WOULD_BLOCK) || (result == RESULT_OK && *count < size && !pipe_lets_be(pipe)))
    pipe_arm(pipe, NPS_WRITABLE);
  return result;
}

nps_result writer_shutdown(nps_pipe *pipe) {
  nps_result result = pipe_connected(pipe);
  if (result != RESULT_OK)
    return result;
  if ((pipe->direction & NPS_DIRECTION_OUT) == 0)
    return RESULT(NPS_E_NOT_SUPPORTED);
  if (pipe->write_end != RESULT_OK)
    return writer__tell_end(pipe);
  if (pipe->message && !os_direct_io) { /* an empty message stands for it */
    size_t unused = 0;
    result = writer_write(pipe, NULL, 0, &unused);
  } else {
    result = os_pipe_shutdown(pipe->os);
  }
  if (result == RESULT_OK) {
    writer__end(pipe, RESULT(NPS_E_CLOSED));
    pipe_became_ready(pipe, NPS_WRITABLE); /* another thread may wait for room: its write has an answer now */
  }
  return result;
}

nps_result writer_drain_state(nps_pipe *pipe, uint64_t *unread) {
  nps_result result = pipe_connected(pipe);
  if (result != RESULT_OK)
    return result;
  if ((pipe->direction & NPS_DIRECTION_OUT) == 0)
    return RESULT(NPS_E_NOT_SUPPORTED);
  result = os_pipe_unread(pipe->os, unread);
  if (result != RESULT_OK)
    return result;
  *unread += writer_unsent(pipe);
  return *unread == 0 ? RESULT_OK : RESULT(NPS_WOULD_BLOCK);
}

bool writer_busy(const nps_pipe *pipe) {
  return op_is_pending(pipe->out) && pipe->out->os.kind == OS_WRITE;
}

uint64_t writer_unsent(const nps_pipe *pipe) {
  return writer_busy(pipe) ? pipe->out->os.length : 0;
}

void writer_complete(nps_pipe *pipe, const os_completion *completion) {
  op_give_memory(pipe->out, pipe->poll);
  if (pipe->state == PIPE_LINGERING) {
    pipe_shut(pipe); /* the last accepted byte is out, or never will be: closing ends here */
    return;
  }
  pipe->ready |= NPS_WRITABLE;
  if ((completion->flags & OS_PEER_CLOSED) != 0)
    pipe_peer_closed(pipe); /* P8: no read may be under way that would tell */
  if (completion->result != RESULT_OK && pipe->out->os.kind == OS_WRITE) {
    writer__end(pipe, completion->result); /* want of memory too: accepted bytes are lost, and none may follow them */
    pipe_background_error(pipe, completion->result); /* W4 */
  } else if (completion->result != RESULT_OK) {
    writer__probe_failed(pipe, completion->result);
  }
  pipe_became_ready(pipe, NPS_WRITABLE);
}
