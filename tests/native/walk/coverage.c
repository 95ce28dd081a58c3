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
#define MORE BIT(NPS_MORE_DATA)
#define NOT_OVERLAPPED BIT(NPS_E_NOT_OVERLAPPED)

static const char *const coverage__states[STATE_COUNT] = {
    "new server", "new connected", "idle", "idle, deregistered", "connecting", "connecting, deregistered", "connected",
    "connected, deregistered", "peer gone", "peer gone, deregistered", "let be", "let be, peer gone", "lingering", "closed", "poll open", "poll waiting",
    "poll closed", "-"};

static const char *const coverage__calls[CALL_COUNT] = {
    "register", "register with another", "reregister", "deregister", "connect", "disconnect", "disconnect and listen", "read",
    "read vector", "read of 0", "write", "write vector", "write of 0", "message read", "message read vector", "message read of 0",
    "message write", "message write vector", "empty message", "peek", "message peek", "shutdown", "message shutdown",
    "drain_state", "message drain_state", "info", "retire", "close", "close, linger", "abort", "release", "flush_state", "take_error", "os_handle",
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
  const bool broken = (p->direction & NPS_DIRECTION_OUT) != 0 && view.peer_broken && !p->shut;
  const bool let_be = p->registered && pipe_lets_be(pipe);
  if (let_be) return view.peer_done || broken ? STATE_LET_BE_GONE : STATE_LET_BE;
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
  if (coverage__is(state, STATE_IDLE)) return OK | WOULD_BLOCK | NO_HANDLES | NO_MEMORY | NOT_SUPPORTED;
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

/* Message pipes go both ways. */
static uint32_t coverage__bytes(walk_state state, walk_call call) {
  if (state == STATE_NEW_SERVER || state == STATE_NEW_CONNECTED) return WOULD_BLOCK;
  const uint32_t other_way = call < CALL_MESSAGE_READ ? NOT_SUPPORTED : 0;
  if (coverage__is(state, STATE_IDLE)) return NOT_CONNECTED | other_way;
  if (coverage__is(state, STATE_CONNECTING)) return WOULD_BLOCK | other_way;
  const bool gone = coverage__is(state, STATE_GONE);
  const uint32_t read = OK | WOULD_BLOCK | other_way | IO | (gone ? END : 0);
  /* Closed: only a half-close says so, which no byte pipe of Windows can. */
  const uint32_t shut = os_direct_io || other_way == 0 ? CLOSED : 0;
  const uint32_t write = OK | WOULD_BLOCK | other_way | IO | NO_MEMORY | shut | (gone ? BROKEN : 0);
  switch (call) {
    case CALL_READ:
    case CALL_READ_VECTOR: return read;
    case CALL_MESSAGE_READ:
    case CALL_MESSAGE_READ_VECTOR:
    case CALL_MESSAGE_READ_NOTHING: return read | MORE;
    case CALL_WRITE:
    case CALL_WRITE_VECTOR:
    case CALL_MESSAGE_WRITE_NOTHING: return write;
    case CALL_MESSAGE_WRITE:
    case CALL_MESSAGE_WRITE_VECTOR: return write | INVALID;
    default: return OK | NOT_SUPPORTED;
  }
}

static uint32_t coverage__shutdown(bool message, bool fresh, bool gone) {
  if (!message && !os_direct_io) return NOT_SUPPORTED | (fresh ? 0 : IO | (gone ? BROKEN : 0));
  const uint32_t other_way = message ? 0 : NOT_SUPPORTED;
  if (fresh) return os_direct_io ? OK | CLOSED | IO | other_way : WOULD_BLOCK;
  const uint32_t by_message = os_direct_io ? 0 : WOULD_BLOCK | NO_MEMORY;
  return OK | CLOSED | IO | other_way | by_message | (gone ? BROKEN : 0);
}

static uint32_t coverage__question(walk_state state, walk_call call) {
  const bool fresh = state == STATE_NEW_CONNECTED, gone = coverage__is(state, STATE_GONE);
  if (call == CALL_INFO) return OK;
  if (!fresh && !gone && !coverage__is(state, STATE_CONNECTED)) return NOT_CONNECTED;
  switch (call) {
    case CALL_PEEK: return OK | WOULD_BLOCK | NOT_SUPPORTED | (fresh ? END : IO) | (gone ? END : 0);
    case CALL_MESSAGE_PEEK: return OK | WOULD_BLOCK | (fresh ? END : IO) | (gone ? END : 0);
    case CALL_SHUTDOWN: return coverage__shutdown(false, fresh, gone);
    case CALL_MESSAGE_SHUTDOWN: return coverage__shutdown(true, fresh, gone);
    case CALL_DRAIN_STATE:
    case CALL_MESSAGE_DRAIN_STATE:
      if (!os_direct_io) return NOT_SUPPORTED;
      return OK | WOULD_BLOCK | (call == CALL_DRAIN_STATE ? NOT_SUPPORTED : 0) | (gone || fresh ? BROKEN : 0);
    default: return 0;
  }
}

static uint32_t coverage__retire(walk_state state) {
  if (coverage__is(state, STATE_CONNECTING)) return NOT_CONNECTED;
  if (state == STATE_NEW_SERVER) return NOT_CONNECTED | (os_direct_io ? 0 : OK); /* adopted with a client, retired, disconnected */
  if (coverage__is(state, STATE_IDLE)) return NOT_CONNECTED | OK; /* it was retired before */
  return state == STATE_NEW_CONNECTED && os_direct_io ? NOT_SUPPORTED : OK | NOT_SUPPORTED;
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
  if (state == STATE_LET_BE || state == STATE_LET_BE_GONE) {
    if (!os_direct_io) return 0;
    state = state == STATE_LET_BE ? STATE_CONNECTED : STATE_GONE;
  }
  if (state == STATE_LINGERING && os_direct_io) return 0;
  if (call == CALL_RELEASE || call == CALL_TAKE_ERROR) return OK;
  if (state == STATE_CLOSED) return CLOSED;
  if (state == STATE_LINGERING) return call == CALL_ABORT ? OK : call == CALL_FLUSH_STATE ? WOULD_BLOCK : CLOSED;
  if (call <= CALL_DEREGISTER) return coverage__registration(state, call);
  if (call <= CALL_RELISTEN) return coverage__connection(state, call);
  if (call <= CALL_MESSAGE_WRITE_NOTHING) return coverage__bytes(state, call);
  if (call <= CALL_INFO) return coverage__question(state, call);
  if (call == CALL_RETIRE) return coverage__retire(state);
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

/* Of what takes two chances at once a twentieth is demanded. */
static uint32_t coverage__seldom(walk_state state, walk_call call) {
  const bool let_be = state == STATE_LET_BE || state == STATE_LET_BE_GONE;
  const bool vector = call == CALL_READ_VECTOR || call == CALL_WRITE_VECTOR;
  if (state == STATE_LINGERING) return CLOSED;
  if (call == CALL_RETIRE) return UINT32_MAX;
  if ((call == CALL_CONNECT || call == CALL_RELISTEN) && coverage__is(state, STATE_IDLE)) return NOT_SUPPORTED; /* of a retired one */
  if (!let_be && !vector && (call < CALL_MESSAGE_READ || call > CALL_INFO)) return 0;
  const bool empty = call == CALL_MESSAGE_READ_NOTHING || call == CALL_MESSAGE_WRITE_NOTHING || call == CALL_MESSAGE_SHUTDOWN;
  const bool message = call >= CALL_MESSAGE_READ && call <= CALL_MESSAGE_WRITE_NOTHING;
  if (empty || (let_be && message) || (state != STATE_CONNECTED && state != STATE_LET_BE)) return UINT32_MAX;
  return IO | NO_MEMORY | NO_HANDLES | CLOSED | BROKEN;
}

static uint32_t coverage__demand(walk_state state, walk_call call, uint32_t outcome, uint32_t least) {
  if ((walk_rare(state, call) & outcome) != 0) return 0;
  if (call == CALL_RETIRE && state == STATE_NEW_SERVER && outcome == OK) return 0;
  return (coverage__seldom(state, call) & outcome) != 0 ? least / 20 : least;
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
  const bool reads = (call >= CALL_READ && call <= CALL_READ_NOTHING) || call == CALL_PEEK;
  const bool writes = (call >= CALL_WRITE && call <= CALL_WRITE_NOTHING) || (os_direct_io && (call == CALL_SHUTDOWN || call == CALL_DRAIN_STATE));
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
    const uint32_t demand = coverage__demand(state, call, 1u << i, least);
    const char *mark = demand == 0 ? " (rare)" : count < demand ? " (!)" : "";
    printf("  %s %llu%s", nps_status_name((int32_t)i + NPS_E_IO), (unsigned long long)count, mark);
    missed += count < demand;
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
      for (uint32_t i = 0; i < STATUSES; i++) {
        const bool can = (allowed & 1u << i) != 0;
        cells += can && coverage__demand((walk_state)state, (walk_call)call, 1u << i, least) != 0;
      }
    }
  }
  printf("coverage: %u combinations of state, call and outcome, %u met less than %u times (of a rare one %u)\n", cells, missed, least, least / 20);
  return missed;
}
