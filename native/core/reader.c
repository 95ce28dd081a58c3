#include "reader.h"

#include "poll.h"

#define PEEK_LIMIT (1u << 30) /* bytes asked of the system in one call */

static bool reader__has_data(const nps_pipe *pipe) {
  return pipe->in != NULL && pipe->in->state == OP_IDLE && pipe->in->held;
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
  op *in = pipe->in;
  if (in->os.kind == OS_READ) {
    if (done->bytes == 0 && !pipe->message)
      return false; /* rule 7: a peer wrote zero bytes, which is not the end */
    in->filled = done->bytes;
    in->taken = 0;
    in->held = true;
    in->more = (done->flags & OS_MORE) != 0;
  } else if (pipe->message && !os_direct_io && (done->flags & OS_MORE) == 0) {
    in->held = true; /* rule 7: the probe took an empty message, which the caller must see */
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

/* Nothing is left. true: on demand that may be so until the next call, and no memory is held meanwhile. */
static bool reader__may_rest(nps_pipe *pipe) {
  if (!os_direct_io && pipe->on_demand) {
    pipe->watched = false;
    op_give_memory(pipe->in, pipe->poll);
  }
  return pipe_lets_be(pipe) || pipe_read_rests(pipe);
}

void reader_begin(nps_pipe *pipe) {
  if (pipe_lets_be(pipe) || pipe_read_rests(pipe)) {
    pipe->ready |= pipe->direction & NPS_READABLE;
    return;
  }
  if ((pipe->direction & NPS_DIRECTION_IN) != 0)
    reader__start(pipe);
  if ((pipe->ready & NPS_READABLE) != 0)
    pipe_became_ready(pipe, NPS_READABLE); /* the client wrote before we looked */
  reader_watch_close(pipe);
}

void reader_go_on(nps_pipe *pipe) {
  const bool rested = !os_direct_io && !pipe->watched && pipe->state == PIPE_CONNECTED;
  if (rested && !pipe->on_demand && (pipe->direction & NPS_DIRECTION_IN) != 0)
    reader__start(pipe);
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

/* What is left of the caller's buffers; none of them is empty. */
typedef struct reader__room {
  const nps_buffer *buffers;
  uint32_t count;
  size_t offset; /* bytes of the first one that are filled */
  size_t total; /* bytes that the caller has got */
} reader__room;

static void reader__skip_empty(reader__room *room) {
  while (room->count > 0 && room->buffers->size == room->offset) {
    room->buffers++;
    room->count--;
    room->offset = 0;
  }
}

static void reader__advance(reader__room *room, size_t bytes) {
  room->total += bytes;
  while (bytes > 0) {
    const size_t left = room->buffers->size - room->offset;
    const size_t step = bytes < left ? bytes : left;
    room->offset += step;
    bytes -= step;
    reader__skip_empty(room);
  }
}

/* Takes from the buffer that was read ahead; an empty one is sent for more at once, if that is not left to the next call. In message
 * mode *more says whether the message goes on behind what the caller has got. */
static void reader__from_buffer(nps_pipe *pipe, reader__room *room, bool *more) {
  op *in = pipe->in;
  const uint32_t left = in->filled - in->taken;
  if (room->count > 0 && left > 0) {
    const size_t space = room->buffers->size - room->offset;
    const uint32_t n = space < left ? (uint32_t)space : left;
    memcpy((char *)room->buffers->data + room->offset, (const char *)in->os.memory + in->taken, n);
    in->taken += n;
    reader__advance(room, n);
  }
  if (in->taken < in->filled) {
    *more = true;
    return;
  }
  *more = in->more;
  in->held = false;
  if (!reader__may_rest(pipe))
    reader__start(pipe);
}

/* Takes from the system straight into the caller's memory. */
static void reader__take(nps_pipe *pipe, const reader__room *room, os_completion *done) {
  if (room->offset == 0) {
    os_pipe_take(pipe->os, room->buffers, room->count, done);
  } else { /* the rest of a buffer, and later the next */
    const nps_buffer rest = {(char *)room->buffers->data + room->offset, room->buffers->size - room->offset};
    os_pipe_take(pipe->os, &rest, 1, done);
  }
}

/* Of a take that brought nothing. */
static void reader__took_nothing(nps_pipe *pipe, nps_result result) {
  if (has_status(result, NPS_WOULD_BLOCK)) {
    reader__start(pipe);
  } else {
    reader__end(pipe, result);
  }
}

static void reader__arm(nps_pipe *pipe, bool would_block) {
  if (would_block)
    pipe->events &= (uint8_t)~NPS_READABLE; /* the caller has just seen for itself */
  pipe_arm(pipe, NPS_READABLE);
}

static nps_result reader__bytes(nps_pipe *pipe, reader__room *room) {
  bool again = true, unused;
  while (again && room->count > 0 && (pipe->ready & NPS_READABLE) != 0 && pipe->read_end == RESULT_OK) {
    if (pipe_read_rests(pipe)) {
      again = room->total == 0; /* else the call answers NPS_OK: nothing is to be asked for yet */
      if (again)
        reader__start(pipe);
      continue;
    }
    if (reader__has_data(pipe)) {
      reader__from_buffer(pipe, room, &unused);
      continue;
    }
    os_completion done;
    reader__take(pipe, room, &done);
    if (has_status(done.result, NPS_WOULD_BLOCK) && room->total > 0 && pipe_lets_be(pipe)) {
      again = false; /* the call answers NPS_OK: nothing is to be watched yet */
      break;
    }
    if (done.result != RESULT_OK) {
      reader__took_nothing(pipe, done.result);
      break;
    }
    reader__advance(room, done.bytes);
    if ((done.flags & OS_DRAINED) != 0) {
      again = !reader__may_rest(pipe);
      if (again)
        reader__start(pipe);
    }
  }
  if (room->total == 0 && pipe->read_end != RESULT_OK)
    return reader__tell_end(pipe);
  if (room->count > 0 && again)
    reader__arm(pipe, room->total == 0);
  return room->total > 0 ? RESULT_OK : RESULT(NPS_WOULD_BLOCK);
}

/* One message, or a part of one: never bytes of two. */
static nps_result reader__message(nps_pipe *pipe, reader__room *room) {
  bool got = false, more = true;
  while (more && (!got || room->count > 0) && (pipe->ready & NPS_READABLE) != 0 && pipe->read_end == RESULT_OK) {
    if (pipe_read_rests(pipe)) {
      reader__start(pipe);
      continue;
    }
    if (reader__has_data(pipe)) {
      reader__from_buffer(pipe, room, &more);
      got = true;
      continue;
    }
    os_completion done;
    reader__take(pipe, room, &done);
    if (done.result == RESULT_OK) {
      reader__advance(room, done.bytes);
      more = (done.flags & OS_MORE) != 0;
      got = true;
    } else {
      reader__took_nothing(pipe, done.result);
      if (!reader__has_data(pipe))
        break; /* else the read that was started has found a message at once */
    }
  }
  if (got)
    return more ? RESULT(NPS_MORE_DATA) : RESULT_OK;
  if (pipe->read_end != RESULT_OK)
    return reader__tell_end(pipe);
  reader__arm(pipe, true);
  return RESULT(NPS_WOULD_BLOCK);
}

nps_result reader_read(nps_pipe *pipe, const nps_buffer *buffers, uint32_t buffer_count, size_t *count) {
  nps_result result = pipe_usable(pipe);
  if (result != RESULT_OK)
    return result;
  if ((pipe->direction & NPS_DIRECTION_IN) == 0)
    return RESULT(NPS_E_NOT_SUPPORTED);
  if (pipe->state == PIPE_CONNECTING)
    return pipe_not_yet(pipe);
  if (pipe->state == PIPE_IDLE)
    return RESULT(NPS_E_NOT_CONNECTED);

  reader__room room = {buffers, buffer_count, 0, 0};
  reader__skip_empty(&room);
  if (pipe->message) {
    result = reader__message(pipe, &room);
  } else if (room.count > 0) {
    result = reader__bytes(pipe, &room);
  }
  *count = room.total;
  return result;
}

/* A read that is under way may have brought what comes first, though nobody knows yet: the system shows only what is behind it. So may a
 * probe of a message pipe, which takes an empty message. */
static bool reader__is_ahead_of_system(const nps_pipe *pipe) {
  return !os_direct_io && op_is_pending(pipe->in) && (pipe->in->os.kind == OS_READ || pipe->message);
}

nps_result reader_peek(nps_pipe *pipe, char *buffer, size_t size, size_t *count, uint64_t *available) {
  nps_result result = pipe_connected(pipe);
  if (result != RESULT_OK)
    return result;
  if ((pipe->direction & NPS_DIRECTION_IN) == 0)
    return RESULT(NPS_E_NOT_SUPPORTED);
  const bool ahead = reader__has_data(pipe);
  /* Want of memory is for the next read to tell, and no end. */
  if (!ahead && pipe->read_end != RESULT_OK && !has_status(pipe->read_end, NPS_E_OUT_OF_MEMORY))
    return pipe->read_end;
  if (reader__is_ahead_of_system(pipe))
    return RESULT(NPS_WOULD_BLOCK);

  uint32_t left = 0;
  os_completion done = {NULL, RESULT_OK, 0, 0};
  if (ahead) {
    left = pipe->in->filled - pipe->in->taken;
    *count = size < left ? size : left;
    if (*count > 0)
      memcpy(buffer, (const char *)pipe->in->os.memory + pipe->in->taken, *count);
    if (!pipe->message || pipe->in->more) /* what fails there is told by the read that comes to it */
      os_pipe_peek(pipe->os, NULL, 0, available, &done);
  } else {
    os_pipe_peek(pipe->os, buffer, size < PEEK_LIMIT ? (uint32_t)size : PEEK_LIMIT, available, &done);
    *count = done.bytes;
  }
  if (done.result != RESULT_OK)
    *available = 0;
  *available += left;
  return ahead ? RESULT_OK : done.result;
}
