/* api.c - the exports: check arguments, delegate, nothing else. */
#include "connection.h"
#include "options.h"
#include "pipe.h"
#include "poll.h"
#include "reader.h"
#include "writer.h"

#define OPEN_FIRST_NAP_MS 1u
#define OPEN_LONGEST_NAP_MS 32u

uint32_t nps_version(void) {
  return NPS_VERSION;
}

uint32_t nps_abi_version(void) {
  return NPS_ABI_VERSION;
}

/* ---------------------------------------------------------------- poll */

nps_result nps_poll_create(const nps_poll_options *options, nps_poll **poll) {
  if (poll == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  *poll = NULL;
  nps_poll_options complete;
  nps_result result = options_poll(options, &complete);
  return result != RESULT_OK ? result : poll_new(&complete, poll);
}

nps_result nps_poll_wait(nps_poll *poll, nps_event *events, uint32_t capacity, int64_t timeout_ms, uint32_t *count) {
  if (count == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  *count = 0;
  if (poll == NULL)
    return invalid_argument(NPS_ARGUMENT_POLL);
  if (events == NULL)
    return invalid_argument(NPS_ARGUMENT_EVENTS);
  if (capacity == 0)
    return invalid_argument(NPS_ARGUMENT_CAPACITY);
  if (timeout_ms < NPS_FOREVER)
    return invalid_argument(NPS_ARGUMENT_TIMEOUT);
  return poll_wait(poll, events, capacity, timeout_ms, count);
}

nps_result nps_poll_wake(nps_poll *poll, uint64_t token) {
  return poll == NULL ? invalid_argument(NPS_ARGUMENT_POLL) : poll_wake(poll, token);
}

nps_result nps_poll_close(nps_poll *poll) {
  return poll == NULL ? invalid_argument(NPS_ARGUMENT_POLL) : poll_close(poll, true);
}

void nps_poll_release(nps_poll *poll) {
  if (poll != NULL)
    poll_release(poll);
}

/* ---------------------------------------------------------------- pipe: making and ending */

/* Makes the pipe of a fresh OS end, or ends that. */
static nps_result api__wrap(os_pipe *os, const pipe_traits *traits, nps_pipe **pipe) {
  *pipe = pipe_new(os, traits);
  if (*pipe != NULL)
    return RESULT_OK;
  os_pipe_close(os, false);
  return RESULT(NPS_E_OUT_OF_MEMORY);
}

nps_result nps_pipe_create(const nps_server_options *options, nps_pipe **pipe) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  *pipe = NULL;
  nps_server_options complete;
  nps_result result = options_server(options, &complete);
  if (result != RESULT_OK)
    return result;
  os_pipe *os = NULL;
  result = os_pipe_create(&complete, &os);
  if (result != RESULT_OK)
    return result;
  const pipe_traits traits = {
      complete.direction, complete.read_ahead, complete.write_limit, true, false, complete.mode == NPS_MODE_MESSAGE};
  return api__wrap(os, &traits, pipe);
}

/* Tries until the time limit while the name is not there or busy, at growing intervals. */
static nps_result api__open(const nps_client_options *options, os_pipe **os) {
  uint32_t nap = OPEN_FIRST_NAP_MS;
  const uint64_t start = os_now_ms();
  for (;;) {
    nps_result result = os_pipe_open(options, os);
    if (!has_status(result, NPS_E_NOT_FOUND) && !has_status(result, NPS_E_PIPE_BUSY))
      return result;
    if (options->timeout_ms >= 0) {
      const uint64_t passed = os_now_ms() - start;
      const uint64_t limit = (uint64_t)options->timeout_ms;
      if (passed >= limit)
        return result;
      if (limit - passed < nap)
        nap = (uint32_t)(limit - passed);
    }
    os_sleep_ms(nap);
    nap = min_u32(nap * 2, OPEN_LONGEST_NAP_MS);
  }
}

nps_result nps_pipe_open(const nps_client_options *options, nps_pipe **pipe) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  *pipe = NULL;
  nps_client_options complete;
  nps_result result = options_client(options, &complete);
  if (result != RESULT_OK)
    return result;
  os_pipe *os = NULL;
  result = api__open(&complete, &os);
  if (result != RESULT_OK)
    return result;
  const pipe_traits traits = {
      complete.direction, complete.read_ahead, complete.write_limit, false, true, complete.mode == NPS_MODE_MESSAGE};
  return api__wrap(os, &traits, pipe);
}

nps_result nps_pipe_adopt(intptr_t os_handle, const nps_adopt_options *options, nps_pipe **pipe) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  *pipe = NULL;
  nps_adopt_options complete;
  nps_result result = options_adopt(options, &complete);
  if (result != RESULT_OK)
    return result;
  os_pipe *os = NULL;
  os_adopted adopted;
  result = os_pipe_adopt(os_handle, &adopted, &os);
  if (result != RESULT_OK)
    return result;
  const pipe_traits traits = {
      adopted.direction, complete.read_ahead, complete.write_limit, adopted.server, adopted.connected, adopted.message};
  *pipe = pipe_new(os, &traits);
  if (*pipe != NULL)
    return RESULT_OK;
  os_pipe_close(os, true); /* on failure the handle stays the caller's, open */
  return RESULT(NPS_E_OUT_OF_MEMORY);
}

nps_result nps_pipe_export(nps_pipe *pipe, intptr_t *os_handle) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  return os_handle == NULL ? invalid_argument(NPS_ARGUMENT_RESULT) : pipe_export(pipe, os_handle);
}

nps_result nps_pipe_os_handle(nps_pipe *pipe, intptr_t *os_handle) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  if (os_handle == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  pipe_enter(pipe);
  nps_result result = pipe->state == PIPE_LINGERING || pipe->state == PIPE_CLOSED ? RESULT(NPS_E_CLOSED)
                                                                                  : os_pipe_handle(pipe->os, os_handle);
  pipe_leave(pipe, NULL);
  return result;
}

nps_result nps_pipe_close(nps_pipe *pipe, int64_t linger_ms) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  if (linger_ms < NPS_FOREVER)
    return invalid_argument(NPS_ARGUMENT_LINGER);
  return pipe_close(pipe, linger_ms);
}

nps_result nps_pipe_abort(nps_pipe *pipe) {
  return pipe == NULL ? invalid_argument(NPS_ARGUMENT_PIPE) : pipe_abort(pipe);
}

void nps_pipe_release(nps_pipe *pipe) {
  if (pipe != NULL)
    pipe_release(pipe);
}

/* ---------------------------------------------------------------- pipe: registration */

nps_result nps_pipe_register(nps_pipe *pipe, nps_poll *poll, uint64_t token, uint32_t interest) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  return poll == NULL ? invalid_argument(NPS_ARGUMENT_POLL) : pipe_register(pipe, poll, token, interest);
}

nps_result nps_pipe_reregister(nps_pipe *pipe, uint64_t token, uint32_t interest) {
  return pipe == NULL ? invalid_argument(NPS_ARGUMENT_PIPE) : pipe_reregister(pipe, token, interest);
}

nps_result nps_pipe_deregister(nps_pipe *pipe) {
  return pipe == NULL ? invalid_argument(NPS_ARGUMENT_PIPE) : pipe_deregister(pipe);
}

/* ---------------------------------------------------------------- pipe: I/O */

nps_result nps_pipe_connect(nps_pipe *pipe) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  pipe_enter(pipe);
  nps_result result = connection_connect(pipe);
  pipe_leave(pipe, NULL);
  return result;
}

nps_result nps_pipe_disconnect(nps_pipe *pipe, int32_t listen) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  pipe_enter(pipe);
  nps_result result = connection_disconnect(pipe);
  if (result == RESULT_OK && listen != 0)
    result = connection_connect(pipe);
  pipe_leave(pipe, NULL);
  return result;
}

nps_result nps_pipe_retire(nps_pipe *pipe) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  pipe_enter(pipe);
  nps_result result = connection_retire(pipe);
  pipe_leave(pipe, NULL);
  return result;
}

/* What both directions ask of their arguments. */
static nps_result api__check_transfer(
    const nps_pipe *pipe, const nps_buffer *buffers, uint32_t buffer_count, size_t *count) {
  if (count == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  *count = 0;
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  if (buffer_count > NPS_MAX_BUFFERS)
    return invalid_argument(NPS_ARGUMENT_BUFFER_COUNT);
  if (buffers == NULL && buffer_count > 0)
    return invalid_argument(NPS_ARGUMENT_BUFFER);
  for (uint32_t i = 0; i < buffer_count; i++) {
    if (buffers[i].data == NULL && buffers[i].size > 0)
      return invalid_argument(NPS_ARGUMENT_BUFFER);
  }
  return RESULT_OK;
}

nps_result nps_pipe_read_vector(nps_pipe *pipe, const nps_buffer *buffers, uint32_t buffer_count, size_t *count) {
  nps_result result = api__check_transfer(pipe, buffers, buffer_count, count);
  if (result != RESULT_OK)
    return result;
  pipe_enter(pipe);
  result = reader_read(pipe, buffers, buffer_count, count);
  pipe_leave(pipe, NULL);
  return result;
}

nps_result nps_pipe_write_vector(nps_pipe *pipe, const nps_buffer *buffers, uint32_t buffer_count, size_t *count) {
  nps_result result = api__check_transfer(pipe, buffers, buffer_count, count);
  if (result != RESULT_OK)
    return result;
  pipe_enter(pipe);
  result = writer_write(pipe, buffers, buffer_count, count);
  pipe_leave(pipe, NULL);
  return result;
}

nps_result nps_pipe_read(nps_pipe *pipe, void *buffer, size_t size, size_t *count) {
  const nps_buffer one = {buffer, size};
  return nps_pipe_read_vector(pipe, &one, 1, count);
}

nps_result nps_pipe_write(nps_pipe *pipe, const void *buffer, size_t size, size_t *count) {
  const nps_buffer one = {(void *)(uintptr_t)buffer, size}; /* a write does not change it */
  return nps_pipe_write_vector(pipe, &one, 1, count);
}

nps_result nps_pipe_shutdown(nps_pipe *pipe) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  pipe_enter(pipe);
  nps_result result = writer_shutdown(pipe);
  pipe_leave(pipe, NULL);
  return result;
}

nps_result nps_pipe_flush_state(nps_pipe *pipe, uint64_t *unsent) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  if (unsent == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  *unsent = 0;
  pipe_enter(pipe);
  nps_result result = RESULT_OK;
  if (pipe->state == PIPE_CLOSED) {
    result = RESULT(NPS_E_CLOSED);
  } else {
    *unsent = writer_unsent(pipe);
    if (writer_busy(pipe)) {
      pipe->armed |= NPS_WRITABLE; /* for the write's end: behind a half-close the direction is ready before that */
      result = RESULT(NPS_WOULD_BLOCK);
    }
  }
  pipe_leave(pipe, NULL);
  return result;
}

nps_result nps_pipe_take_error(nps_pipe *pipe, nps_result *error) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  if (error == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  pipe_enter(pipe);
  *error = pipe->error;
  pipe->error = RESULT_OK;
  pipe->events &= (uint8_t)~NPS_ERROR;
  reader_watch_close(pipe); /* the error may have been that nobody does */
  pipe_leave(pipe, NULL);
  return RESULT_OK;
}
