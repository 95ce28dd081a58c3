/* A process is killed while bytes are on their way: R3, W3, P8. */
#include "kill.h"

#define TOKEN 1

CHILD(kill_child) {
  return kill_child_run(argument);
}

typedef struct survivor {
  kill_round *round;
  const kill_plan *plan;
  uint64_t read, written;
  bool reads, writes;
  bool ended; /* read the end */
} survivor;

/* ---- the library's end ---- */

/* What a read gave; false: nothing is there now. */
static bool survivor__read_ours(survivor *self) {
  size_t count;
  nps_result result = read_pipe(self->round->pipe, self->round->memory, self->plan->survivor_chunk, &count);
  int32_t status = nps_result_status(result);
  if (status == NPS_END_OF_STREAM) {
    self->ended = true;
    return false;
  }
  if (status != NPS_WOULD_BLOCK) {
    REQUIRE_OK(result);
  }
  pattern_require(self->round->memory, count, KILL_CHILDS_SEED(self->plan), self->read);
  self->read += count;
  return count != 0;
}

static bool survivor__write_ours(survivor *self) {
  size_t count;
  pattern_fill(self->round->memory, self->plan->survivor_chunk, KILL_SURVIVORS_SEED(self->plan), self->written);
  nps_result result = write_pipe(self->round->pipe, self->round->memory, self->plan->survivor_chunk, &count);
  if (nps_result_status(result) != NPS_WOULD_BLOCK) {
    REQUIRE_OK(result);
  }
  self->written += count;
  return count != 0;
}

static void survivor__step_ours(survivor *self) {
  bool got = self->reads && !self->ended && survivor__read_ours(self);
  bool wrote = self->writes && survivor__write_ours(self);
  if (!got && !wrote) {
    (void)loop_pump(self->round->loop, 1);
  }
}

/* All that there is, the end, which stays; writes fail, and go on failing; the closed event. */
static void survivor__finish_ours(survivor *self) {
  loop *l = self->round->loop;
  while (!self->ended) {
    if (!survivor__read_ours(self) && !self->ended) {
      (void)loop_await(l, TOKEN, NPS_READABLE | NPS_CLOSED | NPS_ERROR);
    }
  }
  REQUIRE_STATUS(NPS_END_OF_STREAM, try_read(self->round->pipe));
  uint64_t deadline = test_deadline();
  int32_t status = NPS_OK;
  while ((status = nps_result_status(try_write(self->round->pipe))) != NPS_E_BROKEN_PIPE) {
    REQUIRE(!test_expired(deadline));
    if (status == NPS_WOULD_BLOCK) {
      (void)loop_await(l, TOKEN, NPS_WRITABLE | NPS_CLOSED | NPS_ERROR);
    } else {
      REQUIRE_EQUAL(NPS_OK, status);
    }
  }
  REQUIRE_STATUS(NPS_E_BROKEN_PIPE, try_write(self->round->pipe));
  loop_await_ever(l, TOKEN, NPS_CLOSED);
  end_pipe(self->round->pipe);
}

/* ---- the plain end ---- */

static void survivor__read_plain(survivor *self) {
  ptrdiff_t got = peer_receive(self->round->peer, self->round->memory, self->plan->survivor_chunk);
  if (got < 0) {
    FAIL("neither a byte nor the end came after %llu bytes", (unsigned long long)self->read);
  }
  pattern_require(self->round->memory, (size_t)got, KILL_CHILDS_SEED(self->plan), self->read);
  self->read += (uint64_t)got;
  self->ended = got == 0;
}

static void survivor__step_plain(survivor *self) {
  if (self->reads && !self->ended && !peer_nothing_there(self->round->peer)) {
    survivor__read_plain(self);
  } else if (self->writes) {
    /* No more than the child reads at a time: it is never blocked by us while it writes. */
    size_t size = self->plan->survivor_chunk < 4096 ? self->plan->survivor_chunk : 4096;
    pattern_fill(self->round->memory, size, KILL_SURVIVORS_SEED(self->plan), self->written);
    REQUIRE(peer_send(self->round->peer, self->round->memory, size));
    self->written += size;
  } else {
    sys_yield();
  }
}

static void survivor__finish_plain(survivor *self) {
  while (!self->ended) {
    survivor__read_plain(self);
  }
  REQUIRE(!peer_send(self->round->peer, "x", 1));
  peer_close(self->round->peer);
}

/* ---- one round ---- */

static void survivor__connect(survivor *self) {
  kill_round *round = self->round;
  const kill_plan *plan = self->plan;
  if (plan->child_serves) {
    kill_start_child(round);
    REQUIRE(sys_shared_await(&round->board->phase, KILL_SERVING, test_deadline()));
    if (plan->survivor_ours) {
      round->pipe = client_new(plan->name);
      register_pipe(round->loop, round->pipe, TOKEN);
    } else {
      round->peer = peer_open(plan->name);
    }
  } else if (plan->survivor_ours) {
    round->pipe = server_new(plan->name);
    register_pipe(round->loop, round->pipe, TOKEN);
    kill_start_child(round);
    loop_connect(round->loop, TOKEN, round->pipe);
  } else {
    peer_server *server = peer_listen(plan->name, 4);
    kill_start_child(round);
    round->peer = peer_accept(server);
    peer_server_close(server);
  }
  kill_phase phase = plan->activity == KILL_IDLE || plan->activity == KILL_LINGERING ? KILL_AT_REST : KILL_CONNECTED;
  REQUIRE(sys_shared_await(&round->board->phase, phase, test_deadline()));
}

static void check_board(const survivor *self) {
  kill_board *board = self->round->board;
  uint64_t safe = (uint64_t)sys_atomic_get(&board->safe), offered = (uint64_t)sys_atomic_get(&board->offered);
  if (self->read < safe || self->read > offered) {
    FAIL("%llu bytes came; the system had taken %llu and was offered %llu", (unsigned long long)self->read,
        (unsigned long long)safe, (unsigned long long)offered);
  }
  REQUIRE((uint64_t)sys_atomic_get(&board->received) <= self->written);
}

static void transfer(kill_round *round) {
  const kill_plan *plan = &round->plan;
  survivor self = {.round = round, .plan = plan};
  self.reads = plan->activity != KILL_READING;
  self.writes = plan->activity == KILL_READING || plan->activity == KILL_BOTH;
  survivor__connect(&self);
  for (uint64_t since = sys_now_us(); !kill_moment_has_come(round, since, self.read + self.written);) {
    if (plan->survivor_looks_on) {
      sys_yield();
    } else if (plan->survivor_ours) {
      survivor__step_ours(&self);
    } else {
      survivor__step_plain(&self);
    }
  }
  bool ended_before = self.ended;
  REQUIRE(!ended_before || plan->activity == KILL_LINGERING);
  sys_process_kill(round->child);
  if (plan->death_first) {
    kill_bury(round);
  }
  if (plan->survivor_ours) {
    survivor__finish_ours(&self);
  } else {
    survivor__finish_plain(&self);
  }
  if (!plan->death_first) {
    kill_bury(round);
  }
  check_board(&self);
  if (ended_before) { /* a lingering close that was over brought everything */
    REQUIRE_EQUAL(sys_atomic_get(&round->board->offered), self.read);
  }
  kill_serve_again(round);
}

static void draw_writing(kill_plan *plan, uint64_t *state) {
  (void)state;
  plan->activity = KILL_WRITING;
}
static void draw_reading(kill_plan *plan, uint64_t *state) {
  (void)state;
  plan->activity = KILL_READING;
}
static void draw_both(kill_plan *plan, uint64_t *state) {
  (void)state;
  plan->activity = KILL_BOTH;
}
static void draw_idle(kill_plan *plan, uint64_t *state) {
  (void)state;
  plan->activity = KILL_IDLE;
}
static void draw_lingering(kill_plan *plan, uint64_t *state) {
  (void)state;
  plan->activity = KILL_LINGERING;
  plan->child_ours = true;
  if (plan->child_chunk < 2048) {
    plan->child_chunk += 2048; /* it fills the pipe */
  }
}

TEST(test_kill_of_one_that_writes) {
  kill_rounds(120, 24, draw_writing, transfer);
}

TEST(test_kill_of_one_that_reads) {
  kill_rounds(80, 16, draw_reading, transfer);
}

TEST(test_kill_of_one_that_reads_and_writes) {
  kill_rounds(120, 24, draw_both, transfer);
}

TEST(test_kill_of_one_that_is_idle) {
  kill_rounds(40, 8, draw_idle, transfer);
}

TEST(test_kill_of_one_that_lingers) {
  kill_rounds(60, 16, draw_lingering, transfer);
}
