/* api_query.c - the exports that ask about a pipe or its peer: check arguments, delegate, nothing else. */
#include "pipe.h"
#include "reader.h"
#include "writer.h"

nps_result nps_pipe_info(nps_pipe *pipe, nps_info *info) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  if (info == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  if (info->size != sizeof *info) /* it has had one size so far */
    return invalid_argument(NPS_ARGUMENT_INFO_SIZE);
  return pipe_info(pipe, info);
}

nps_result nps_pipe_peek(nps_pipe *pipe, void *buffer, size_t size, size_t *count, uint64_t *available) {
  if (count == NULL || available == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  *count = 0;
  *available = 0;
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  if (buffer == NULL && size > 0)
    return invalid_argument(NPS_ARGUMENT_BUFFER);
  pipe_enter(pipe);
  nps_result result = reader_peek(pipe, buffer, size, count, available);
  pipe_leave(pipe, NULL);
  return result;
}

nps_result nps_pipe_drain_state(nps_pipe *pipe, uint64_t *unread) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  if (unread == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  *unread = 0;
  pipe_enter(pipe);
  nps_result result = writer_drain_state(pipe, unread);
  pipe_leave(pipe, NULL);
  return result;
}

nps_result nps_pipe_peer_process(nps_pipe *pipe, uint32_t *process_id) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  if (process_id == NULL)
    return invalid_argument(NPS_ARGUMENT_RESULT);
  *process_id = 0;
  pipe_enter(pipe);
  nps_result result = pipe_connected(pipe);
  if (result == RESULT_OK)
    result = os_pipe_peer_process(pipe->os, pipe->server, process_id);
  pipe_leave(pipe, NULL);
  return result;
}

nps_result nps_pipe_peer_user(nps_pipe *pipe, char *user, size_t size) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  if (user == NULL || size == 0)
    return invalid_argument(NPS_ARGUMENT_BUFFER);
  user[0] = '\0';
  pipe_enter(pipe);
  nps_result result = pipe_connected(pipe);
  if (result == RESULT_OK)
    result = os_pipe_peer_user(pipe->os, pipe->server, user, size);
  pipe_leave(pipe, NULL);
  return result;
}

nps_result nps_pipe_impersonate(nps_pipe *pipe) {
  if (pipe == NULL)
    return invalid_argument(NPS_ARGUMENT_PIPE);
  pipe_enter(pipe);
  nps_result result = pipe_connected(pipe);
  if (result == RESULT_OK)
    result = pipe->server ? os_pipe_impersonate(pipe->os) : RESULT(NPS_E_NOT_SUPPORTED);
  pipe_leave(pipe, NULL);
  return result;
}

nps_result nps_revert(void) {
  return os_revert();
}
