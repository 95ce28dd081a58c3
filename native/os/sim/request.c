/* request.c - operations that the kernel holds: when they can complete, how, and that nobody touches them meanwhile. */
#include "kernel.h"

#define REQUEST_POISON 0xA5u

static uint64_t request__sum(const uint8_t *bytes, uint32_t size) {
  uint64_t sum = 0xCBF29CE484222325u ^ size;
  uint32_t i = 0;
  for (; i + sizeof sum <= size; i += (uint32_t)sizeof sum) {
    uint64_t word;
    memcpy(&word, bytes + i, sizeof word);
    sum = (sum ^ word) * 0x100000001B3u;
    sum ^= sum >> 29;
  }
  for (; i < size; i++) sum = (sum ^ bytes[i]) * 0x100000001B3u;
  return sum;
}

/* ---------------------------------------------------------------- the list */

sim_request *sim_request_new(os_op *op, sim_file *file) {
  sim_request *made = sim_host_alloc(sizeof *made);
  made->op = op;
  made->copy = *op;
  made->file = file;
  made->port = file->port;
  made->age = ++sim.sequence;
  if (sim.request_count == sim.request_capacity) {
    const uint32_t capacity = sim.request_capacity == 0 ? 64 : 2 * sim.request_capacity;
    sim_request **grown = sim_host_alloc(capacity * sizeof(sim_request *));
    for (uint32_t i = 0; i < sim.request_count; i++) grown[i] = sim.requests[i];
    sim_host_free(sim.requests);
    sim.requests = grown;
    sim.request_capacity = capacity;
  }
  sim.requests[sim.request_count++] = made;
  sim_memory_hold(op, 1);
  if (op->kind == OS_READ || op->kind == OS_WRITE) sim_memory_hold(op->memory, 1);
  if (op->kind == OS_READ) memset(op->memory, REQUEST_POISON, op->length); /* who looks too early sees this */
  if (op->kind == OS_WRITE) made->checksum = request__sum(op->memory, op->length);
  return made;
}

void sim_request_drop(sim_request *request) {
  uint32_t i = 0;
  while (sim.requests[i] != request) i++;
  sim.requests[i] = sim.requests[--sim.request_count];
  sim_memory_hold(request->op, -1);
  if (request->copy.kind == OS_READ || request->copy.kind == OS_WRITE) sim_memory_hold(request->copy.memory, -1);
  sim_host_free(request->data);
  sim_host_free(request);
}

sim_request *sim_request_of(const os_op *op) {
  for (uint32_t i = 0; i < sim.request_count; i++) {
    if (sim.requests[i]->op == op) return sim.requests[i];
  }
  return NULL;
}

uint32_t sim_in_flight(void) { return sim.request_count; }

const os_op *sim_in_flight_op(uint32_t index) { return sim.requests[index]->op; }

uint32_t sim_pending(const os_pipe *pipe, os_op_kind kind) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < sim.request_count; i++) {
    const sim_request *request = sim.requests[i];
    count += request->file == pipe->file && request->copy.kind == kind && !request->cancelled;
  }
  return count;
}

uint64_t sim_background_failures(const sim_file *file) { return file->background_failures; }

/* ---------------------------------------------------------------- what each kind waits for */

static bool request__ends(sim_request *request, nps_status status) {
  request->result = sim_result(status);
  if (status != NPS_OK) request->flags |= OS_PEER_CLOSED;
  return true;
}

static bool request__connect(sim_request *request) {
  sim_file *file = request->file;
  if (!os_direct_io) {
    if (file->side == NULL) return false;
    if (!sim_side_peer(file->side)->open) request->flags |= OS_PEER_CLOSED; /* it came and left: C6 */
    return true;
  }
  for (uint32_t i = 0; i < sim.request_count; i++) { /* those who wait longer come first */
    const sim_request *other = sim.requests[i];
    if (other->copy.kind == OS_CONNECT && !other->completed && other->file != NULL && other->file->name == file->name &&
        other->age < request->age) {
      return false;
    }
  }
  request->client = sim_backlog_take(file->name);
  return request->client != NULL;
}

static bool request__read(sim_request *request) {
  sim_side *side = request->file->side;
  if (sim_side_has(side)) {
    const bool message = side->connection->message;
    const uint32_t there = message ? side->in.lengths[side->in.first_message] : side->in.count;
    const uint32_t most = there < request->copy.length ? there : request->copy.length;
    bool more = false;
    request->bytes = sim.settings.prompt ? most : sim_part(most);
    request->data = sim_host_alloc(request->bytes + 1);
    if (message) {
      (void)sim_side_receive_message(side, request->data, request->bytes, &more);
    } else {
      (void)sim_side_receive(side, request->data, request->bytes);
    }
    if (more) request->flags |= OS_MORE;
    return true;
  }
  if (side->nothing) { /* rule 7: 0 bytes, and not the end */
    side->nothing = false;
    return true;
  }
  return sim_side_done(side) && request__ends(request, NPS_END_OF_STREAM);
}

static bool request__spurious(void) { return !sim.settings.prompt && sim_chance(sim.settings.spurious_percent); }

static bool request__read_probe(sim_request *request) {
  sim_side *side = request->file->side;
  const bool done = sim_side_done(side);
  if (!os_direct_io && side->connection->message && sim_side_has(side)) {
    bool more = side->in.lengths[side->in.first_message] != 0;
    if (more) request->flags |= OS_MORE;
    if (!more) (void)sim_side_receive_message(side, NULL, 0, &more); /* an empty one: consumed */
    return true;
  }
  if (sim_side_has(side) || side->nothing) {
    if (os_direct_io && done) request->flags |= OS_PEER_CLOSED;
    return true;
  }
  if (done) return request__ends(request, os_direct_io ? NPS_OK : NPS_END_OF_STREAM) && (request->flags |= OS_PEER_CLOSED) != 0;
  if (!os_direct_io && side->connection->message) return false; /* it would mean an empty message */
  return request__spurious();
}

static bool request__write(sim_request *request) {
  sim_side *side = request->file->side;
  if (sim_side_broken(side)) return request__ends(request, NPS_E_BROKEN_PIPE);
  const uint8_t *bytes = request->copy.memory;
  if (request__sum(bytes, request->copy.length) != request->checksum) {
    sim_fail("rule 5: the memory of a pending write was changed");
  }
  if (side->connection->message) {
    if (!sim_side_send_message(side, bytes, request->copy.length)) return false;
    request->bytes = request->moved = request->copy.length;
    return true;
  }
  const uint32_t room = sim_side_room(side), left = request->copy.length - request->moved;
  const uint32_t most = room < left ? room : left;
  const bool whole = sim.settings.prompt && most == left;
  if (most != 0) request->moved += sim_side_send(side, bytes + request->moved, whole ? most : sim_part(most));
  request->bytes = request->moved;
  return request->moved == request->copy.length;
}

static bool request__has_room(const sim_side *side) {
  return side->connection->message ? sim_side_takes_message(side, UINT32_MAX) : sim_side_room(side) != 0; /* for any message */
}

/* Whether it completes now, as nobody but the kernel sees it. */
static bool request__can(sim_request *request) {
  switch (request->copy.kind) {
    case OS_CONNECT: return request__connect(request);
    case OS_READ: return request__read(request);
    case OS_READ_PROBE: return request__read_probe(request);
    case OS_WRITE: return request__write(request);
    case OS_WRITE_PROBE:
      return request__has_room(request->file->side) || sim_side_broken(request->file->side) ||
             request__spurious();
    case OS_CLOSE_PROBE:
      if (!sim_side_done(request->file->side)) return false;
      request->flags |= OS_PEER_CLOSED;
      return true;
  }
  return false;
}

static void request__spoil(sim_request *request) {
  if (request->fault) {
    request->result = sim_result(request->copy.kind == OS_CONNECT ? NPS_E_TOO_MANY_HANDLES : NPS_E_IO);
  } else if (request->stray || request->cancelled || request->file == NULL) {
    request->result = sim_result(NPS_E_CLOSED);
  }
  request->bytes = 0;
  request->flags = 0;
  request->completed = true;
}

bool sim_request_try(sim_request *request) {
  if (request->completed) return true;
  const bool fails = request->fault || request->stray;
  if (fails && request->file != NULL && request->file->side != NULL) request->file->side->notes.failed = true;
  const bool over = request->file == NULL || fails || (request->cancelled && !sim_chance(sim.settings.lose_percent));
  if (!over && request->copy.kind != OS_CONNECT && request->file->side == NULL) {
    sim_fail("an operation is pending without a connection");
  }
  if (!over && request__can(request)) {
    request->completed = true;
    if (request->client != NULL) sim.loose_clients++;
  } else if (over || request->cancelled) {
    request__spoil(request);
  }
  return request->completed;
}

void sim_requests_detach(sim_file *file) {
  for (uint32_t i = 0; i < sim.request_count; i++) {
    sim_request *request = sim.requests[i];
    if (request->file != file) continue;
    /* It may complete at the last moment: what it brings belongs to a connection that is no more. */
    if (!request->completed && (request->copy.kind == OS_CONNECT || file->side != NULL) && sim_chance(sim.settings.lose_percent)) {
      (void)sim_request_try(request);
    }
    if (sim.settings.prompt && request->client != NULL) { /* a listener hands clients out, and keeps none */
      sim_backlog_return(request->client);
      request->client = NULL;
      request->result = sim_result(NPS_E_CLOSED);
      sim.loose_clients--;
    }
    request->file = NULL;
  }
}

/* ---------------------------------------------------------------- back to the library */

void sim_request_hand_out(sim_request *request, os_completion *completion) {
  os_op *op = request->op;
  const os_op *copy = &request->copy;
  if (op->kind != copy->kind || op->memory != copy->memory || op->length != copy->length) {
    sim_fail("a pending operation was changed");
  }
  if (copy->kind == OS_READ) {
    if (!sim_is_all(copy->memory, copy->length, REQUEST_POISON)) sim_fail("rule 5: the memory of a pending read was written");
    if (request->data != NULL) memcpy(copy->memory, request->data, request->bytes);
  } else if (copy->kind == OS_WRITE && request__sum(copy->memory, copy->length) != request->checksum) {
    sim_fail("rule 5: the memory of a pending write was changed");
  }
  op->state.client = request->client;
  completion->op = op;
  completion->result = request->result;
  completion->bytes = request->bytes;
  completion->flags = request->flags;
  sim_file *file = request->file;
  if (file != NULL && sim_is(request->result, NPS_END_OF_STREAM)) file->ended = true;
  if (file != NULL && !request->cancelled && request->result < 0 && (copy->kind == OS_CONNECT || copy->kind == OS_WRITE)) {
    file->background_failures++;
  }
  sim_request_drop(request);
}
