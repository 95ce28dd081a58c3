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

static nps_result writer__give(nps_pipe *pipe, const char *buffer, uint32_t size, size_t *count) {
  os_completion done;
  os_pipe_give(pipe->os, buffer, size, &done);
  if (done.result == RESULT_OK) {
    *count = done.bytes;
    if (done.bytes < size && !pipe_lets_be(pipe))
      writer__probe(pipe);
    return RESULT_OK;
  }
  if (has_status(done.result, NPS_WOULD_BLOCK)) {
    writer__probe(pipe);
  } else {
    writer__failed(pipe, done.result);
  }
  return done.result;
}

static nps_result writer__start(nps_pipe *pipe, const char *buffer, uint32_t size, size_t *count) {
  op *out = pipe->out;
  if (!op_take_memory(out, pipe->poll, size, true))
    return RESULT(NPS_E_OUT_OF_MEMORY);
  memcpy(out->os.memory, buffer, size);
  os_completion done;
  if (op_start(out, OS_WRITE, size, &done) == OS_PENDING) {
    pipe->ready &= (uint8_t)~NPS_WRITABLE;
    *count = size; /* accepted: delivered, or reported as lost (W4) */
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

nps_result writer_write(nps_pipe *pipe, const char *buffer, size_t size, size_t *count) {
  *count = 0;
  nps_result result = pipe_usable(pipe);
  if (result != RESULT_OK)
    return result;
  if ((pipe->direction & NPS_DIRECTION_OUT) == 0)
    return RESULT(NPS_E_NOT_SUPPORTED);
  if (pipe->state == PIPE_CONNECTING)
    return RESULT(NPS_WOULD_BLOCK);
  if (pipe->state == PIPE_IDLE)
    return RESULT(NPS_E_NOT_CONNECTED);
  if (size == 0)
    return RESULT_OK;
  if (pipe->write_end != RESULT_OK)
    return writer__tell_end(pipe);

  if ((pipe->ready & NPS_WRITABLE) != 0) {
    if (pipe->out == NULL)
      pipe->out = op_acquire(pipe);
    if (pipe->out == NULL)
      return RESULT(NPS_E_OUT_OF_MEMORY);
    const uint32_t n = size < pipe->write_limit ? (uint32_t)size : pipe->write_limit;
    result = os_direct_io ? writer__give(pipe, buffer, n, count) : writer__start(pipe, buffer, n, count);
  } else {
    result = RESULT(NPS_WOULD_BLOCK);
  }
  if (*count == 0 && has_status(result, NPS_WOULD_BLOCK))
    pipe->events &= (uint8_t)~NPS_WRITABLE;
  if (result >= 0 && *count < size && !pipe_lets_be(pipe))
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
  result = os_pipe_shutdown(pipe->os);
  if (result == RESULT_OK)
    writer__end(pipe, RESULT(NPS_E_CLOSED));
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

uint64_t writer_unsent(const nps_pipe *pipe) {
  return op_is_pending(pipe->out) && pipe->out->os.kind == OS_WRITE ? pipe->out->os.length : 0;
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
