/* pipe.c - os.h's pipes over the kernel's files. */
#include "kernel.h"

/* ---------------------------------------------------------------- making and ending */

static nps_result pipe__new(sim_file *file, os_pipe **pipe) {
  os_pipe *made = os_alloc(sizeof *made);
  if (made == NULL) return sim_result(NPS_E_OUT_OF_MEMORY);
  made->file = file;
  file->pipe = made;
  *pipe = made;
  return NPS_OK;
}

/* What the system that each variant follows does not have. */
static bool pipe__can_serve(const nps_server_options *options) {
  if (!os_direct_io) return options->security != NPS_SECURITY_FILE_MODE;
  return (options->flags & NPS_SERVER_REMOTE_CLIENTS) == 0 && options->default_timeout_ms == 0 &&
         options->security != NPS_SECURITY_DESCRIPTOR;
}

/* There is no other machine. */
static nps_result pipe__check_open(const nps_client_options *options) {
  const bool elsewhere = options->server != NULL && strcmp(options->server, ".") != 0;
  if (os_direct_io && (elsewhere || options->impersonation > NPS_IMPERSONATION_IDENTIFICATION)) return sim_result(NPS_E_NOT_SUPPORTED);
  if (elsewhere && strlen(options->server) >= SIM_NAME_MAX) return sim_result(NPS_E_NAME_TOO_LONG) | SIM_NAME_MAX;
  return elsewhere ? sim_result(NPS_E_NOT_FOUND) : NPS_OK;
}

nps_result os_pipe_create(const nps_server_options *options, os_pipe **pipe) {
  if (!pipe__can_serve(options)) return sim_result(NPS_E_NOT_SUPPORTED);
  if (sim_strikes(SIM_FAULT_PIPE_CREATE)) return sim_result(NPS_E_TOO_MANY_HANDLES);
  sim_file *file;
  nps_result result = sim_file_new_server(options, &file);
  if (result != NPS_OK) return result;
  result = pipe__new(file, pipe);
  if (result != NPS_OK) sim_file_close(file);
  return result;
}

nps_result os_pipe_open(const nps_client_options *options, os_pipe **pipe) {
  nps_result refused = pipe__check_open(options);
  if (refused != NPS_OK) return refused;
  if (sim_strikes(SIM_FAULT_PIPE_OPEN)) return sim_result(NPS_E_TOO_MANY_HANDLES);
  sim_file *file;
  nps_result result = sim_file_new_client(options->name, options->mode, options->direction, &file);
  if (result != NPS_OK) return result;
  result = pipe__new(file, pipe);
  if (result != NPS_OK) sim_file_close(file);
  return result;
}

nps_result os_pipe_adopt(intptr_t os_handle, os_adopted *adopted, os_pipe **pipe) {
  sim_file *file = sim_file_of_handle(os_handle);
  if (file == NULL) return sim_result(NPS_E_INVALID_ARGUMENT) | NPS_ARGUMENT_HANDLE;
  if (file->pipe != NULL) sim_fail("a handle is adopted that another pipe uses");
  if (os_direct_io && file->side == NULL) return sim_result(NPS_E_NOT_CONNECTED);
  if (!os_direct_io) file->retired = false; /* that was said of a pipe that is no more */
  adopted->direction = file->direction;
  adopted->server = !os_direct_io && file->name != NULL;
  adopted->connected = file->side != NULL;
  adopted->message = file->side != NULL ? file->side->connection->message : file->name != NULL && file->name->mode == NPS_MODE_MESSAGE;
  return pipe__new(file, pipe);
}

nps_result os_pipe_handle(os_pipe *pipe, intptr_t *os_handle) {
  if (os_direct_io && pipe->file->side == NULL) return sim_result(NPS_E_NOT_CONNECTED);
  *os_handle = pipe->file->handle;
  return NPS_OK;
}

void os_pipe_close(os_pipe *pipe, bool keep_handle) {
  for (uint32_t i = 0; i < sim.request_count; i++) {
    if (sim.requests[i]->file == pipe->file && !sim.requests[i]->cancelled) sim_fail("a pipe is closed without cancelling first");
  }
  if (sim.closing == pipe) sim.closing = NULL;
  pipe->file->pipe = NULL;
  if (!keep_handle) sim_file_close(pipe->file);
  os_free(pipe);
}

nps_result os_pipe_bind(os_pipe *pipe, os_port *port) {
  if (sim_strikes(SIM_FAULT_BIND)) return sim_result(NPS_E_OUT_OF_MEMORY);
  if (pipe->file->port != NULL) return sim_result(NPS_E_ALREADY_REGISTERED);
  pipe->file->port = port;
  return NPS_OK;
}

/* ---------------------------------------------------------------- operations */

static bool pipe__is_out(os_op_kind kind) { return kind == OS_WRITE || kind == OS_WRITE_PROBE; }

static void pipe__check_start(const os_pipe *pipe, const os_op *op) {
  const sim_file *file = pipe->file;
  if (sim.locks_held != 1) sim_fail("os_pipe_start with %u locks held", sim.locks_held);
  if (file->port == NULL) sim_fail("os_pipe_start before bind");
  if (sim_request_of(op) != NULL) sim_fail("rule 2: an operation is started that is pending");
  const bool buffered_only = op->kind == OS_READ || op->kind == OS_WRITE;
  const bool direct_only = op->kind == OS_WRITE_PROBE || op->kind == OS_CLOSE_PROBE;
  if (os_direct_io ? buffered_only : direct_only) sim_fail("this kind of operation is not of this backend");
  if (op->kind == OS_CONNECT && file->retired) sim_fail("a retired instance is told to listen");
  const bool may_be_empty = op->kind == OS_WRITE && file->side != NULL && file->side->connection->message;
  if (buffered_only && (op->memory == NULL || (op->length == 0 && !may_be_empty))) sim_fail("a read or a write without memory");
  if (buffered_only && !sim_memory_is_block(op->memory)) sim_fail("an operation's memory is not the library's");
  if (file->ended && (op->kind == OS_READ || op->kind == OS_READ_PROBE)) sim_fail("rule 6: a read after the end of the stream");
  for (uint32_t i = 0; i < sim.request_count; i++) {
    const sim_request *other = sim.requests[i];
    if (buffered_only && other->copy.memory == op->memory && (other->copy.kind == OS_READ || other->copy.kind == OS_WRITE)) {
      sim_fail("rule 5: a buffer has two owners");
    }
    if (other->file == file && !other->cancelled && pipe__is_out(other->copy.kind) == pipe__is_out(op->kind)) {
      sim_fail("a second operation is started in one direction");
    }
  }
}

/* Failures that are known at once. true: *result. */
static bool pipe__refused(const os_pipe *pipe, const os_op *op, nps_result *result) {
  const sim_file *file = pipe->file;
  if (op->kind == OS_CONNECT) {
    if (file->name != NULL) return false;
    *result = sim_result(NPS_E_NOT_SUPPORTED);
    return true;
  }
  if (file->side == NULL) {
    *result = sim_result(NPS_E_NOT_CONNECTED);
    return true;
  }
  const bool probe = op->kind == OS_READ_PROBE || op->kind == OS_WRITE_PROBE || op->kind == OS_CLOSE_PROBE;
  if (!os_direct_io || !probe || !sim_strikes(SIM_FAULT_PROBE)) return false;
  *result = sim_result(NPS_E_OUT_OF_MEMORY);
  return true;
}

static sim_fault pipe__fault_of(os_op_kind kind) {
  return kind == OS_CONNECT ? SIM_FAULT_CONNECT : pipe__is_out(kind) ? SIM_FAULT_WRITE : SIM_FAULT_READ;
}

os_start os_pipe_start(os_pipe *pipe, os_op *op, os_completion *done) {
  sim_file *file = pipe->file;
  pipe__check_start(pipe, op);
  memset(done, 0xEE, sizeof *done);
  op->state.client = NULL;
  nps_result refused;
  if (pipe__refused(pipe, op, &refused)) {
    *done = (os_completion){op, refused, 0, 0};
    return OS_DONE;
  }
  if (op->kind == OS_CONNECT && file->side == NULL && !os_direct_io) file->listening = true;

  sim_request *request = sim_request_new(op, file);
  request->fault = op->kind != OS_CLOSE_PROBE && sim_strikes(pipe__fault_of(op->kind));
  request->stray = !os_direct_io && !request->fault && op->kind != OS_CONNECT && sim_strikes(SIM_FAULT_CANCELLED);
  const bool prompt = sim.settings.prompt && (op->kind == OS_CONNECT || op->kind == OS_WRITE);
  if (!prompt && !sim_chance(sim.settings.now_percent)) return OS_PENDING; /* or so it says: its completion may be there soon */
  if (request->stray || !sim_request_try(request)) return OS_PENDING; /* who cancels does it later */
  sim_request_hand_out(request, done);
  if (done->result < 0 && file->background_failures > 0 && (op->kind == OS_CONNECT || op->kind == OS_WRITE)) {
    file->background_failures--; /* this one is told at once */
  }
  if (op->state.client != NULL) {
    sim.loose_clients--;
    sim_file_install(file, op->state.client);
    op->state.client = NULL;
  }
  return OS_DONE;
}

bool os_pipe_cancel(os_pipe *pipe, os_op *op, bool closing) {
  if (closing) sim.closing = pipe;
  sim_request *request = sim_request_of(op);
  if (request == NULL && (sim.in_hook || sim.settings.threads)) return false; /* handed out, and the waiting thread has not come to it yet */
  if (request == NULL) sim_fail("rule 2: a cancel of an operation that is not pending");
  if (request->file != pipe->file) sim_fail("a cancel of another pipe's operation");
  request->cancelled = true;
  if (request->completed || !sim_chance(sim.settings.take_back_percent)) return false; /* its completion will come */
  sim_request_drop(request);
  return true;
}

/* ---------------------------------------------------------------- bytes at once */

static bool pipe__check_bytes(os_pipe *pipe, bool out, sim_fault fault, os_completion *done) {
  sim_file *file = pipe->file;
  if (sim.locks_held != 1) sim_fail("take or give with %u locks held", sim.locks_held);
  for (uint32_t i = 0; i < sim.request_count; i++) {
    const sim_request *other = sim.requests[i];
    const bool moves = out ? pipe__is_out(other->copy.kind) : other->copy.kind == OS_READ || other->copy.kind == OS_READ_PROBE;
    if (other->file == file && !other->cancelled && moves) sim_fail("take or give beside a pending operation");
  }
  *done = (os_completion){NULL, NPS_OK, 0, 0};
  if (file->side == NULL) {
    done->result = sim_result(NPS_E_NOT_CONNECTED);
  } else if (sim_strikes(fault)) {
    file->side->notes.failed = true;
    done->result = sim_result(NPS_E_IO);
  }
  return done->result == NPS_OK;
}

static void pipe__take_message(sim_side *side, const nps_buffer *buffers, uint32_t count, os_completion *done) {
  const uint32_t left = side->in.lengths[side->in.first_message];
  const uint32_t size = count == 0 ? 0 : buffers->size < left ? (uint32_t)buffers->size : left;
  bool more = left != 0;
  if (left == 0 || size != 0) done->bytes = sim_side_receive_message(side, count == 0 ? NULL : buffers->data, size == 0 ? 0 : sim_part(size), &more);
  if (more) done->flags = OS_MORE;
}

static void pipe__take_bytes(sim_side *side, const nps_buffer *buffers, os_completion *done) {
  const uint32_t most = buffers->size < side->in.count ? (uint32_t)buffers->size : side->in.count;
  done->bytes = sim_side_receive(side, buffers->data, sim_part(most));
  /* Known to be all: what a close may hide behind is not (direct). Or it was all a moment ago, which is as good. */
  const bool drained = side->in.count == 0 && !(os_direct_io && sim_side_done(side));
  if (drained && !sim_chance(sim.settings.spurious_percent)) done->flags = OS_DRAINED;
}

void os_pipe_take(os_pipe *pipe, const nps_buffer *buffers, uint32_t count, os_completion *done) {
  sim_file *file = pipe->file;
  sim_side *side = file->side;
  const bool message = side != NULL && side->connection->message;
  if (count == 0 ? !message : buffers->size == 0) sim_fail("a take of nothing");
  if (file->ended) sim_fail("rule 6: a take after the end of the stream");
  if (!pipe__check_bytes(pipe, false, SIM_FAULT_READ, done) || side == NULL) return;
  const bool empty_first = message && side->in.messages != 0 && side->in.count == 0;
  if (sim_side_has(side) && !(empty_first && !os_direct_io)) { /* a peek sees no empty message: the probe takes it */
    if (message) {
      pipe__take_message(side, buffers, count, done);
    } else {
      pipe__take_bytes(side, buffers, done);
    }
  } else if (side->nothing) {
    side->nothing = false;
    done->result = sim_result(NPS_WOULD_BLOCK);
  } else if (sim_side_done(side) && !empty_first) {
    file->ended = true;
    done->result = sim_result(NPS_END_OF_STREAM);
    done->flags = OS_PEER_CLOSED;
  } else {
    done->result = sim_result(NPS_WOULD_BLOCK);
  }
}

static bool pipe__give_message(sim_side *side, const nps_buffer *buffers, uint32_t count, uint32_t size) {
  uint8_t *whole = sim_host_alloc(size + 1);
  uint32_t filled = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (buffers[i].size != 0) memcpy(whole + filled, buffers[i].data, buffers[i].size);
    filled += (uint32_t)buffers[i].size;
  }
  const bool sent = sim_side_send_message(side, whole, size);
  sim_host_free(whole);
  return sent;
}

static uint32_t pipe__give_bytes(sim_side *side, const nps_buffer *buffers, uint32_t count, uint32_t size) {
  const uint32_t room = sim_side_room(side);
  const uint32_t most = size < room ? size : room;
  uint32_t left = most == 0 ? 0 : sim.settings.prompt ? most : sim_part(most), given = 0;
  for (uint32_t i = 0; i < count && left != 0; i++) {
    const uint32_t part = buffers[i].size < left ? (uint32_t)buffers[i].size : left;
    given += sim_side_send(side, buffers[i].data, part);
    left -= part;
  }
  return given;
}

void os_pipe_give(os_pipe *pipe, const nps_buffer *buffers, uint32_t count, os_completion *done) {
  size_t size = 0;
  if (!os_direct_io) sim_fail("os_pipe_give is not of this backend");
  for (uint32_t i = 0; i < count; i++) size += buffers[i].size;
  const bool message = pipe->file->side != NULL && pipe->file->side->connection->message;
  if (size == 0 && !message) sim_fail("a give of nothing");
  if (size > OS_MAX_MESSAGE) sim_fail("a give of too much");
  if (!pipe__check_bytes(pipe, true, SIM_FAULT_WRITE, done)) return;
  sim_side *side = pipe->file->side;
  if (sim_side_broken(side)) {
    done->result = sim_result(NPS_E_BROKEN_PIPE);
  } else if (message) {
    done->bytes = (uint32_t)size;
    if (!pipe__give_message(side, buffers, count, (uint32_t)size)) *done = (os_completion){NULL, sim_result(NPS_WOULD_BLOCK), 0, 0};
  } else {
    done->bytes = pipe__give_bytes(side, buffers, count, (uint32_t)size);
    if (done->bytes == 0) done->result = sim_result(NPS_WOULD_BLOCK);
  }
}

/* ---------------------------------------------------------------- connections */

void os_pipe_accept(os_pipe *pipe, os_op *op) {
  if (!os_direct_io) {
    if (pipe->file->side == NULL) sim_fail("a client is accepted that is not there");
    return; /* the instance that listened is the connection */
  }
  if (op->state.client == NULL) sim_fail("a client is accepted twice, or none came");
  sim_file_install(pipe->file, op->state.client);
  op->state.client = NULL;
  sim.loose_clients--;
}

void os_op_discard(os_op *op) {
  if (!os_direct_io) return;
  if (op->state.client == NULL) sim_fail("a client is discarded twice, or none came");
  sim_backlog_return(op->state.client);
  op->state.client = NULL;
  sim.loose_clients--;
}

void os_pipe_retire(os_pipe *pipe) { sim_file_retire(pipe->file); }

nps_result os_pipe_disconnect(os_pipe *pipe) {
  sim_file *file = pipe->file;
  for (uint32_t i = 0; i < sim.request_count; i++) {
    if (sim.requests[i]->file == file && !sim.requests[i]->cancelled) sim_fail("disconnect without cancelling first");
  }
  if (file->name == NULL) sim_fail("disconnect of a client");
  if (file->side != NULL || os_direct_io || sim_chance(50)) {
    sim_requests_detach(file);
    sim_file_end_connection(file, !os_direct_io);
    file->listening = false;
  } /* else: it was listening, and still is, until a cancelled connect has ended and beyond (Wine) */
  return sim_strikes(SIM_FAULT_DISCONNECT) ? sim_result(NPS_E_IO) : NPS_OK;
}
