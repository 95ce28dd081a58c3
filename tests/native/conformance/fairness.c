/* Nobody waits for ever because others have something to say in every wait: P1, P3. */
#include "loop.h"
#include "sys.h"

enum { MOST_TURNS = 100000 };

/* Waits with room for one event, and before each wait sees to it that there is another one already, until the pipe with that token
 * is heard of. */
static void await_in_a_crowd(loop *l, uint64_t token, void (*crowd)(loop *, nps_pipe *), nps_pipe *with) {
  uint64_t deadline = test_deadline();
  nps_event event = {0};
  for (int turn = 0; event.token != token; turn++) {
    uint32_t count = 0;
    REQUIRE(turn < MOST_TURNS && !test_expired(deadline));
    crowd(l, with);
    REQUIRE_OK(nps_poll_wait(l->poll, &event, 1, 1000, &count));
    REQUIRE_EQUAL(1, count);
  }
  REQUIRE((event.readiness & NPS_READABLE) != 0);
}

static void report_anew(loop *l, nps_pipe *pipe) {
  (void)l;
  REQUIRE_OK(nps_pipe_reregister(pipe, 1, NPS_INTEREST_READABLE));
}

static void wake_it(loop *l, nps_pipe *pipe) {
  (void)pipe;
  REQUIRE_OK(nps_poll_wake(l->poll, 1));
}

static void expect_the_quiet_one(void (*crowd)(loop *, nps_pipe *)) {
  loop *l = loop_new();
  linked loud = link_new(l, 1, OUR_SERVER);
  linked quiet = link_new(l, 2, OUR_SERVER);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(loud.pipe));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(quiet.pipe));
  REQUIRE_OK(nps_pipe_reregister(quiet.pipe, 2, NPS_INTEREST_READABLE)); /* else it is writable */
  loop_forget(l);
  REQUIRE(peer_send(loud.peer, "never read", 10));
  loop_await(l, 1, NPS_READABLE);
  REQUIRE(peer_send(quiet.peer, "x", 1));
  await_in_a_crowd(l, 2, crowd, loud.pipe);
  REQUIRE_OK(try_read(quiet.pipe));
  link_end(loud);
  link_end(quiet);
  loop_end(l);
}

TEST(test_pipes_that_are_always_ready_do_not_hide_a_completion) { /* P1 */
  expect_the_quiet_one(report_anew);
}

TEST(test_wakes_in_every_wait_do_not_hide_a_completion) { /* P3 */
  expect_the_quiet_one(wake_it);
}

/* Both are in the list of what is to be handed out. */
TEST(test_wakes_in_every_wait_do_not_hide_a_ready_pipe) { /* P3 */
  loop *l = loop_new();
  linked a = link_new(l, 2, OUR_SERVER);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
  REQUIRE(peer_send(a.peer, "x", 1));
  loop_await(l, 2, NPS_READABLE);
  REQUIRE_OK(nps_pipe_reregister(a.pipe, 2, NPS_INTEREST_READABLE));
  await_in_a_crowd(l, 2, wake_it, a.pipe);
  link_end(a);
  loop_end(l);
}

/* And the other way round. */
TEST(test_pipes_that_are_always_ready_do_not_hide_a_wake) { /* P3 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
  REQUIRE(peer_send(a.peer, "never read", 10));
  loop_await(l, 1, NPS_READABLE);
  REQUIRE_OK(nps_poll_wake(l->poll, 3));
  uint64_t deadline = test_deadline();
  for (nps_event event = {0}; event.token != 3;) {
    uint32_t count = 0;
    REQUIRE(!test_expired(deadline));
    report_anew(l, a.pipe);
    REQUIRE_OK(nps_poll_wait(l->poll, &event, 1, 1000, &count));
    REQUIRE_EQUAL(1, count);
  }
  link_end(a);
  loop_end(l);
}
