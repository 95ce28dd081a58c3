/* A process is killed while it takes a name, waits for clients, or opens: C6, C8, K1, and the name afterwards. */
#include "kill.h"

#define TOKEN 1

/* The child serves, client after client. */
static void visit_ours(kill_round *round) {
  nps_client_options options = client_options(round->plan.name);
  nps_result result = nps_pipe_open(&options, &round->pipe);
  switch (nps_result_status(result)) {
  case NPS_OK:
    register_pipe(round->loop, round->pipe, TOKEN);
    loop_expect_end(round->loop, TOKEN, round->pipe);
    loop_await_ever(round->loop, TOKEN, NPS_CLOSED);
    end_pipe(round->pipe);
    break;
  case NPS_E_NOT_FOUND:
  case NPS_E_PIPE_BUSY:
    sys_yield();
    break;
  default:
    REQUIRE_OK(result);
  }
}

static void visit_plain(kill_round *round) {
  char byte;
  switch (peer_try_open(round->plan.name, &round->peer)) {
  case PEER_OPENED:
    REQUIRE_EQUAL(0, peer_receive(round->peer, &byte, 1)); /* the end, before the deadline */
    peer_close(round->peer);
    break;
  case PEER_NOT_FOUND:
  case PEER_BUSY:
    sys_yield();
    break;
  case PEER_DENIED:
  case PEER_FAILED:
    FAIL("the name cannot be opened");
  }
}

static void killed_while_it_serves(kill_round *round) {
  kill_start_child(round);
  REQUIRE(sys_shared_await(&round->board->phase, KILL_SERVING, test_deadline()));
  for (uint64_t since = sys_now_us(); !kill_moment_has_come(round, since, 0);) {
    if (round->plan.survivor_looks_on) {
      sys_yield();
    } else if (round->plan.survivor_ours) {
      visit_ours(round);
    } else {
      visit_plain(round);
    }
  }
  sys_process_kill(round->child);
  if (round->plan.survivor_ours) { /* while it dies */
    visit_ours(round);
  } else {
    visit_plain(round);
  }
  kill_bury(round);
  nps_client_options options = client_options(round->plan.name);
  REQUIRE_STATUS(NPS_E_NOT_FOUND, nps_pipe_open(&options, &round->pipe));
  kill_serve_again(round);
}

/* The connection's bytes: how many, the first in *first. Each is a client that came, wrote a byte or none, and left or was
 * killed. */
static size_t serve_one(kill_round *round, char *first) {
  size_t total = 0, count = 0;
  char byte;
  while ((count = loop_read(round->loop, TOKEN, round->pipe, &byte, 1)) > 0) {
    if (total == 0)
      *first = byte;
    total += count;
  }
  return total;
}

/* Serves whoever is there now; false: nobody. */
static bool serve_next(kill_round *round, char *first, size_t *total) {
  nps_result result = nps_pipe_connect(round->pipe);
  if (nps_result_status(result) == NPS_WOULD_BLOCK) {
    return false;
  }
  REQUIRE_OK(result);
  *total = serve_one(round, first);
  result = nps_pipe_disconnect(round->pipe, 1);
  REQUIRE(result == NPS_OK || nps_result_status(result) == NPS_WOULD_BLOCK);
  return true;
}

static void killed_while_it_opens(kill_round *round) {
  char first = 0;
  size_t total = 0;
  round->pipe = server_new(round->plan.name);
  register_pipe(round->loop, round->pipe, TOKEN);
  kill_start_child(round);
  REQUIRE(sys_shared_await(&round->board->phase, KILL_SERVING, test_deadline()));
  for (uint64_t since = sys_now_us(); !kill_moment_has_come(round, since, 0);) {
    if (round->plan.survivor_looks_on) {
      sys_yield();
    } else if (!serve_next(round, &first, &total)) {
      (void)loop_pump(round->loop, 1);
    }
  }
  sys_process_kill(round->child);
  if (round->plan.death_first) {
    kill_bury(round);
  }
  /* Whatever the dead left in the queue, the next client is served. */
  uint64_t deadline = test_deadline();
  peer *client = NULL;
  bool served = false;
  while (!served) {
    REQUIRE(!test_expired(deadline));
    if (client == NULL && peer_try_open(round->plan.name, &client) == PEER_OPENED) {
      REQUIRE(peer_send(client, "client", 6));
      peer_close(client);
    }
    if (serve_next(round, &first, &total)) {
      served = total == 6 && first == 'c';
      REQUIRE(served || total <= 1);
    } else {
      (void)loop_pump(round->loop, 1);
    }
  }
  if (!round->plan.death_first) {
    kill_bury(round);
  }
  end_pipe(round->pipe);
  kill_serve_again(round);
}

static void killed_while_connecting(kill_round *round) {
  if (round->plan.child_serves) {
    killed_while_it_serves(round);
  } else {
    killed_while_it_opens(round);
  }
}

static void draw_connecting(kill_plan *plan, uint64_t *state) {
  (void)state;
  plan->activity = KILL_CONNECTING;
  plan->child_ours = true;
}

TEST(test_kill_of_one_that_connects) {
  kill_rounds(80, 16, draw_connecting, killed_while_connecting);
}

static void killed_while_it_creates(kill_round *round) {
  kill_start_child(round);
  REQUIRE(sys_shared_await(&round->board->phase, KILL_SERVING, test_deadline()));
  for (uint64_t since = sys_now_us(); !kill_moment_has_come(round, since, 0);) {
    sys_yield();
  }
  sys_process_kill(round->child);
  kill_bury(round);
  kill_serve_again(round);
}

static void draw_creating(kill_plan *plan, uint64_t *state) {
  (void)state;
  plan->activity = KILL_CREATING;
  plan->child_serves = plan->child_ours = true;
}

TEST(test_kill_of_one_that_takes_and_leaves_the_name) {
  kill_rounds(100, 12, draw_creating, killed_while_it_creates);
}
