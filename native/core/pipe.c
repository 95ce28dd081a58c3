#include "pipe.h"

#include "connection.h"
#include "poll.h"
#include "reader.h"
#include "writer.h"

nps_pipe *pipe_new(os_pipe *os, const pipe_traits *traits) {
  nps_pipe *pipe = os_alloc(sizeof *pipe);
  if (pipe == NULL)
    return NULL;
  os_lock_init(&pipe->lock);
  pipe->os = os;
  pipe->refs = 1;
  pipe->state = traits->connected ? PIPE_CONNECTED : PIPE_IDLE;
  pipe->direction = (uint8_t)traits->direction;
  pipe->server = traits->server;
  pipe->message = traits->message;
  pipe->read_ahead = traits->read_ahead;
  pipe->write_limit = traits->write_limit;
  return pipe;
}

void pipe_enter(nps_pipe *pipe) {
  os_lock_enter(&pipe->lock);
}

nps_result pipe_usable(const nps_pipe *pipe) {
  if (pipe->state == PIPE_LINGERING || pipe->state == PIPE_CLOSED)
    return RESULT(NPS_E_CLOSED);
  return pipe->poll == NULL ? RESULT(NPS_WOULD_BLOCK) : RESULT_OK;
}

nps_result pipe_connected(const nps_pipe *pipe) {
  if (pipe->state == PIPE_LINGERING || pipe->state == PIPE_CLOSED)
    return RESULT(NPS_E_CLOSED);
  return pipe->state == PIPE_CONNECTED ? RESULT_OK : RESULT(NPS_E_NOT_CONNECTED);
}

nps_result pipe_not_yet(nps_pipe *pipe) {
  pipe->watched = true;
  return RESULT(NPS_WOULD_BLOCK);
}

/* ---------------------------------------------------------------- events */

void pipe_report(nps_pipe *pipe, uint32_t events) {
  if (!pipe->registered)
    return; /* rule 4; register reports anew what is ready then */
  pipe->events |= (uint8_t)(events & (pipe->interest | NPS_CLOSED | NPS_ERROR));
}

void pipe_became_ready(nps_pipe *pipe, uint32_t direction) {
  if ((pipe->armed & direction) == 0)
    return;
  pipe->armed &= (uint8_t)~direction;
  pipe_report(pipe, direction);
}

void pipe_arm(nps_pipe *pipe, uint32_t direction) {
  pipe->armed |= (uint8_t)direction;
  if ((pipe->ready & direction) != 0)
    pipe_became_ready(pipe, direction);
}

void pipe_peer_closed(nps_pipe *pipe) {
  if (pipe->peer_closed)
    return;
  pipe->peer_closed = true;
  pipe_report(pipe, NPS_CLOSED);
}

void pipe_background_error(nps_pipe *pipe, nps_result error) {
  if (pipe->error == RESULT_OK)
    pipe->error = error;
  pipe_report(pipe, NPS_ERROR);
}

/* P6: everything that is ready now, as if it had become so. On demand an event that a would-block was promised stays, and what is
 * only taken for granted is none. */
static void pipe__report_all(nps_pipe *pipe) {
  pipe->events &= (uint8_t)(pipe->on_demand ? pipe->interest : 0);
  if (!pipe_lets_be(pipe)) {
    if (!pipe_read_rests(pipe))
      pipe_arm(pipe, NPS_READABLE);
    pipe_arm(pipe, NPS_WRITABLE);
    if (pipe->state == PIPE_CONNECTED)
      pipe_report(pipe, NPS_WRITABLE & ~(pipe->direction & NPS_WRITABLE));
  }
  if (pipe->peer_closed)
    pipe_report(pipe, NPS_CLOSED);
  if (pipe->error != RESULT_OK)
    pipe_report(pipe, NPS_ERROR);
}

/* ---------------------------------------------------------------- registration */

/* Gives the pipe its poll: after this it is closed with it. */
static nps_result pipe__bind(nps_pipe *pipe, nps_poll *poll) {
  if (!poll_bind(poll, pipe))
    return RESULT(NPS_E_CLOSED);
  pipe->poll = poll;
  nps_result result = RESULT(NPS_E_OUT_OF_MEMORY);
  pipe->in = op_acquire(pipe); /* now, so that reading never fails for want of it */
  if (pipe->in != NULL)
    result = os_pipe_bind(pipe->os, poll->port);
  if (result == RESULT_OK) {
    if (pipe->state == PIPE_CONNECTED) {
      pipe->ready = pipe->direction & NPS_WRITABLE;
      reader_begin(pipe); /* P9 */
    }
    return RESULT_OK;
  }
  op_release(pipe->in, poll);
  pipe->in = NULL;
  if (poll_unbind(poll, pipe)) {
    pipe->poll = NULL;
    poll_unref(poll); /* never the last: the caller has one */
  } else {
    pipe_shut(pipe); /* the poll began to close meanwhile */
  }
  return result;
}

#define BOTH_INTERESTS ((uint32_t)(NPS_INTEREST_READABLE | NPS_INTEREST_WRITABLE))

static bool pipe__good_interest(uint32_t interest) {
  return (interest & BOTH_INTERESTS) != 0 && (interest & ~(BOTH_INTERESTS | NPS_INTEREST_ON_DEMAND)) == 0;
}

static void pipe__set_interest(nps_pipe *pipe, uint32_t interest) {
  pipe->interest = (uint8_t)(interest & BOTH_INTERESTS);
  pipe->on_demand = (interest & NPS_INTEREST_ON_DEMAND) != 0;
}

nps_result pipe_register(nps_pipe *pipe, nps_poll *poll, uint64_t token, uint32_t interest) {
  if (!pipe__good_interest(interest))
    return invalid_argument(NPS_ARGUMENT_INTEREST);
  nps_result result = RESULT_OK;
  pipe_enter(pipe);
  if (pipe->state == PIPE_LINGERING || pipe->state == PIPE_CLOSED) {
    result = RESULT(NPS_E_CLOSED);
  } else if (pipe->registered || (pipe->poll != NULL && pipe->poll != poll)) {
    result = RESULT(NPS_E_ALREADY_REGISTERED);
  } else {
    pipe__set_interest(pipe, interest);
    if (pipe->poll == NULL) {
      result = pipe__bind(pipe, poll);
    } else {
      reader_go_on(pipe);
    }
    if (result == RESULT_OK) {
      pipe->registered = true;
      pipe->token = token;
      pipe__report_all(pipe);
      reader_watch_close(pipe);
    }
  }
  pipe_leave(pipe, NULL);
  return result;
}

nps_result pipe_reregister(nps_pipe *pipe, uint64_t token, uint32_t interest) {
  if (!pipe__good_interest(interest))
    return invalid_argument(NPS_ARGUMENT_INTEREST);
  nps_result result = RESULT_OK;
  pipe_enter(pipe);
  if (pipe->state == PIPE_LINGERING || pipe->state == PIPE_CLOSED) {
    result = RESULT(NPS_E_CLOSED);
  } else if (!pipe->registered) {
    result = RESULT(NPS_E_NOT_REGISTERED);
  } else {
    pipe->token = token;
    pipe__set_interest(pipe, interest);
    reader_go_on(pipe);
    pipe__report_all(pipe);
    reader_watch_close(pipe);
  }
  pipe_leave(pipe, NULL);
  return result;
}

nps_result pipe_deregister(nps_pipe *pipe) {
  nps_result result = RESULT_OK;
  pipe_enter(pipe);
  if (pipe->state == PIPE_LINGERING || pipe->state == PIPE_CLOSED) {
    result = RESULT(NPS_E_CLOSED);
  } else if (!pipe->registered) {
    result = RESULT(NPS_E_NOT_REGISTERED);
  } else {
    pipe->registered = false; /* rule 4: what is queued is checked again at hand-out */
    pipe->events = 0;
  }
  pipe_leave(pipe, NULL);
  return result;
}

/* ---------------------------------------------------------------- completions */

void pipe_complete(const os_completion *completion, delivery *to) {
  op *o = op_of(completion->op);
  nps_pipe *pipe = o->pipe;
  pipe_enter(pipe);
  const bool current = op_finish(o) && (o == pipe->in || o == pipe->out);
  if (!current) {
    /* Rule 3: it belongs to a connection that is no more; its data and its error go with it. */
    if (o->os.kind == OS_CONNECT && completion->result == RESULT_OK)
      os_op_discard(completion->op);
    op_release(o, pipe->poll);
  } else {
    os_completion seen = *completion;
    seen.result = op_result(o->os.kind, seen.result);
    switch (o->os.kind) {
    case OS_CONNECT:
      connection_complete(pipe, &seen);
      break;
    case OS_READ:
    case OS_READ_PROBE:
    case OS_CLOSE_PROBE:
      reader_complete(pipe, &seen);
      break;
    case OS_WRITE:
    case OS_WRITE_PROBE:
      writer_complete(pipe, &seen);
      break;
    }
  }
  pipe_leave(pipe, to);
}

static void pipe__drop_op(op **slot, nps_poll *poll, bool closing) {
  op *o = *slot;
  if (op_is_pending(o) && !op_cancel(o, closing)) {
    *slot = NULL; /* the system has it still: its completion gives it back */
  } else if (o != NULL) {
    op_give_memory(o, poll);
  }
}

void pipe_drop_ops(nps_pipe *pipe, bool closing) {
  pipe->generation++;
  pipe__drop_op(&pipe->in, pipe->poll, closing);
  pipe__drop_op(&pipe->out, pipe->poll, closing);
}

/* ---------------------------------------------------------------- ending */

static void pipe__close(nps_pipe *pipe, bool keep_handle) {
  if (pipe->state == PIPE_CLOSED)
    return;
  nps_poll *poll = pipe->poll;
  pipe->state = PIPE_CLOSED;
  pipe->registered = false;
  pipe->events = 0;
  pipe_drop_ops(pipe, true);
  op_release(pipe->in, poll);
  op_release(pipe->out, poll);
  pipe->in = pipe->out = NULL;
  os_pipe_close(pipe->os, keep_handle);
  pipe->os = NULL;
  if (poll != NULL)
    (void)poll_unbind(poll, pipe);
}

void pipe_shut(nps_pipe *pipe) {
  pipe__close(pipe, false);
}

nps_result pipe_close(nps_pipe *pipe, int64_t linger_ms) {
  nps_result result = RESULT_OK;
  pipe_enter(pipe);
  if (pipe->state == PIPE_LINGERING || pipe->state == PIPE_CLOSED) {
    result = RESULT(NPS_E_CLOSED);
  } else if (linger_ms != 0 && writer_busy(pipe) && poll_linger(pipe->poll, pipe, linger_ms)) {
    /* The write goes on; the caller sees a closed pipe from now on. Reading ends: nobody will ask for the data. */
    pipe->state = PIPE_LINGERING;
    pipe->registered = false;
    pipe->events = 0;
    pipe__drop_op(&pipe->in, pipe->poll, false);
    result = RESULT(NPS_WOULD_BLOCK);
  } else {
    pipe_shut(pipe);
  }
  pipe_leave(pipe, NULL);
  return result;
}

nps_result pipe_abort(nps_pipe *pipe) {
  pipe_enter(pipe);
  nps_result result = pipe->state == PIPE_CLOSED ? RESULT(NPS_E_CLOSED) : RESULT_OK;
  pipe_shut(pipe);
  pipe_leave(pipe, NULL);
  return result;
}

nps_result pipe_export(nps_pipe *pipe, intptr_t *os_handle) {
  nps_result result = RESULT_OK;
  pipe_enter(pipe);
  if (pipe->state == PIPE_LINGERING || pipe->state == PIPE_CLOSED) {
    result = RESULT(NPS_E_CLOSED);
  } else if (pipe->poll != NULL) {
    result = RESULT(NPS_E_ALREADY_REGISTERED);
  } else {
    result = os_pipe_handle(pipe->os, os_handle);
    if (result == RESULT_OK)
      pipe__close(pipe, true);
    if (has_status(result, NPS_E_NOT_CONNECTED))
      result = RESULT(NPS_E_NOT_SUPPORTED); /* nor will it ever have one to give */
  }
  pipe_leave(pipe, NULL);
  return result;
}

nps_result pipe_info(nps_pipe *pipe, nps_info *info) {
  os_info known = {0};
  nps_result result = RESULT(NPS_E_CLOSED);
  pipe_enter(pipe);
  if (pipe->state != PIPE_LINGERING && pipe->state != PIPE_CLOSED)
    result = os_pipe_info(pipe->os, &known);
  if (result == RESULT_OK) {
    info->direction = pipe->direction;
    info->mode = pipe->message ? NPS_MODE_MESSAGE : NPS_MODE_BYTE;
    info->end = pipe->server ? NPS_END_SERVER : NPS_END_CLIENT;
    info->in_buffer_size = known.in_buffer_size;
    info->out_buffer_size = known.out_buffer_size;
    info->max_instances = known.max_instances;
    info->instances = known.instances;
    info->max_message = known.max_message;
  }
  pipe_leave(pipe, NULL);
  return result;
}

void pipe_release(nps_pipe *pipe) {
  pipe_enter(pipe);
  if (pipe->state != PIPE_LINGERING)
    pipe_shut(pipe);
  pipe->refs--;
  pipe_leave(pipe, NULL);
}
