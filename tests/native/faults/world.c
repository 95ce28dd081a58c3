#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sys.h"

_Noreturn void world_fail(const char *file, int line, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  fault_describe();
  test_fail(file, line, "%s", text);
}

void world_excuse(world *w, nps_result result, const char *file, int line, const char *text) {
  if (!fault_explains(result)) {
    world_fail(
        file, line, "%s: %s, detail %u", text, nps_status_name(nps_result_status(result)), nps_result_detail(result));
  }
  fault_lift();
  if (++w->excuses > fault_fired()) {
    world_fail(file, line, "%s failed %u times, after %u faults", text, w->excuses, fault_fired());
  }
}

bool world_lost(world *w, const char *file, int line) {
  fault_lift();
  if (++w->losses > fault_fired()) {
    world_fail(file, line, "%u connections were lost, after %u faults", w->losses, fault_fired());
  }
  return false;
}

/* ---- making and ending ---- */

void world_open(world *w, const nps_poll_options *options) {
  memset(w, 0, sizeof *w);
  WORLD_OK(w, nps_poll_create(options, &w->poll));
}

void world_close(world *w) {
  fault_set_closing(true);
  nps_result result = nps_poll_close(w->poll);
  if (result != NPS_OK) {
    WORLD_FAIL("closing the poll: %s", nps_status_name(nps_result_status(result)));
  }
  nps_poll_release(w->poll);
  w->poll = NULL;
  fault_set_closing(false);
}

nps_pipe *world_server(world *w, const nps_server_options *options) {
  nps_pipe *pipe = NULL;
  WORLD_OK(w, nps_pipe_create(options, &pipe));
  return pipe;
}

nps_pipe *world_client(world *w, const nps_client_options *options) {
  nps_pipe *pipe = NULL;
  for (;;) {
    nps_result result = nps_pipe_open(options, &pipe);
    if (result == NPS_OK) {
      return pipe;
    }
    if (nps_result_status(result) == NPS_E_PIPE_BUSY && !fault_explains(result)) {
      (void)WORLD_LOST(w); /* Windows: the client that a fault has ended is in the one instance */
      return NULL;
    }
    world_excuse(w, result, __FILE__, __LINE__, "nps_pipe_open");
  }
}

void world_register(world *w, nps_pipe *pipe, nps_poll *poll, uint64_t token, uint32_t interest) {
  w->seen[token] = 0;
  WORLD_OK(w, nps_pipe_register(pipe, poll, token, interest));
}

void world_last_look(nps_pipe *pipe) {
  char byte;
  size_t count;
  nps_result error = NPS_OK;
  (void)fault_explains(nps_pipe_read(pipe, &byte, 1, &count));
  WORLD_REQUIRE(nps_pipe_take_error(pipe, &error) == NPS_OK);
  (void)fault_explains(error);
}

void world_disconnect(world *w, nps_pipe *pipe) {
  world_last_look(pipe);
  fault_set_closing(true);
  WORLD_OK(w, nps_pipe_disconnect(pipe, 0));
  fault_set_closing(false);
}

void world_drain(world *w, nps_pipe *pipe) {
  nps_result result = NPS_OK;
  while (result == NPS_OK) {
    world_disconnect(w, pipe);
    WORLD_TRY(w, result, NPS_WOULD_BLOCK, nps_pipe_connect(pipe));
  }
}

void world_end(nps_pipe *pipe) {
  if (pipe == NULL) {
    return;
  }
  world_last_look(pipe);
  fault_set_closing(true);
  nps_result result = nps_pipe_abort(pipe);
  WORLD_REQUIRE(result == NPS_OK || nps_result_status(result) == NPS_E_CLOSED);
  nps_pipe_release(pipe);
  fault_set_closing(false);
}

/* ---- waiting ---- */

uint32_t world_pump(world *w, nps_poll *poll, int64_t timeout_ms) {
  nps_event events[WORLD_TOKENS] = {0};
  uint32_t count = 0;
  WORLD_OK(w, nps_poll_wait(poll, events, WORLD_TOKENS, timeout_ms, &count));
  for (uint32_t i = 0; i < count; i++) {
    WORLD_REQUIRE(events[i].token < WORLD_TOKENS);
    w->seen[events[i].token] |= events[i].readiness;
  }
  return count;
}

uint32_t world_await_on(world *w, nps_poll *poll, uint64_t token, uint32_t bits) {
  uint64_t deadline = sys_now_ms() + WORLD_DEADLINE_MS;
  while ((w->seen[token] & bits) == 0) {
    uint64_t now = sys_now_ms();
    if (now >= deadline || (world_pump(w, poll, (int64_t)(deadline - now)) == 0 && sys_now_ms() >= deadline)) {
      WORLD_FAIL("stuck: no event %u for token %u (seen: %u)", bits, (unsigned)token, w->seen[token]);
    }
  }
  uint32_t got = w->seen[token] & bits;
  w->seen[token] &= ~bits;
  return got;
}

uint32_t world_await(world *w, uint64_t token, uint32_t bits) {
  return world_await_on(w, w->poll, token, bits);
}

void world_take_error(world *w, nps_pipe *pipe) {
  nps_result error = NPS_OK;
  nps_result result = nps_pipe_take_error(pipe, &error);
  WORLD_REQUIRE(result == NPS_OK);
  if (error != NPS_OK) {
    world_excuse(w, error, __FILE__, __LINE__, "take_error");
    WORLD_REQUIRE(nps_pipe_take_error(pipe, &error) == NPS_OK);
    if (error != NPS_OK) { /* it may strike again at once */
      world_excuse(w, error, __FILE__, __LINE__, "take_error again");
    }
  }
}

/* An event of either poll, within the deadline. */
static void world__pump_any(world *w) {
  uint64_t deadline = sys_now_ms() + WORLD_DEADLINE_MS;
  uint32_t got = 0;
  while (got == 0) {
    got = world_pump(w, w->poll, w->other == NULL ? WORLD_DEADLINE_MS : 0);
    if (got == 0 && w->other != NULL) {
      got = world_pump(w, w->other, 1); /* two polls in one thread: they are looked at in turn */
    }
    if (got == 0 && sys_now_ms() >= deadline) {
      WORLD_FAIL("stuck: no event comes");
    }
  }
}

static bool world__missed(const world *w, uint64_t client_token) {
  return (w->seen[client_token] & NPS_CLOSED) != 0 || (w->rival != 0 && (w->seen[w->rival] & NPS_WRITABLE) != 0);
}

/* One of the server's events; 0 if the client was turned away, or went to another instance. */
static uint32_t world__await_client(world *w, uint64_t token, uint64_t client_token) {
  const uint32_t bits = NPS_WRITABLE | NPS_ERROR;
  while ((w->seen[token] & bits) == 0 && !world__missed(w, client_token)) {
    world__pump_any(w);
  }
  uint32_t got = w->seen[token] & bits;
  w->seen[token] &= ~bits;
  return got;
}

bool world_connect(world *w, uint64_t token, nps_pipe *pipe, uint64_t client_token) {
  for (;;) {
    nps_result result;
    WORLD_TRY(w, result, NPS_WOULD_BLOCK, nps_pipe_connect(pipe));
    if (result == NPS_OK) {
      world_take_error(w, pipe); /* a connect before this one may have failed */
      return true;
    }
    uint32_t got = world__await_client(w, token, client_token);
    if ((got & NPS_ERROR) != 0) {
      world_take_error(w, pipe);
    } else if (got == 0) {
      return WORLD_LOST(w);
    }
  }
}

/* ---- I/O ---- */

typedef enum step { STEP_MOVED, STEP_BLOCKED, STEP_LOST } step;

/* What a read or a write that did not move a byte means. */
static step world__failed(world *w, nps_pipe *pipe, nps_result result, const char *what) {
  nps_result background = NPS_OK;
  switch (nps_result_status(result)) {
  case NPS_WOULD_BLOCK:
    return STEP_BLOCKED;
  case NPS_E_OUT_OF_MEMORY: /* nothing was moved, and nothing is lost: the same call may do next time; unless accepted bytes were lost */
    world_excuse(w, result, __FILE__, __LINE__, what);
    WORLD_REQUIRE(nps_pipe_take_error(pipe, &background) == NPS_OK);
    if (background == NPS_OK) {
      return STEP_MOVED;
    }
    WORLD_REQUIRE(fault_explains(background));
    (void)WORLD_LOST(w);
    return STEP_LOST;
  case NPS_END_OF_STREAM:
  case NPS_E_BROKEN_PIPE: /* the other end may be the one that the fault struck */
    (void)fault_explains(result);
    (void)WORLD_LOST(w);
    return STEP_LOST;
  default:
    world_excuse(w, result, __FILE__, __LINE__, what);
    (void)WORLD_LOST(w);
    return STEP_LOST;
  }
}

static step world__write(world *w, const world_way *way, size_t *sent) {
  char memory[16384];
  size_t size = way->size - *sent < way->chunk ? way->size - *sent : way->chunk;
  size_t count = 0;
  pattern_fill(memory, size, way->seed, *sent);
  nps_result result = nps_pipe_write(way->from, memory, size, &count);
  WORLD_REQUIRE(count <= size && (result == NPS_OK) == (count > 0));
  *sent += count;
  return result == NPS_OK ? STEP_MOVED : world__failed(w, way->from, result, "write");
}

static step world__read(world *w, const world_way *way, size_t *have, size_t sent) {
  char memory[16384];
  size_t count = 0;
  nps_result result = nps_pipe_read(way->to, memory, way->chunk, &count);
  WORLD_REQUIRE(count <= way->chunk && (result == NPS_OK) == (count > 0));
  WORLD_REQUIRE(*have + count <= sent);
  if (!pattern_matches(memory, count, way->seed, *have)) {
    WORLD_FAIL("a byte was lost, doubled or moved, between %u and %u", (unsigned)*have, (unsigned)(*have + count));
  }
  *have += count;
  return result == NPS_OK ? STEP_MOVED : world__failed(w, way->to, result, "read");
}

bool world_transfer(world *w, const world_way *way) {
  size_t sent = 0, have = 0;
  uint64_t deadline = sys_now_ms() + WORLD_DEADLINE_MS;
  WORLD_REQUIRE(way->chunk <= 16384);
  while (have < way->size) {
    step out = sent < way->size ? world__write(w, way, &sent) : STEP_BLOCKED;
    step in = out == STEP_LOST ? STEP_LOST : world__read(w, way, &have, sent);
    if (in == STEP_LOST) {
      return false;
    }
    if (out == STEP_BLOCKED && in == STEP_BLOCKED && have < way->size) {
      world__pump_any(w);
    }
    WORLD_REQUIRE(sys_now_ms() < deadline + WORLD_DEADLINE_MS);
  }
  return true;
}

bool world_expect_end(world *w, uint64_t token, nps_pipe *pipe) {
  for (;;) {
    char byte;
    size_t count = 0;
    nps_result result = nps_pipe_read(pipe, &byte, 1, &count);
    if (nps_result_status(result) == NPS_END_OF_STREAM) {
      (void)fault_explains(result);
      return true;
    }
    WORLD_REQUIRE(result != NPS_OK);
    switch (world__failed(w, pipe, result, "read")) {
    case STEP_MOVED:
      break;
    case STEP_BLOCKED:
      world_await(w, token, NPS_READABLE | NPS_CLOSED | NPS_ERROR);
      break;
    case STEP_LOST:
      return false;
    }
  }
}
