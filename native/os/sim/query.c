/* query.c - what is known of a connection. The peer's process and user are made up: this kernel has neither. */
#include "kernel.h"

#include <stdio.h>

#define QUERY_SERVER_PROCESS 100u
#define QUERY_CLIENT_PROCESS 200u

nps_result os_pipe_info(os_pipe *pipe, os_info *info) {
  const sim_file *file = pipe->file;
  if (file->side != NULL) {
    info->in_buffer_size = os_direct_io ? 0 : file->side->in.quota;
    info->out_buffer_size = sim_side_peer(file->side)->in.quota;
  } else if (!os_direct_io) {
    info->in_buffer_size = file->quota_in;
    info->out_buffer_size = file->quota_out;
  }
  info->max_message = file->side != NULL && file->side->connection->message ? OS_MAX_MESSAGE : 0;
  if (file->name != NULL) {
    info->max_instances = file->name->max_instances;
    info->instances = file->name->instances;
  }
  return NPS_OK;
}

void os_pipe_peek(os_pipe *pipe, void *memory, uint32_t size, uint64_t *available, os_completion *done) {
  const sim_file *file = pipe->file;
  if (sim.locks_held != 1) sim_fail("peek with %u locks held", sim.locks_held);
  if (file->side == NULL) sim_fail("a peek without a connection");
  *done = (os_completion){NULL, NPS_OK, 0, 0};
  const sim_stream *in = &file->side->in;
  const bool message = file->side->connection->message;
  *available = message && in->messages != 0 ? in->lengths[in->first_message] : in->count;
  if (in->count != 0 || (os_direct_io && sim_side_has(file->side))) {
    done->bytes = size < *available ? size : (uint32_t)*available;
    for (uint32_t i = 0; i < done->bytes; i++) ((uint8_t *)memory)[i] = in->bytes[(in->first + i) % in->capacity];
  } else {
    done->result = sim_result(sim_side_done(file->side) && in->messages == 0 ? NPS_END_OF_STREAM : NPS_WOULD_BLOCK);
  }
}

nps_result os_pipe_unread(os_pipe *pipe, uint64_t *unread) {
  if (!os_direct_io) return sim_result(NPS_E_NOT_SUPPORTED);
  const sim_side *peer = sim_side_peer(pipe->file->side);
  const uint64_t left = peer->in.count + peer->in.messages; /* an empty one is something, too */
  if (left != 0 && !peer->open) return sim_result(NPS_E_BROKEN_PIPE);
  *unread = left;
  return NPS_OK;
}

nps_result os_pipe_shutdown(os_pipe *pipe) {
  if (!os_direct_io) return sim_result(NPS_E_NOT_SUPPORTED);
  if (sim_strikes(SIM_FAULT_SHUTDOWN)) return sim_result(NPS_E_IO);
  pipe->file->side->direction &= ~(uint32_t)NPS_DIRECTION_OUT;
  return NPS_OK;
}

nps_result os_pipe_peer_process(os_pipe *pipe, bool server, uint32_t *process_id) {
  (void)pipe;
  *process_id = server ? QUERY_CLIENT_PROCESS : QUERY_SERVER_PROCESS;
  return NPS_OK;
}

nps_result os_pipe_peer_user(os_pipe *pipe, bool server, char *user, size_t size) {
  (void)pipe;
  (void)server;
  const int length = snprintf(user, size, "somebody");
  return (size_t)length < size ? NPS_OK : sim_result(NPS_E_INVALID_ARGUMENT) | NPS_ARGUMENT_BUFFER;
}

nps_result os_pipe_impersonate(os_pipe *pipe) {
  (void)pipe;
  return sim_result(NPS_E_NOT_SUPPORTED);
}

nps_result os_revert(void) { return sim_result(NPS_E_NOT_SUPPORTED); }
