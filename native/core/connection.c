#include "connection.h"

#include "reader.h"

/* Both directions start anew: writable is reported at once (also where this end never writes: it says "connected"),
 * reading starts. `promised`: connect has answered would-block, so that there is an event also on demand. */
static void connection__established(nps_pipe *pipe, bool promised) {
  pipe->state = PIPE_CONNECTED;
  pipe->ready = pipe->direction & NPS_WRITABLE;
  pipe->armed = pipe_lets_be(pipe) || pipe_read_rests(pipe) ? 0 : NPS_READABLE;
  if (promised || !pipe_lets_be(pipe))
    pipe_report(pipe, NPS_WRITABLE);
  reader_begin(pipe);
}

nps_result connection_connect(nps_pipe *pipe) {
  nps_result result = pipe_usable(pipe);
  if (result != RESULT_OK)
    return result;
  if (pipe->state == PIPE_CONNECTED)
    return RESULT_OK;
  if (pipe->state == PIPE_CONNECTING)
    return RESULT(NPS_WOULD_BLOCK);
  if (pipe->retired)
    return RESULT(NPS_E_NOT_SUPPORTED);

  if (pipe->in == NULL)
    pipe->in = op_acquire(pipe);
  if (pipe->in == NULL)
    return RESULT(NPS_E_OUT_OF_MEMORY);
  os_completion done;
  if (op_start(pipe->in, OS_CONNECT, 0, &done) == OS_PENDING) {
    pipe->state = PIPE_CONNECTING;
    return RESULT(NPS_WOULD_BLOCK);
  }
  if (done.result == RESULT_OK)
    connection__established(pipe, false);
  return done.result;
}

void connection_complete(nps_pipe *pipe, const os_completion *completion) {
  if (completion->result == RESULT_OK) {
    os_pipe_accept(pipe->os, completion->op);
    connection__established(pipe, true);
    return;
  }
  pipe->state = PIPE_IDLE; /* connect may be called again */
  pipe_background_error(pipe, completion->result);
}

nps_result connection_disconnect(nps_pipe *pipe) {
  if (pipe->state == PIPE_LINGERING || pipe->state == PIPE_CLOSED)
    return RESULT(NPS_E_CLOSED);
  if (!pipe->server)
    return RESULT(NPS_E_NOT_SUPPORTED);
  nps_result result = RESULT_OK;
  if (pipe->state != PIPE_IDLE) {
    pipe_drop_ops(pipe, false);
    result = os_pipe_disconnect(pipe->os);
  }
  /* Nothing of the old connection may be seen in the next one. */
  pipe->state = PIPE_IDLE;
  pipe->ready = pipe->armed = pipe->events = 0;
  pipe->peer_closed = pipe->watched = false;
  pipe->read_end = pipe->write_end = pipe->error = RESULT_OK;
  return result;
}

/* C10: of the backend only the first call asks; all that follows is decided here, so that it is alike on all systems. */
nps_result connection_retire(nps_pipe *pipe) {
  if (pipe->state == PIPE_LINGERING || pipe->state == PIPE_CLOSED)
    return RESULT(NPS_E_CLOSED);
  if (!pipe->server)
    return RESULT(NPS_E_NOT_SUPPORTED);
  if (pipe->retired)
    return RESULT_OK;
  if (pipe->state != PIPE_CONNECTED)
    return RESULT(NPS_E_NOT_CONNECTED);
  pipe->retired = true;
  os_pipe_retire(pipe->os);
  return RESULT_OK;
}
