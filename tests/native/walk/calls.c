/* calls.c - one random call at a time: making, registering, connecting, ending. */
#include "walk.h"

#define CALLS 17 /* that walk_use_pipe chooses from */
#define PICK(list) ((list)[sim_random((uint32_t)(sizeof(list) / sizeof(list)[0]))])

static const char *const calls__names[WALK_NAMES] = {"a", "b", "in", "out"};
static const uint32_t calls__server_direction[WALK_NAMES] = {
    NPS_DIRECTION_DUPLEX, NPS_DIRECTION_DUPLEX, NPS_DIRECTION_IN, NPS_DIRECTION_OUT};
static const uint32_t calls__client_direction[WALK_NAMES] = {
    NPS_DIRECTION_DUPLEX, NPS_DIRECTION_DUPLEX, NPS_DIRECTION_OUT, NPS_DIRECTION_IN};
static const char calls__long_name[] = "a name that is longer than what this kernel is willing to keep of any name at all";

walk_poll *walk_poll_of(const walk_pipe *p) {
  for (uint32_t i = 0; i < WALK_POLLS; i++) {
    if (world.polls[i].poll != NULL && world.polls[i].serial == p->poll_serial) return &world.polls[i];
  }
  return NULL;
}

sim_file *walk_file(const walk_pipe *p) { return p->pipe->os == NULL ? NULL : sim_file_of(p->pipe->os); }

/* ---------------------------------------------------------------- making */

static walk_pipe *calls__place(void) {
  for (uint32_t i = 0; i < WALK_PIPES; i++) {
    if (world.pipes[i].pipe == NULL) return &world.pipes[i];
  }
  return NULL;
}

static void calls__made(walk_pipe *place, nps_pipe *pipe, uint32_t direction, bool server) {
  memset(place, 0, sizeof *place);
  place->pipe = pipe;
  place->id = ++world.serial;
  place->direction = direction;
  place->server = server;
}

static uint32_t calls__ahead(void) {
  static const uint32_t sizes[] = {0, 0, 1, 100, 4096, 65536};
  return PICK(sizes);
}

static uint32_t calls__limit(void) {
  static const uint32_t sizes[] = {1, 50, 1000, 4096, 65536};
  return PICK(sizes);
}

static void calls__create(walk_pipe *place) {
  nps_server_options options;
  (void)nps_server_options_init(&options, sizeof options);
  const uint32_t which = sim_random(WALK_NAMES);
  options.name = sim_chance(3) ? calls__long_name : calls__names[which];
  options.direction = sim_chance(3) ? 4 : calls__server_direction[which];
  options.max_instances = which == 1 ? 3 : NPS_UNLIMITED_INSTANCES;
  options.flags = sim_chance(5) ? NPS_SERVER_FIRST_INSTANCE : 0;
  options.in_buffer_size = sim_chance(10) ? 0 : 1 + sim_random(3000);
  options.out_buffer_size = sim_chance(10) ? 0 : 1 + sim_random(3000);
  options.read_ahead = calls__ahead();
  options.write_limit = calls__limit();
  nps_pipe *pipe;
  nps_result result = nps_pipe_create(&options, &pipe);
  walk_outcome(STATE_NONE, CALL_CREATE, result, NULL);
  if (result == NPS_OK) calls__made(place, pipe, options.direction, true);
}

static void calls__open(walk_pipe *place) {
  nps_client_options options;
  (void)nps_client_options_init(&options, sizeof options);
  const uint32_t which = sim_random(WALK_NAMES);
  options.name = sim_chance(3) ? "no such" : sim_chance(3) ? calls__long_name : calls__names[which];
  options.direction = sim_chance(3) ? 0 : calls__client_direction[which];
  if (!os_direct_io && sim_chance(5)) options.direction = NPS_DIRECTION_DUPLEX; /* must fit the server's */
  options.timeout_ms = sim_chance(20) ? 1 + sim_random(8) : 0;
  options.read_ahead = calls__ahead();
  options.write_limit = calls__limit();
  nps_pipe *pipe;
  nps_result result = nps_pipe_open(&options, &pipe);
  walk_outcome(STATE_NONE, CALL_OPEN, result, NULL);
  if (result == NPS_OK) calls__made(place, pipe, options.direction, false);
}

static void calls__adopt(walk_pipe *place) {
  sim_file **peer = &world.peers[sim_random(WALK_PEERS)];
  sim_view view = {0};
  intptr_t handle = 123456789;
  if (*peer != NULL) {
    if (sim_notes_of(*peer) != NULL && sim_notes_of(*peer)->keep) return;
    view = sim_look(*peer);
    handle = sim_handle(*peer);
  } else if (sim_chance(80)) {
    return;
  }
  nps_pipe *pipe;
  nps_result result = nps_pipe_adopt(handle, NULL, &pipe);
  walk_outcome(STATE_NONE, CALL_ADOPT, result, NULL);
  if (result != NPS_OK) return;
  calls__made(place, pipe, pipe->direction, view.server && !os_direct_io);
  *peer = NULL;
}

static void calls__make_poll(void) {
  walk_poll *place = &world.polls[sim_random(WALK_POLLS)];
  if (place->poll != NULL) return;
  static const uint32_t buffers[] = {0, 1, 3, 256};
  nps_poll_options options;
  (void)nps_poll_options_init(&options, sizeof options);
  options.pool_buffers = PICK(buffers);
  options.pool_buffer_size = sim_chance(80) ? 4096 : 8192;
  if (sim_chance(5)) options.pool_buffer_size = 1;
  nps_poll *poll;
  nps_result result = nps_poll_create(&options, &poll);
  walk_outcome(STATE_NONE, CALL_POLL_CREATE, result, NULL);
  if (result != NPS_OK) return;
  memset(place, 0, sizeof *place);
  place->poll = poll;
  place->serial = ++world.serial;
}

/* Chance alone would hardly ever hit the few calls of some kinds. `p` may be null. */
static void calls__aim_a_fault(const walk_pipe *p) {
  static const sim_fault faults[] = {SIM_FAULT_CONNECT, SIM_FAULT_DISCONNECT, SIM_FAULT_PORT_CREATE};
  for (uint32_t i = 0; i < sizeof faults / sizeof faults[0]; i++) sim_fault_at(faults[i], world.faults && sim_chance(25) ? 1 : 0);
  const bool no_spare = p != NULL && p->pipe->poll != NULL && p->pipe->poll->free_ops == NULL;
  sim_fault_at(SIM_FAULT_ALLOC, world.faults && sim_chance(no_spare ? 60 : 10) ? 1 : 0);
}

void walk_make(void) {
  calls__aim_a_fault(NULL);
  if (sim_chance(25)) {
    calls__make_poll();
    return;
  }
  walk_pipe *place = calls__place();
  if (place == NULL) return;
  const uint32_t what = sim_random(100);
  if (what < 45) {
    calls__create(place);
  } else if (what < 90) {
    calls__open(place);
  } else {
    calls__adopt(place);
  }
}

/* ---------------------------------------------------------------- registering */

static void calls__register(walk_pipe *p) {
  walk_poll *with = &world.polls[sim_random(WALK_POLLS)];
  walk_poll *own = walk_poll_of(p);
  if (own != NULL && sim_chance(80)) with = own;
  if (with->poll == NULL) return;
  const walk_state state = walk_state_of(p);
  const bool other = p->poll_serial != 0 ? with != own : with->closed;
  const uint32_t interest = 1 + sim_random(3);
  const uint64_t token = ((uint64_t)p->id << 32) | ++world.serial;
  nps_result result = nps_pipe_register(p->pipe, with->poll, token, interest);
  walk_outcome(state, other ? CALL_REGISTER_OTHER : CALL_REGISTER, result, p);
  if (result != NPS_OK) return;
  p->registered = p->armed_in = p->armed_out = true;
  p->closed_told = false;
  p->token = token;
  p->interest = interest;
  p->poll_serial = with->serial;
  walk_ticket_add(p);
}

static void calls__reregister(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  const uint32_t interest = 1 + sim_random(3);
  const uint64_t token = ((uint64_t)p->id << 32) | ++world.serial;
  nps_result result = nps_pipe_reregister(p->pipe, token, interest);
  walk_outcome(state, CALL_REREGISTER, result, p);
  if (result != NPS_OK) return;
  p->armed_in = p->armed_out = true;
  p->closed_told = false;
  p->token = token;
  p->interest = interest;
  walk_ticket_add(p);
}

static void calls__deregister(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  nps_result result = nps_pipe_deregister(p->pipe);
  walk_outcome(state, CALL_DEREGISTER, result, p);
  if (result == NPS_OK) p->registered = false;
}

/* ---------------------------------------------------------------- connecting */

/* A new connection: both directions are armed, and all is to be told anew. */
static void calls__connected(walk_pipe *p) {
  p->armed_in = p->armed_out = true;
  p->closed_told = false;
}

static void calls__connect(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  nps_result result = nps_pipe_connect(p->pipe);
  walk_outcome(state, CALL_CONNECT, result, p);
  if (result == NPS_OK && (state == STATE_IDLE || state == STATE_IDLE_DEREGISTERED)) calls__connected(p);
}

static void calls__disconnect(walk_pipe *p, bool listen) {
  const walk_state state = walk_state_of(p);
  nps_result result = nps_pipe_disconnect(p->pipe, listen);
  walk_outcome(state, listen ? CALL_RELISTEN : CALL_DISCONNECT, result, p);
  if (!p->server || p->pipe->os == NULL || state == STATE_LINGERING) return;
  p->armed_in = p->armed_out = p->closed_told = false;
  p->failures_told = sim_background_failures(walk_file(p));
  if (listen && result == NPS_OK) calls__connected(p);
}

/* ---------------------------------------------------------------- ending */

static void calls__close(walk_pipe *p, bool linger) {
  const walk_state state = walk_state_of(p);
  sim_file *file = walk_file(p);
  int64_t time = linger ? 1 + sim_random(60) : 0;
  if (linger && file != NULL && sim_notes_of(file) != NULL && sim_chance(20)) {
    /* Without an end only where the peer is one that this walk plays: two of ours might wait for each other. */
    for (uint32_t i = 0; i < WALK_PEERS; i++) {
      if (world.peers[i] == NULL || sim_notes_of(world.peers[i]) != sim_notes_of_peer(file)) continue;
      sim_notes_of(world.peers[i])->keep = true;
      time = NPS_FOREVER;
    }
  }
  nps_result result = nps_pipe_close(p->pipe, time);
  walk_outcome(state, linger ? CALL_CLOSE_LINGER : CALL_CLOSE, result, p);
  p->registered = false;
}

static void calls__abort(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  nps_result result = nps_pipe_abort(p->pipe);
  walk_outcome(state, CALL_ABORT, result, p);
  p->registered = false;
}

void walk_release(walk_pipe *p) {
  walk_outcome(walk_state_of(p), CALL_RELEASE, NPS_OK, p);
  nps_pipe *pipe = p->pipe;
  p->pipe = NULL;
  nps_pipe_release(pipe);
}

static void calls__export(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  intptr_t handle = -1;
  nps_result result = nps_pipe_export(p->pipe, &handle);
  walk_outcome(state, CALL_EXPORT, result, p);
  if (result != NPS_OK) return;
  sim_file *file = sim_file_of_handle(handle);
  if (file == NULL) sim_fail("the exported handle is not open");
  for (uint32_t i = 0; i < WALK_PEERS; i++) {
    if (world.peers[i] == NULL) {
      world.peers[i] = file;
      return;
    }
  }
  sim_close(file);
}

/* ---------------------------------------------------------------- asking */

static void calls__flush_state(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  const bool pending = p->pipe->os != NULL && sim_pending(p->pipe->os, OS_WRITE) > 0;
  uint64_t unsent = 77;
  nps_result result = nps_pipe_flush_state(p->pipe, &unsent);
  walk_outcome(state, CALL_FLUSH_STATE, result, p);
  if ((unsent > 0) != (nps_result_status(result) == NPS_WOULD_BLOCK)) sim_fail("flush_state contradicts itself");
  if (!world.nested && result >= 0 && (unsent > 0) != pending) sim_fail("flush_state is wrong");
  if (unsent > 0) p->armed_out = true;
}

static void calls__take_error(walk_pipe *p) {
  sim_file *file = walk_file(p);
  nps_result error = -1;
  nps_result result = nps_pipe_take_error(p->pipe, &error);
  walk_outcome(walk_state_of(p), CALL_TAKE_ERROR, result, p);
  if (error > 0) sim_fail("take_error gives what is no error");
  nps_result again = -1;
  (void)nps_pipe_take_error(p->pipe, &again);
  if (again != NPS_OK) sim_fail("C5: take_error gives an error twice");
  if (file != NULL) {
    if (error != NPS_OK && sim_background_failures(file) == 0) sim_fail("take_error gives an error, and nothing failed");
    p->failures_told = sim_background_failures(file);
  }
}

static void calls__os_handle(walk_pipe *p) {
  intptr_t handle = -1;
  nps_result result = nps_pipe_os_handle(p->pipe, &handle);
  walk_outcome(walk_state_of(p), CALL_OS_HANDLE, result, p);
  if (result == NPS_OK && sim_file_of_handle(handle) != walk_file(p)) sim_fail("os_handle gives another handle");
}

/* Ends and beginnings are common to all pipes, so that most of the time is left for what lies between. */
static const uint8_t *calls__weights(walk_state state) {
  /*                               reg re de con dis rel rd 0 wr 0 cl li ab fl er ha ex */
  static const uint8_t fresh[] = {40, 1, 1, 2, 1, 1, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1, 2};
  static const uint8_t idle[] = {3, 2, 6, 30, 3, 9, 4, 2, 4, 2, 1, 1, 1, 2, 2, 2, 2};
  static const uint8_t connecting[] = {8, 4, 5, 5, 4, 8, 5, 3, 5, 3, 1, 1, 1, 3, 3, 2, 2};
  static const uint8_t connected[] = {9, 5, 7, 4, 4, 9, 60, 3, 60, 3, 2, 3, 2, 9, 9, 3, 3};
  static const uint8_t ended[] = {8, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  switch (state) {
    case STATE_NEW_SERVER:
    case STATE_NEW_CONNECTED: return fresh;
    case STATE_IDLE:
    case STATE_IDLE_DEREGISTERED: return idle;
    case STATE_CONNECTING:
    case STATE_CONNECTING_DEREGISTERED: return connecting;
    case STATE_CONNECTED:
    case STATE_CONNECTED_DEREGISTERED:
    case STATE_GONE:
    case STATE_GONE_DEREGISTERED: return connected;
    case STATE_LINGERING:
    case STATE_CLOSED:
    case STATE_POLL_OPEN:
    case STATE_POLL_WAITING:
    case STATE_POLL_CLOSED:
    case STATE_NONE:
    case STATE_COUNT: break;
  }
  return ended;
}

/* The peer of a server goes, if it is one that this walk plays. */
static void calls__end_peer(walk_pipe *p) {
  for (uint32_t i = 0; i < WALK_PEERS; i++) {
    if (world.peers[i] == NULL || sim_notes_of(world.peers[i]) != sim_notes_of_peer(walk_file(p))) continue;
    sim_close(world.peers[i]);
    world.peers[i] = NULL;
    return;
  }
}

/* The rarest of all: faults in a disconnect whose operation the kernel keeps, while there is none to spare. */
static bool calls__rare_disconnect(walk_pipe *p) {
  const nps_pipe *pipe = p->pipe;
  if (!world.faults || !p->server || pipe->state != PIPE_CONNECTED) return false;
  const bool none_to_spare = pipe->poll != NULL && pipe->poll->free_ops == NULL && op_is_pending(pipe->in);
  if (none_to_spare && sim_chance(70)) {
    if (sim_chance(30)) calls__deregister(p);
    if (sim_chance(50)) calls__end_peer(p);
    sim_fault_at(SIM_FAULT_ALLOC, 1);
    calls__disconnect(p, true);
  } else if ((pipe->poll == NULL || !p->registered) && sim_chance(20)) {
    sim_fault_at(sim_chance(50) ? SIM_FAULT_DISCONNECT : SIM_FAULT_CONNECT, 1);
    calls__disconnect(p, sim_chance(50));
  } else {
    return false;
  }
  return true;
}

void walk_use_pipe(walk_pipe *p) {
  p->touched = p->touched || world.nested;
  calls__aim_a_fault(p);
  if (calls__rare_disconnect(p)) return;
  const uint8_t *weights = calls__weights(walk_state_of(p));
  uint32_t all = 0, what = 0;
  for (uint32_t i = 0; i < CALLS; i++) all += weights[i];
  uint32_t chosen = sim_random(all);
  while (chosen >= weights[what]) chosen -= weights[what++];
  switch (what) {
    case 0: calls__register(p); break;
    case 1: calls__reregister(p); break;
    case 2: calls__deregister(p); break;
    case 3: calls__connect(p); break;
    case 4: calls__disconnect(p, false); break;
    case 5: calls__disconnect(p, true); break;
    case 6: walk_read(p, false); break;
    case 7: walk_read(p, true); break;
    case 8: walk_write(p, false); break;
    case 9: walk_write(p, true); break;
    case 10: calls__close(p, false); break;
    case 11: calls__close(p, true); break;
    case 12: calls__abort(p); break;
    case 13: calls__flush_state(p); break;
    case 14: calls__take_error(p); break;
    case 15: calls__os_handle(p); break;
    default: calls__export(p); break;
  }
}

/* ---------------------------------------------------------------- polls */

void walk_close_poll(walk_poll *p, bool release) {
  const walk_state state = walk_state_of_poll(p);
  const uint32_t serial = p->serial;
  nps_poll *poll = p->poll;
  nps_result result = NPS_OK;
  p->closed = p->waiting = true;
  if (release) p->poll = NULL; /* nobody uses it any more */
  walk_others_may_run();
  if (release) {
    nps_poll_release(poll);
  } else {
    result = nps_poll_close(poll);
  }
  walk_others_stop();
  if (!release) {
    p->waiting = false;
    walk_outcome(state, CALL_POLL_CLOSE, result, NULL);
  }
  for (uint32_t i = 0; i < WALK_PIPES; i++) {
    walk_pipe *pipe = &world.pipes[i];
    if (pipe->pipe == NULL || pipe->poll_serial != serial) continue;
    pipe->registered = false;
    if (pipe->pipe->state != PIPE_CLOSED) sim_fail("P7: a pipe outlives its poll open");
  }
}

void walk_use_poll(walk_poll *p) {
  static const int64_t times[] = {0, 0, 0, 1, 5, 40, NPS_FOREVER};
  static const uint32_t capacities[] = {1, 2, 5, WALK_EVENTS};
  const uint32_t what = sim_random(1000);
  const walk_state state = walk_state_of_poll(p);
  if (what < 40) {
    const uint64_t token = ++world.serial;
    nps_result result = nps_poll_wake(p->poll, token);
    walk_outcome(state, CALL_POLL_WAKE, result, NULL);
    if (!p->closed) { /* a wake that failed is told all the same, by the next wait */
      p->wake_owed = true;
      p->wake_token = token;
    }
  } else if (what < (p->closed ? 100 : 42) && !world.nested) {
    walk_close_poll(p, false);
  } else if (what < (p->closed ? 300 : 43) && !world.nested) {
    walk_close_poll(p, true);
  } else {
    const int64_t time = PICK(times);
    (void)walk_wait(p, PICK(capacities), world.nested ? 0 : time);
  }
}
