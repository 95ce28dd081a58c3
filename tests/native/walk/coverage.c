/* coverage.c - the reference for outcomes: which answer each call may give in each state; and how often each was met. */
#include "kernel.h"

#include <stdio.h>

#define STATUSES 22u
#define BIT WALK_OUTCOME

#define OK BIT(NPS_OK)
#define WOULD_BLOCK BIT(NPS_WOULD_BLOCK)
#define END BIT(NPS_END_OF_STREAM)
#define CLOSED BIT(NPS_E_CLOSED)
#define NOT_REGISTERED BIT(NPS_E_NOT_REGISTERED)
#define ALREADY BIT(NPS_E_ALREADY_REGISTERED)
#define NOT_SUPPORTED BIT(NPS_E_NOT_SUPPORTED)
#define NOT_CONNECTED BIT(NPS_E_NOT_CONNECTED)
#define BROKEN BIT(NPS_E_BROKEN_PIPE)
#define NO_MEMORY BIT(NPS_E_OUT_OF_MEMORY)
#define NO_HANDLES BIT(NPS_E_TOO_MANY_HANDLES)
#define IO BIT(NPS_E_IO)
#define BUSY BIT(NPS_E_PIPE_BUSY)
#define DENIED BIT(NPS_E_ACCESS_DENIED)
#define INVALID BIT(NPS_E_INVALID_ARGUMENT)
#define TOO_LONG BIT(NPS_E_NAME_TOO_LONG)
#define NOT_FOUND BIT(NPS_E_NOT_FOUND)
#define WAIT_BUSY BIT(NPS_E_WAIT_BUSY)
#define NOT_A_PIPE BIT(NPS_E_NOT_A_PIPE)
#define NOT_OVERLAPPED BIT(NPS_E_NOT_OVERLAPPED)

static const char *const coverage__states[STATE_COUNT] = {
    "new server", "new connected", "idle", "idle, deregistered", "connecting", "connecting, deregistered", "connected",
    "connected, deregistered", "peer gone", "peer gone, deregistered", "lingering", "closed", "poll open", "poll waiting",
    "poll closed", "-"};

static const char *const coverage__calls[CALL_COUNT] = {
    "register", "register with another", "reregister", "deregister", "connect", "disconnect", "disconnect and listen", "read",
    "read of 0", "write", "write of 0", "close", "close, linger", "abort", "release", "flush_state", "take_error", "os_handle",
    "export", "wait", "wake", "poll close", "poll create", "create", "open", "adopt"};

static uint64_t coverage__counts[STATE_COUNT][CALL_COUNT][STATUSES];

/* ---------------------------------------------------------------- states */

walk_state walk_state_of(const walk_pipe *p) {
  const nps_pipe *pipe = p->pipe;
  const bool gone_from_list = !p->registered;
  switch ((pipe_state)pipe->state) {
    case PIPE_LINGERING: return STATE_LINGERING;
    case PIPE_CLOSED: return STATE_CLOSED;
    case PIPE_IDLE:
      if (pipe->poll == NULL) return STATE_NEW_SERVER;
      return gone_from_list ? STATE_IDLE_DEREGISTERED : STATE_IDLE;
    case PIPE_CONNECTING: return gone_from_list ? STATE_CONNECTING_DEREGISTERED : STATE_CONNECTING;
    case PIPE_CONNECTED: break;
  }
  if (pipe->poll == NULL) return STATE_NEW_CONNECTED;
  const walk_view view = walk_look(walk_end_of(p));
  const bool broken = (p->direction & NPS_DIRECTION_OUT) != 0 && view.peer_broken;
  if (view.peer_done || broken) return gone_from_list ? STATE_GONE_DEREGISTERED : STATE_GONE;
  return gone_from_list ? STATE_CONNECTED_DEREGISTERED : STATE_CONNECTED;
}

walk_state walk_state_of_poll(const walk_poll *p) {
  return p->closed ? STATE_POLL_CLOSED : p->waiting ? STATE_POLL_WAITING : STATE_POLL_OPEN;
}

/* ---------------------------------------------------------------- what may be answered */

static bool coverage__is_deregistered(walk_state state) {
  return state == STATE_IDLE_DEREGISTERED || state == STATE_CONNECTING_DEREGISTERED || state == STATE_CONNECTED_DEREGISTERED ||
         state == STATE_GONE_DEREGISTERED;
}

static bool coverage__is(walk_state state, walk_state base) { return state == base || (int)state == (int)base + 1; }

static uint32_t coverage__registration(walk_state state, walk_call call) {
  const bool fresh = state == STATE_NEW_SERVER || state == STATE_NEW_CONNECTED;
  const bool off = coverage__is_deregistered(state);
  if (call == CALL_REGISTER) return fresh ? OK | NO_MEMORY : off ? OK : ALREADY;
  if (call == CALL_REGISTER_OTHER) return fresh ? CLOSED : ALREADY;
  return fresh || off ? NOT_REGISTERED : OK;
}

static uint32_t coverage__connect(walk_state state) {
  if (state == STATE_NEW_SERVER || state == STATE_NEW_CONNECTED) return WOULD_BLOCK;
  /* Memory: for an operation, where the last one is still the system's. */
  if (coverage__is(state, STATE_IDLE)) return OK | WOULD_BLOCK | NO_HANDLES | NO_MEMORY;
  return coverage__is(state, STATE_CONNECTING) ? WOULD_BLOCK : OK;
}

static uint32_t coverage__disconnect(walk_state state) {
  if (state == STATE_NEW_SERVER || coverage__is(state, STATE_IDLE)) return OK;
  if (state == STATE_NEW_CONNECTED) return os_direct_io ? NOT_SUPPORTED : OK | NOT_SUPPORTED | IO;
  return coverage__is(state, STATE_CONNECTING) ? OK | IO : OK | NOT_SUPPORTED | IO;
}

static uint32_t coverage__relisten(walk_state state) {
  if (state == STATE_NEW_SERVER) return WOULD_BLOCK;
  if (state == STATE_NEW_CONNECTED) return os_direct_io ? NOT_SUPPORTED : WOULD_BLOCK | NOT_SUPPORTED | IO;
  if (coverage__is(state, STATE_IDLE)) return coverage__connect(state);
  /* Only a backlog has a client at once. */
  const uint32_t again = (os_direct_io ? OK : 0) | WOULD_BLOCK | NO_HANDLES | NO_MEMORY;
  return again | (coverage__disconnect(state) & ~OK);
}

static uint32_t coverage__connection(walk_state state, walk_call call) {
  if (call == CALL_CONNECT) return coverage__connect(state);
  return call == CALL_DISCONNECT ? coverage__disconnect(state) : coverage__relisten(state);
}

static uint32_t coverage__bytes(walk_state state, walk_call call) {
  if (state == STATE_NEW_SERVER || state == STATE_NEW_CONNECTED) return WOULD_BLOCK;
  if (coverage__is(state, STATE_IDLE)) return NOT_CONNECTED | NOT_SUPPORTED;
  if (coverage__is(state, STATE_CONNECTING)) return WOULD_BLOCK | NOT_SUPPORTED;
  const bool gone = coverage__is(state, STATE_GONE);
  switch (call) {
    case CALL_READ: return OK | WOULD_BLOCK | NOT_SUPPORTED | IO | (gone ? END : 0);
    case CALL_WRITE:
      return OK | WOULD_BLOCK | NOT_SUPPORTED | IO | NO_MEMORY | (gone ? BROKEN : 0);
    default: return OK | NOT_SUPPORTED;
  }
}

static uint32_t coverage__ending(walk_state state, walk_call call) {
  const bool live = coverage__is(state, STATE_CONNECTED) || coverage__is(state, STATE_GONE);
  const bool fresh = state == STATE_NEW_SERVER || state == STATE_NEW_CONNECTED;
  const bool buffered = !os_direct_io;
  switch (call) {
    case CALL_CLOSE_LINGER:
    case CALL_FLUSH_STATE: return OK | (live && buffered ? WOULD_BLOCK : 0);
    case CALL_OS_HANDLE: return live || buffered || state == STATE_NEW_CONNECTED ? OK : NOT_CONNECTED;
    case CALL_EXPORT: return !fresh ? ALREADY : buffered || state == STATE_NEW_CONNECTED ? OK : NOT_SUPPORTED;
    default: return OK;
  }
}

static uint32_t coverage__pipe(walk_state state, walk_call call) {
  if (state == STATE_LINGERING && os_direct_io) return 0;
  if (call == CALL_RELEASE || call == CALL_TAKE_ERROR) return OK;
  if (state == STATE_CLOSED) return CLOSED;
  if (state == STATE_LINGERING) return call == CALL_ABORT ? OK : call == CALL_FLUSH_STATE ? WOULD_BLOCK : CLOSED;
  if (call <= CALL_DEREGISTER) return coverage__registration(state, call);
  if (call <= CALL_RELISTEN) return coverage__connection(state, call);
  if (call <= CALL_WRITE_NOTHING) return coverage__bytes(state, call);
  return coverage__ending(state, call);
}

static uint32_t coverage__poll(walk_state state, walk_call call) {
  if (state == STATE_POLL_CLOSED) return CLOSED;
  if (call == CALL_POLL_WAIT) return state == STATE_POLL_WAITING ? WAIT_BUSY : OK | NO_MEMORY;
  if (call == CALL_POLL_WAKE) return state == STATE_POLL_WAITING ? OK | NO_MEMORY : OK;
  return state == STATE_POLL_WAITING ? 0 : OK;
}

static uint32_t coverage__model(walk_state state, walk_call call) {
  const bool of_poll = call == CALL_POLL_WAIT || call == CALL_POLL_WAKE || call == CALL_POLL_CLOSE;
  if (state == STATE_NONE) {
    const uint32_t made = OK | NO_MEMORY | NO_HANDLES | INVALID;
    switch (call) {
      case CALL_POLL_CREATE: return made;
      case CALL_CREATE: return made | BUSY | DENIED | TOO_LONG;
      case CALL_OPEN: return made | BUSY | NOT_FOUND | TOO_LONG | (os_direct_io ? 0 : DENIED);
      case CALL_ADOPT: return OK | NO_MEMORY | INVALID | NOT_A_PIPE | NOT_CONNECTED | (os_direct_io ? 0 : NOT_OVERLAPPED);
      default: return 0;
    }
  }
  if (state >= STATE_POLL_OPEN) return of_poll ? coverage__poll(state, call) : 0;
  return call < CALL_POLL_WAIT ? coverage__pipe(state, call) : 0;
}

static uint32_t coverage__allowed(walk_state state, walk_call call) {
  return coverage__model(state, call) & ~walk_impossible(state, call);
}

void walk_outcome(walk_state state, walk_call call, nps_result result, const walk_pipe *p) {
  const int32_t status = nps_result_status(result);
  if (status < NPS_E_IO || status > NPS_MORE_DATA) walk_fail("a status that does not exist: %d", status);
  coverage__counts[state][call][status - NPS_E_IO]++;
  world.steps++;
  if ((coverage__allowed(state, call) & BIT(status)) == 0) {
    walk_fail("%s, %s: answers %s", coverage__states[state], coverage__calls[call], nps_status_name(status));
  }
  const bool reads = call == CALL_READ || call == CALL_READ_NOTHING, writes = call == CALL_WRITE || call == CALL_WRITE_NOTHING;
  walk_sync();
  if (p == NULL || status != NPS_E_NOT_SUPPORTED || (!reads && !writes)) return;
  if ((p->direction & (uint32_t)(reads ? NPS_DIRECTION_IN : NPS_DIRECTION_OUT)) != 0) {
    walk_fail("%s is not supported in a direction that the pipe has", coverage__calls[call]);
  }
}

/* ---------------------------------------------------------------- the table */

static uint32_t coverage__print_outcomes(walk_state state, walk_call call, uint32_t least) {
  uint32_t missed = 0;
  for (uint32_t i = 0; i < STATUSES; i++) {
    if ((coverage__allowed(state, call) & 1u << i) == 0) continue;
    const uint64_t count = coverage__counts[state][call][i];
    const bool demanded = (walk_rare(state, call) & 1u << i) == 0;
    const char *mark = !demanded ? " (rare)" : count < least ? " (!)" : "";
    printf("  %s %llu%s", nps_status_name((int32_t)i + NPS_E_IO), (unsigned long long)count, mark);
    missed += demanded && count < least;
  }
  return missed;
}

uint32_t walk_print_coverage(uint32_t least) {
  uint32_t missed = 0, cells = 0;
  for (uint32_t state = 0; state < STATE_COUNT; state++) {
    for (uint32_t call = 0; call < CALL_COUNT; call++) {
      const uint32_t allowed = coverage__allowed((walk_state)state, (walk_call)call);
      if (allowed == 0) continue;
      printf("%-26s %-22s", coverage__states[state], coverage__calls[call]);
      missed += coverage__print_outcomes((walk_state)state, (walk_call)call, least);
      printf("\n");
      const uint32_t demanded = allowed & ~walk_rare((walk_state)state, (walk_call)call);
      for (uint32_t i = 0; i < STATUSES; i++) cells += demanded >> i & 1;
    }
  }
  printf("coverage: %u combinations of state, call and outcome, %u met less than %u times\n", cells, missed, least);
  return missed;
}
