/* child.c - the process that is killed. Its part never ends by itself; should nobody kill it, its deadlines do. */
#include "kill.h"

#include <string.h>

#define TOKEN 1

typedef struct child {
  kill_board *board;
  const kill_plan *plan;
  loop *loop;
  nps_pipe *pipe;
  peer *peer;
  uint64_t written, read;
} child;

static char s_out[KILL_BUFFER], s_in[KILL_BUFFER];

static void child__says(child *self, kill_phase phase) {
  sys_atomic_set(&self->board->phase, phase);
}

static void child__offers(child *self, size_t size) {
  pattern_fill(s_out, size, KILL_CHILDS_SEED(self->plan), self->written);
  sys_atomic_set(&self->board->offered, (int64_t)(self->written + size));
}

static void child__note_safe(child *self) {
  uint64_t unsent = 0;
  if (self->pipe != NULL) {
    nps_result result = nps_pipe_flush_state(self->pipe, &unsent);
    REQUIRE(result == NPS_OK || nps_result_status(result) == NPS_WOULD_BLOCK);
  }
  sys_atomic_set(&self->board->safe, (int64_t)(self->written - unsent));
}

static void child__received(child *self, size_t count) {
  REQUIRE(pattern_matches(s_in, count, KILL_SURVIVORS_SEED(self->plan), self->read));
  self->read += count;
  sys_atomic_set(&self->board->received, (int64_t)self->read);
}

/* ---- with the library; false: would block ---- */

static bool child__write(child *self) {
  size_t count;
  child__offers(self, self->plan->child_chunk);
  nps_result result = write_pipe(self->pipe, s_out, self->plan->child_chunk, &count);
  if (nps_result_status(result) != NPS_WOULD_BLOCK) {
    REQUIRE_OK(result);
  }
  self->written += count;
  child__note_safe(self);
  return count != 0;
}

static bool child__read(child *self) {
  size_t count;
  nps_result result = read_pipe(self->pipe, s_in, self->plan->child_chunk, &count);
  if (nps_result_status(result) != NPS_WOULD_BLOCK) {
    REQUIRE_OK(result);
  }
  child__received(self, count);
  return count != 0;
}

static void child__connect(child *self) {
  if (self->plan->child_serves) {
    self->pipe = server_new(self->plan->name);
    register_pipe(self->loop, self->pipe, TOKEN);
    child__says(self, KILL_SERVING);
    loop_connect(self->loop, TOKEN, self->pipe);
  } else {
    self->pipe = client_new(self->plan->name);
    register_pipe(self->loop, self->pipe, TOKEN);
  }
  child__says(self, KILL_CONNECTED);
}

static void child__rest(child *self) {
  child__note_safe(self);
  child__says(self, KILL_AT_REST);
  for (uint64_t deadline = test_deadline(); !test_expired(deadline);) {
    loop_pump(self->loop, 1000);
    if (self->pipe != NULL) {
      child__note_safe(self);
    }
  }
}

static void child__transfer(child *self) {
  bool writes = self->plan->activity != KILL_READING;
  bool reads = self->plan->activity == KILL_READING || self->plan->activity == KILL_BOTH;
  for (;;) {
    bool wrote = writes && child__write(self);
    bool got = reads && child__read(self);
    if (!wrote && !got) {
      (void)loop_await(self->loop, TOKEN, ANY_READINESS);
      child__note_safe(self);
    }
  }
}

static void child__linger(child *self) {
  while (child__write(self)) {}
  sys_atomic_set(&self->board->offered, (int64_t)self->written);
  nps_result result = nps_pipe_close(self->pipe, NPS_FOREVER);
  REQUIRE(result == NPS_OK || nps_result_status(result) == NPS_WOULD_BLOCK);
  nps_pipe_release(self->pipe);
  self->pipe = NULL;
  child__says(self, KILL_AT_REST);
  for (uint64_t deadline = test_deadline(); !test_expired(deadline);) {
    loop_pump(self->loop, 1000);
  }
}

/* One turn of opening or of serving; either may meet a survivor that comes and goes. */
static void child__come_and_go(child *self) {
  nps_pipe *pipe = NULL;
  if (self->plan->child_serves) {
    nps_server_options options = server_options(self->plan->name);
    REQUIRE_OK(nps_pipe_create(&options, &pipe));
    register_pipe(self->loop, pipe, TOKEN);
    child__says(self, KILL_SERVING);
    (void)nps_pipe_connect(pipe);
    if (self->plan->activity == KILL_CONNECTING) {
      (void)loop_await(self->loop, TOKEN, ANY_READINESS);
    }
  } else {
    nps_client_options options = client_options(self->plan->name);
    child__says(self, KILL_SERVING);
    if (nps_pipe_open(&options, &pipe) == NPS_OK) {
      register_pipe(self->loop, pipe, TOKEN);
      (void)try_write(pipe);
    }
  }
  nps_pipe_release(pipe);
}

static void child__run_ours(child *self) {
  self->loop = loop_new();
  if (self->plan->activity == KILL_CREATING || self->plan->activity == KILL_CONNECTING) {
    for (uint64_t deadline = test_deadline(); !test_expired(deadline);) {
      child__come_and_go(self);
    }
    return;
  }
  child__connect(self);
  if (self->plan->activity == KILL_LINGERING) {
    child__linger(self);
  } else if (self->plan->activity == KILL_IDLE) {
    (void)child__write(self);
    child__rest(self);
  } else {
    child__transfer(self);
  }
}

/* ---- with plain system calls ---- */

static void child__send(child *self) {
  child__offers(self, self->plan->child_chunk);
  REQUIRE(peer_send(self->peer, s_out, self->plan->child_chunk));
  self->written += self->plan->child_chunk;
  child__note_safe(self);
}

static void child__receive(child *self) {
  ptrdiff_t got = peer_receive(self->peer, s_in, self->plan->child_chunk);
  REQUIRE(got > 0);
  child__received(self, (size_t)got);
}

static void child__connect_plain(child *self) {
  if (self->plan->child_serves) {
    peer_server *server = peer_listen(self->plan->name, 4);
    child__says(self, KILL_SERVING);
    self->peer = peer_accept(server);
  } else {
    self->peer = peer_open(self->plan->name);
  }
  child__says(self, KILL_CONNECTED);
}

static void child__run_plain(child *self) {
  child__connect_plain(self);
  bool reads = self->plan->activity == KILL_READING || self->plan->activity == KILL_BOTH;
  for (;;) {
    if (self->plan->activity != KILL_READING) {
      child__send(self);
    }
    if (reads && (self->plan->activity == KILL_READING || !peer_nothing_there(self->peer))) {
      child__receive(self);
    }
    if (self->plan->activity == KILL_IDLE) {
      child__says(self, KILL_AT_REST);
      child__receive(self); /* nothing comes */
    }
  }
}

int kill_child_run(const char *id) {
  static child s_self;
  kill_board *board = sys_shared_open(id, sizeof *board);
  s_self.board = board;
  s_self.plan = &board->plan;
  child__says(&s_self, KILL_STARTED);
  if (board->plan.child_ours) {
    child__run_ours(&s_self);
  } else {
    child__run_plain(&s_self);
  }
  return 5; /* nobody killed it */
}
