/* query.c - what is known of a pipe. Our handles are overlapped, so that no question waits behind a read that is pending; adopt.c
 * refuses others. */
#include "iocp.h"
#include "ntdll.h"

nps_result os_pipe_info(os_pipe *pipe, os_info *info) {
  nt_pipe_local_info local;
  info->max_message = pipe->message ? OS_MAX_MESSAGE : 0;
  nt_status status = nt_query(pipe->handle, NT_PIPE_LOCAL_INFORMATION, &local, sizeof local);
  /* The server end of an outbound pipe may not ask; a client that its server has disconnected has nothing to ask: nothing is known. */
  if (status == NT_ACCESS_DENIED || status == NT_PIPE_DISCONNECTED)
    return NPS_OK;
  if (status != 0)
    return iocp_result(RtlNtStatusToDosError(status));
  bool server = local.end == NT_PIPE_END_SERVER; /* inbound is what the server reads */
  info->in_buffer_size = server ? local.inbound_quota : local.outbound_quota;
  info->out_buffer_size = server ? local.outbound_quota : local.inbound_quota;
  info->instances = local.current_instances;
  /* 255, or -1 as the kernel has it: without a limit. */
  info->max_instances =
      local.maximum_instances < NPS_UNLIMITED_INSTANCES ? local.maximum_instances : NPS_UNLIMITED_INSTANCES;
  return NPS_OK;
}

void os_pipe_peek(os_pipe *pipe, void *memory, uint32_t size, uint64_t *available, os_completion *done) {
  DWORD bytes = 0, there = 0, behind = 0;
  BOOL known = PeekNamedPipe(pipe->handle, memory, size, &bytes, &there, &behind);
  DWORD code = known ? ERROR_SUCCESS : GetLastError();
  iocp_complete(NULL, OS_READ, code, bytes, done);
  *available = there == 0 || !pipe->message ? there : (uint64_t)bytes + behind;
  if (done->result == NPS_OK && there == 0)
    done->result = iocp_make_result(NPS_WOULD_BLOCK, 0);
}

/* The system counts reads that the peer has posted against the quota too: what is left of it says nothing of what is unread. */
nps_result os_pipe_unread(os_pipe *pipe, uint64_t *unread) {
  (void)pipe;
  (void)unread;
  return iocp_make_result(NPS_E_NOT_SUPPORTED, 0);
}

nps_result os_pipe_shutdown(os_pipe *pipe) {
  (void)pipe;
  return iocp_make_result(NPS_E_NOT_SUPPORTED, 0);
}
