/* calls.c - one random call at a time: making, registering, connecting, ending. */
#include "kernel.h"

#define CALLS 22 /* that walk_use_pipe chooses from */
#define PICK(list) ((list)[walk_random((uint32_t)(sizeof(list) / sizeof(list)[0]))])

walk_poll *walk_poll_of(const walk_pipe *p) {
  for (uint32_t i = 0; i < WALK_POLLS; i++) {
    if (world.polls[i].poll != NULL && world.polls[i].serial == p->poll_serial) return &world.polls[i];
  }
  return NULL;
}

/* ---------------------------------------------------------------- making */

static walk_pipe *calls__place(void) {
  for (uint32_t i = 0; i < WALK_PIPES; i++) {
    if (world.pipes[i].pipe == NULL) return &world.pipes[i];
  }
  return NULL;
}

static void calls__made(walk_pipe *place, nps_pipe *pipe, uint32_t name, uint32_t direction, bool server) {
  memset(place, 0, sizeof *place);
  place->pipe = pipe;
  place->id = ++world.serial;
  place->name = name;
  place->direction = direction;
  place->server = server;
  place->message = pipe->message;
  walk_made(place);
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
  const uint32_t which = walk_random(WALK_NAMES);
  options.name = walk_chance(3) ? walk_long_name() : walk_name(which);
  options.direction = walk_chance(3) ? 4 : walk_server_direction(which);
  options.mode = which == WALK_MESSAGE_NAME ? NPS_MODE_MESSAGE : NPS_MODE_BYTE;
  options.max_instances = walk_instances(which);
  options.flags = walk_chance(5) ? NPS_SERVER_FIRST_INSTANCE : 0;
  options.in_buffer_size = walk_chance(10) ? 0 : 1 + walk_random(3000);
  options.out_buffer_size = walk_chance(10) ? 0 : 1 + walk_random(3000);
  options.read_ahead = calls__ahead();
  options.write_limit = calls__limit();
  nps_pipe *pipe;
  nps_result result = nps_pipe_create(&options, &pipe);
  walk_outcome(STATE_NONE, CALL_CREATE, result, NULL);
  if (result == NPS_OK) calls__made(place, pipe, which, options.direction, true);
}

static void calls__open(walk_pipe *place) {
  nps_client_options options;
  (void)nps_client_options_init(&options, sizeof options);
  const uint32_t which = walk_random(WALK_NAMES);
  options.name = walk_chance(3) ? walk_name(WALK_NAMES) : walk_chance(3) ? walk_long_name() : walk_name(which);
  options.direction = walk_chance(3) ? 0 : walk_client_direction(which);
  options.mode = which == WALK_MESSAGE_NAME ? NPS_MODE_MESSAGE : NPS_MODE_BYTE;
  if (!os_direct_io && walk_chance(5)) options.direction = NPS_DIRECTION_DUPLEX; /* must fit the server's */
  options.timeout_ms = walk_chance(20) ? 1 + walk_random(8) : 0;
  options.read_ahead = calls__ahead();
  options.write_limit = calls__limit();
  nps_pipe *pipe;
  nps_result result = nps_pipe_open(&options, &pipe);
  walk_outcome(STATE_NONE, CALL_OPEN, result, NULL);
  if (result == NPS_OK) calls__made(place, pipe, which, options.direction, false);
}

static void calls__adopt(walk_pipe *place) {
  walk_end **peer = &world.peers[walk_random(WALK_PEERS)];
  walk_view view = {0};
  nps_pipe *pipe;
  if (*peer != NULL) {
    if ((walk_notes_of(*peer) != NULL && walk_notes_of(*peer)->keep) || !walk_peer_may_go(*peer)) return;
    view = walk_look(*peer);
  } else if (!walk_tries_odd_handle()) {
    return;
  }
  const intptr_t handle = *peer != NULL ? walk_peer_handle(*peer) : walk_odd_handle();
  nps_result result = nps_pipe_adopt(handle, NULL, &pipe);
  walk_outcome(STATE_NONE, CALL_ADOPT, result, NULL);
  if (*peer == NULL) walk_odd_handle_end(handle);
  const bool refused = result < 0 && nps_result_status(result) != NPS_E_OUT_OF_MEMORY;
  if (*peer != NULL && refused && (!view.cut || nps_result_status(result) != NPS_E_NOT_CONNECTED) && view.connected) {
    walk_fail("a peer's handle is refused: %s", nps_status_name(nps_result_status(result)));
  }
  if (result != NPS_OK) return;
  if (*peer == NULL) walk_fail("what is no pipe is adopted");
  calls__made(place, pipe, WALK_NAMES, pipe->direction, view.server && !os_direct_io);
  walk_adopted(place, *peer);
  *peer = NULL;
}

static void calls__make_poll(void) {
  walk_poll *place = &world.polls[walk_random(WALK_POLLS)];
  if (place->poll != NULL) return;
  static const uint32_t buffers[] = {0, 1, 3, 256};
  nps_poll_options options;
  (void)nps_poll_options_init(&options, sizeof options);
  options.pool_buffers = PICK(buffers);
  options.pool_buffer_size = walk_chance(80) ? 4096 : 8192;
  if (walk_chance(5)) options.pool_buffer_size = 1;
  nps_poll *poll;
  nps_result result = nps_poll_create(&options, &poll);
  walk_outcome(STATE_NONE, CALL_POLL_CREATE, result, NULL);
  if (result != NPS_OK) return;
  memset(place, 0, sizeof *place);
  place->poll = poll;
  place->serial = ++world.serial;
}

void walk_make(void) {
  walk_aim_a_fault(NULL);
  if (walk_chance(25)) {
    calls__make_poll();
    return;
  }
  walk_pipe *place = calls__place();
  if (place == NULL) return;
  const uint32_t what = walk_random(100);
  if (what < 45) {
    calls__create(place);
  } else if (what < 90) {
    calls__open(place);
  } else {
    calls__adopt(place);
  }
}

/* ---------------------------------------------------------------- registering */

/* By chance on demand. */
static uint32_t calls__interest(void) { return (1 + walk_random(3)) | (walk_chance(30) ? NPS_INTEREST_ON_DEMAND : 0); }

/* Readiness that is only taken for granted yields no event; one that a would-block was promised stays, while there is interest in it. */
static void calls__interested(walk_pipe *p, uint32_t interest, bool keeps) {
  const uint32_t both = keeps ? p->interest & interest : 0;
  p->interest = interest;
  p->on_demand = (interest & NPS_INTEREST_ON_DEMAND) != 0;
  if (!p->on_demand) p->let_be = false;
  p->closed_told = false;
  const bool owed = !walk_lets_be(p);
  p->armed_in = walk_owes_read(p) || (p->armed_in && (both & NPS_INTEREST_READABLE) != 0);
  p->armed_out = owed || (p->armed_out && (both & NPS_INTEREST_WRITABLE) != 0);
}

static void calls__register(walk_pipe *p) {
  walk_poll *with = &world.polls[walk_random(WALK_POLLS)];
  walk_poll *own = walk_poll_of(p);
  if (own != NULL && walk_chance(80)) with = own;
  if (with->poll == NULL) return;
  const walk_state state = walk_state_of(p);
  const bool other = p->poll_serial != 0 ? with != own : with->closed;
  const uint32_t interest = calls__interest();
  const uint64_t token = ((uint64_t)p->id << 32) | ++world.serial;
  nps_result result = nps_pipe_register(p->pipe, with->poll, token, interest);
  walk_outcome(state, other ? CALL_REGISTER_OTHER : CALL_REGISTER, result, p);
  if (result != NPS_OK) return;
  if (p->poll_serial == 0) p->let_be = os_direct_io && (interest & NPS_INTEREST_ON_DEMAND) != 0 && state == STATE_NEW_CONNECTED;
  calls__interested(p, interest, false);
  p->registered = true;
  p->token = token;
  p->poll_serial = with->serial;
  walk_ticket_add(p);
}

static void calls__reregister(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  const uint32_t interest = calls__interest();
  const uint64_t token = ((uint64_t)p->id << 32) | ++world.serial;
  nps_result result = nps_pipe_reregister(p->pipe, token, interest);
  walk_outcome(state, CALL_REREGISTER, result, p);
  if (result != NPS_OK) return;
  calls__interested(p, interest, p->pipe->state == PIPE_CONNECTED);
  p->token = token;
  walk_ticket_add(p);
}

void walk_deregister(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  nps_result result = nps_pipe_deregister(p->pipe);
  walk_outcome(state, CALL_DEREGISTER, result, p);
  if (result == NPS_OK) p->registered = false;
}

/* ---------------------------------------------------------------- connecting */

/* A new connection: both directions are armed, unless it is on demand, and all is to be told anew. */
static void calls__connected(walk_pipe *p) {
  p->let_be = walk_lets_be(p);
  p->armed_in = walk_owes_read(p);
  p->armed_out = !p->let_be;
  p->closed_told = false;
}

/* Not supported is what a retired instance is told, and nobody else. */
static void calls__check_retired(const walk_pipe *p, walk_state state, nps_result result) {
  const int32_t status = nps_result_status(result);
  if (status == NPS_E_CLOSED || (state != STATE_IDLE && state != STATE_IDLE_DEREGISTERED)) return;
  if (status == NPS_E_IO) return; /* of the disconnect */
  if (p->retired != (status == NPS_E_NOT_SUPPORTED)) walk_fail("C10: listening answers %s", nps_status_name(status));
}

static void calls__connect(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  nps_result result = nps_pipe_connect(p->pipe);
  walk_outcome(state, CALL_CONNECT, result, p);
  calls__check_retired(p, state, result);
  if (result == NPS_OK && (state == STATE_IDLE || state == STATE_IDLE_DEREGISTERED)) calls__connected(p);
}

void walk_disconnect(walk_pipe *p, bool listen) {
  const walk_state state = walk_state_of(p);
  nps_result result = nps_pipe_disconnect(p->pipe, listen);
  walk_outcome(state, listen ? CALL_RELISTEN : CALL_DISCONNECT, result, p);
  if (listen && p->server && state != STATE_NEW_SERVER && state != STATE_NEW_CONNECTED) calls__check_retired(p, STATE_IDLE, result);
  if (!p->server || p->pipe->os == NULL || state == STATE_LINGERING) return;
  p->armed_in = p->armed_out = p->closed_told = p->watched = p->let_be = p->shut = false;
  p->failures_told = walk_background_failures(walk_end_of(p));
  if (listen && result == NPS_OK) calls__connected(p);
}

/* ---------------------------------------------------------------- ending */

void walk_close(walk_pipe *p, bool linger) {
  const walk_state state = walk_state_of(p);
  walk_end *file = walk_end_of(p);
  int64_t time = linger ? walk_linger_time() : 0;
  if (linger && file != NULL && walk_notes_of(file) != NULL && walk_chance(20)) {
    /* Without an end only where the peer is one that this walk plays: two of ours might wait for each other. */
    for (uint32_t i = 0; i < WALK_PEERS; i++) {
      if (world.peers[i] == NULL || walk_notes_of(world.peers[i]) != walk_notes_of_peer(file)) continue;
      walk_notes_of(world.peers[i])->keep = true;
      time = NPS_FOREVER;
    }
  }
  if (linger) walk_before_linger(p);
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
  walk_end *file = result == NPS_OK ? walk_exported(p, handle) : NULL;
  walk_outcome(state, CALL_EXPORT, result, p);
  if (file == NULL) return;
  for (uint32_t i = 0; i < WALK_PEERS && !p->shut; i++) { /* who adopts it would not know that it writes no more */
    if (world.peers[i] == NULL) {
      world.peers[i] = file;
      return;
    }
  }
  walk_peer_close(file);
}

/* ---------------------------------------------------------------- asking */

static void calls__flush_state(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  uint64_t unsent = 77;
  nps_result result = nps_pipe_flush_state(p->pipe, &unsent);
  walk_outcome(state, CALL_FLUSH_STATE, result, p);
  const bool blocks = nps_result_status(result) == NPS_WOULD_BLOCK; /* with 0: for an empty message */
  if (p->message ? unsent > 0 && !blocks : (unsent > 0) != blocks) walk_fail("flush_state contradicts itself");
  walk_check_flushed(p, result, unsent);
  if (blocks) p->armed_out = true;
}

static void calls__take_error(walk_pipe *p) {
  walk_end *file = walk_end_of(p);
  nps_result error = -1;
  nps_result result = nps_pipe_take_error(p->pipe, &error);
  walk_outcome(walk_state_of(p), CALL_TAKE_ERROR, result, p);
  if (error > 0) walk_fail("take_error gives what is no error");
  nps_result again = -1;
  (void)nps_pipe_take_error(p->pipe, &again);
  if (again != NPS_OK) walk_fail("C5: take_error gives an error twice");
  if (file != NULL) {
    if (error != NPS_OK && !walk_may_have_failed(file)) walk_fail("take_error gives an error, and nothing failed");
    p->failures_told = walk_background_failures(file);
  }
}

static void calls__os_handle(walk_pipe *p) {
  intptr_t handle = -1;
  nps_result result = nps_pipe_os_handle(p->pipe, &handle);
  walk_outcome(walk_state_of(p), CALL_OS_HANDLE, result, p);
  if (result == NPS_OK && !walk_is_handle_of(p, handle)) walk_fail("os_handle gives another handle");
}

/* Ends and beginnings are common to all pipes, so that most of the time is left for what lies between. */
static const uint8_t *calls__weights(const walk_pipe *p, walk_state state) {
  /*                               reg re de con dis rel rd 0 wr 0 cl li ab fl er ha ex pe sh dr in rt */
  static const uint8_t fresh[] = {40, 1, 1, 2, 1, 1, 3, 1, 3, 1, 1, 1, 1, 1, 1, 1, 2, 3, 2, 3, 1, 1};
  static const uint8_t idle[] = {3, 2, 6, 30, 3, 9, 6, 3, 6, 3, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 1, 1};
  static const uint8_t retired[] = {4, 1, 4, 6, 1, 10, 1, 1, 1, 1, 4, 2, 4, 1, 1, 1, 1, 1, 1, 1, 1, 8}; /* nothing else is left for it to do */
  static const uint8_t connecting[] = {8, 4, 5, 5, 4, 8, 7, 3, 7, 3, 1, 1, 1, 3, 3, 2, 2, 3, 3, 3, 1, 1};
  static const uint8_t connected[] = {9, 5, 7, 4, 4, 9, 60, 6, 60, 6, 2, 3, 2, 9, 9, 3, 3, 12, 3, 6, 2, 1};
  static const uint8_t ended[] = {8, 1, 1, 1, 1, 1, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1};
  switch (state) {
    case STATE_NEW_SERVER:
    case STATE_NEW_CONNECTED: return fresh;
    case STATE_IDLE:
    case STATE_IDLE_DEREGISTERED: return p->retired ? retired : idle;
    case STATE_CONNECTING:
    case STATE_CONNECTING_DEREGISTERED: return connecting;
    case STATE_CONNECTED:
    case STATE_CONNECTED_DEREGISTERED:
    case STATE_GONE:
    case STATE_GONE_DEREGISTERED:
    case STATE_LET_BE:
    case STATE_LET_BE_GONE: return connected;
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

void walk_use_pipe(walk_pipe *p) {
  p->touched = p->touched || world.nested;
  walk_aim_a_fault(p);
  if (walk_call_rarely(p)) return;
  const uint8_t *weights = calls__weights(p, walk_state_of(p));
  uint32_t all = 0, what = 0;
  for (uint32_t i = 0; i < CALLS; i++) all += weights[i];
  uint32_t chosen = walk_random(all);
  while (chosen >= weights[what]) chosen -= weights[what++];
  switch (what) {
    case 0: calls__register(p); break;
    case 1: calls__reregister(p); break;
    case 2: walk_deregister(p); break;
    case 3: calls__connect(p); break;
    case 4: walk_disconnect(p, false); break;
    case 5: walk_disconnect(p, true); break;
    case 6: walk_read(p, false); break;
    case 7: walk_read(p, true); break;
    case 8: walk_write(p, false); break;
    case 9: walk_write(p, true); break;
    case 10: walk_close(p, false); break;
    case 11: walk_close(p, true); break;
    case 12: calls__abort(p); break;
    case 13: calls__flush_state(p); break;
    case 14: calls__take_error(p); break;
    case 15: calls__os_handle(p); break;
    case 16: calls__export(p); break;
    case 17: walk_peek(p); break;
    case 18: walk_shutdown(p); break;
    case 19: walk_drain_state(p); break;
    case 20: walk_info(p); break;
    default: walk_retire(p); break;
  }
}

/* ---------------------------------------------------------------- polls */

void walk_close_poll(walk_poll *p, bool release) {
  const walk_state state = walk_state_of_poll(p);
  const uint32_t serial = p->serial;
  nps_poll *poll = p->poll;
  nps_result result = NPS_OK;
  walk_before_close(p, release);
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
    if (pipe->pipe->state != PIPE_CLOSED) walk_fail("P7: a pipe outlives its poll open");
  }
}

void walk_use_poll(walk_poll *p) {
  static const uint32_t capacities[] = {1, 2, 5, WALK_EVENTS};
  const uint32_t what = walk_random(1000);
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
    const int64_t time = walk_wait_time(p);
    (void)walk_wait(p, PICK(capacities), world.nested ? 0 : time);
  }
}
