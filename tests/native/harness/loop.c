#include "loop.h"

#include <stdlib.h>
#include <string.h>

#include "sys.h"

/* Clocks of the system and of the library may tick differently. */
#define EARLY_MS 30u

loop *loop_new_with(const nps_poll_options *options) {
  loop *made = test_new(sizeof *made);
  REQUIRE_OK(nps_poll_create(options, &made->poll));
  return made;
}

loop *loop_new(void) {
  return loop_new_with(NULL);
}

void loop_end(loop *one) {
  REQUIRE_OK(nps_poll_close(one->poll));
  nps_poll_release(one->poll);
  one->poll = NULL;
}

uint32_t loop_pump(loop *one, int64_t timeout_ms) {
  nps_event events[LOOP_TOKENS];
  bool given[LOOP_TOKENS] = {false};
  uint32_t count = 0xDEADu;
  uint64_t start = sys_now_ms();
  REQUIRE_OK(nps_poll_wait(one->poll, events, LOOP_TOKENS, timeout_ms, &count));
  REQUIRE(count <= LOOP_TOKENS);
  if (count == 0) { /* P1: completions that yield no event do not end the wait */
    REQUIRE(timeout_ms != NPS_FOREVER);
    REQUIRE(sys_now_ms() - start + EARLY_MS >= (uint64_t)timeout_ms);
  }
  for (uint32_t i = 0; i < count; i++) {
    if (events[i].readiness == NPS_WAKE) {
      one->wakes++;
      one->wake_token = events[i].token;
      continue;
    }
    REQUIRE(events[i].token < LOOP_TOKENS);
    REQUIRE(events[i].readiness != 0 && (events[i].readiness & ~(uint32_t)ANY_READINESS) == 0);
    REQUIRE(!given[events[i].token]); /* P1: one event for each pipe */
    given[events[i].token] = true;
    one->seen[events[i].token] |= events[i].readiness;
    one->ever[events[i].token] |= events[i].readiness;
    one->events++;
  }
  return count;
}

uint32_t loop_await(loop *one, uint64_t token, uint32_t bits) {
  uint64_t deadline = test_deadline();
  while ((one->seen[token] & bits) == 0) {
    uint64_t now = sys_now_ms();
    if (now >= deadline) {
      FAIL("no event %u came for token %llu (seen: %u)", bits, (unsigned long long)token, one->seen[token]);
    }
    loop_pump(one, (int64_t)(deadline - now));
    if (sys_now_ms() >= deadline) {
      FAIL("the event for token %llu came only when the wait timed out", (unsigned long long)token);
    }
  }
  uint32_t got = one->seen[token] & bits;
  one->seen[token] &= ~bits;
  return got;
}

void loop_await_ever(loop *one, uint64_t token, uint32_t bits) {
  while ((one->ever[token] & bits) == 0) {
    loop_await(one, token, bits);
  }
}

void loop_reset(loop *one, uint64_t token) {
  one->seen[token] = one->ever[token] = 0;
}

void loop_forget(loop *one) {
  loop_pump(one, 0);
  memset(one->seen, 0, sizeof one->seen);
  memset(one->ever, 0, sizeof one->ever);
}

nps_server_options server_options(const char *name) {
  nps_server_options options;
  REQUIRE_OK(nps_server_options_init(&options, sizeof options));
  options.name = name;
  return options;
}

nps_client_options client_options(const char *name) {
  nps_client_options options;
  REQUIRE_OK(nps_client_options_init(&options, sizeof options));
  options.name = name;
  return options;
}

nps_pipe *server_new(const char *name) {
  nps_server_options options = server_options(name);
  nps_pipe *pipe = NULL;
  REQUIRE_OK(nps_pipe_create(&options, &pipe));
  return pipe;
}

nps_pipe *client_new(const char *name) {
  nps_client_options options = client_options(name);
  nps_pipe *pipe = NULL;
  options.timeout_ms = TEST_DEADLINE_MS;
  REQUIRE_OK(nps_pipe_open(&options, &pipe));
  return pipe;
}

void register_pipe(loop *with, nps_pipe *pipe, uint64_t token) {
  loop_reset(with, token);
  REQUIRE_OK(nps_pipe_register(pipe, with->poll, token, BOTH_INTERESTS));
}

void end_pipe(nps_pipe *pipe) {
  REQUIRE_OK(nps_pipe_abort(pipe));
  nps_pipe_release(pipe);
}

linked link_new(loop *with, uint64_t token, side ours) {
  return link_new_with(with, token, ours, server_options(NULL));
}

linked link_new_with(loop *with, uint64_t token, side ours, nps_server_options options) {
  linked made = {.pipe = NULL, .peer = NULL, .token = token};
  options.name = test_name();
  if (ours == OUR_SERVER) {
    REQUIRE_OK(nps_pipe_create(&options, &made.pipe));
    register_pipe(with, made.pipe, token);
    made.peer = peer_open(options.name);
    loop_connect(with, token, made.pipe);
  } else {
    peer_server *server = peer_listen(options.name, 4);
    nps_client_options client = client_options(options.name);
    client.direction = options.direction;
    client.read_ahead = options.read_ahead;
    client.write_limit = options.write_limit;
    REQUIRE_OK(nps_pipe_open(&client, &made.pipe));
    made.peer = peer_accept(server);
    peer_server_close(server);
    register_pipe(with, made.pipe, token);
  }
  return made;
}

void link_end(linked one) {
  end_pipe(one.pipe);
  peer_close(one.peer);
}

void loop_connect(loop *with, uint64_t token, nps_pipe *pipe) {
  nps_result result = nps_pipe_connect(pipe);
  while (nps_result_status(result) == NPS_WOULD_BLOCK) {
    loop_await(with, token, NPS_WRITABLE | NPS_ERROR);
    result = nps_pipe_connect(pipe);
  }
  REQUIRE_OK(result);
}

nps_result read_pipe(nps_pipe *pipe, void *memory, size_t size, size_t *count) {
  *count = 0xDEAD;
  nps_result result = nps_pipe_read(pipe, memory, size, count);
  if (result == NPS_OK) {
    REQUIRE(*count <= size && (*count > 0 || size == 0));
  } else {
    REQUIRE(*count == 0 || *count == 0xDEAD);
    *count = 0;
  }
  return result;
}

nps_result write_pipe(nps_pipe *pipe, const void *memory, size_t size, size_t *count) {
  *count = 0xDEAD;
  nps_result result = nps_pipe_write(pipe, memory, size, count);
  if (result == NPS_OK) {
    REQUIRE(*count <= size && (*count > 0 || size == 0));
  } else {
    REQUIRE(*count == 0 || *count == 0xDEAD);
    *count = 0;
  }
  return result;
}

nps_result try_read(nps_pipe *pipe) {
  char byte;
  size_t count;
  return read_pipe(pipe, &byte, 1, &count);
}

nps_result try_write(nps_pipe *pipe) {
  size_t count;
  return write_pipe(pipe, "x", 1, &count);
}

size_t loop_read(loop *with, uint64_t token, nps_pipe *pipe, void *memory, size_t size) {
  for (;;) {
    size_t count;
    nps_result result = read_pipe(pipe, memory, size, &count);
    if (nps_result_status(result) == NPS_END_OF_STREAM) {
      return 0;
    }
    if (nps_result_status(result) != NPS_WOULD_BLOCK) {
      REQUIRE_OK(result);
      return count;
    }
    loop_await(with, token, NPS_READABLE | NPS_CLOSED | NPS_ERROR);
  }
}

void loop_read_pattern(loop *with, uint64_t token, nps_pipe *pipe, uint64_t seed, size_t size, read_way way) {
  char *memory = malloc(way.chunk);
  REQUIRE(memory != NULL);
  size_t have = 0;
  while (have < size) {
    size_t part = size - have < way.chunk ? size - have : way.chunk;
    size_t count = loop_read(with, token, pipe, memory, part);
    if (count == 0) {
      FAIL("end of stream after %llu of %llu bytes", (unsigned long long)have, (unsigned long long)size);
    }
    pattern_require(memory, count, seed, have);
    have += count;
    if (way.trust_short && count < part) {
      loop_await(with, token, NPS_READABLE | NPS_CLOSED | NPS_ERROR);
    }
  }
  free(memory);
}

void loop_expect_end(loop *with, uint64_t token, nps_pipe *pipe) {
  char byte;
  if (loop_read(with, token, pipe, &byte, 1) != 0) {
    FAIL("a byte came where the stream should end: %d", byte);
  }
}

void loop_write_pattern(loop *with, uint64_t token, nps_pipe *pipe, uint64_t seed, size_t size) {
  char *memory = malloc(size + 1);
  REQUIRE(memory != NULL);
  pattern_fill(memory, size, seed, 0);
  size_t sent = 0;
  while (sent < size) {
    size_t count;
    nps_result result = write_pipe(pipe, memory + sent, size - sent, &count);
    if (nps_result_status(result) == NPS_WOULD_BLOCK) {
      loop_await(with, token, NPS_WRITABLE | NPS_CLOSED | NPS_ERROR);
    } else {
      REQUIRE_OK(result);
      sent += count;
    }
  }
  free(memory);
}

size_t write_until_full(nps_pipe *pipe, uint64_t seed) {
  static char s_memory[65536];
  size_t accepted = 0;
  for (;;) {
    size_t count;
    pattern_fill(s_memory, sizeof s_memory, seed, accepted);
    nps_result result = write_pipe(pipe, s_memory, sizeof s_memory, &count);
    if (nps_result_status(result) == NPS_WOULD_BLOCK) {
      return accepted;
    }
    REQUIRE_OK(result);
    accepted += count;
    REQUIRE(accepted < (size_t)256 * 1024 * 1024);
  }
}
