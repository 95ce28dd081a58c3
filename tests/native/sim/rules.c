/* The safety rules of docs/architecture.md where a second guard hides the first from every caller: each guard is looked at by
 * itself. And what needs a kernel that takes its time. */
#include "script.h"

#include "pipe.h" /* core's own: the scripts look inside */

/* A server that is connected to a client of the script's. */
static sim_file *connected(script *s) {
  REQUIRE(nps_pipe_connect(s->pipe) >= 0);
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE(client != NULL);
  while (script_events(s) != 0) {}
  REQUIRE_EQUAL(PIPE_CONNECTED, s->pipe->state);
  return client;
}

/* Rule 3, mio #1983: also where the operation itself tells the new connection from the old one. */
TEST(test_an_operation_of_an_older_connection_has_an_older_generation) { /* C7 */
  script s = script_begin();
  sim_file *client = connected(&s);
  sim_current()->take_back_percent = 0; /* a cancelled read is the kernel's until its completion comes */
  const op *old = s.pipe->in;
  char byte;
  size_t count = 0;
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_read(s.pipe, &byte, 1, &count));
  REQUIRE(op_is_pending(old));
  REQUIRE_EQUAL(s.pipe->generation, old->generation);
  const uint32_t generation = s.pipe->generation;
  REQUIRE_OK(nps_pipe_disconnect(s.pipe, 0));
  REQUIRE(s.pipe->generation != generation);
  REQUIRE(op_is_pending(old) && old->generation != s.pipe->generation);
  sim_close(client);
  script_end(&s);
}

/* tokio #6460 #5307: what one read brings is bounded by read_ahead and the pool's buffer, by nothing smaller. */
TEST(test_one_read_ahead_brings_what_there_is) { /* R1 */
  static char sent[20000], got[sizeof sent];
  script s = script_begin();
  nps_client_options options;
  nps_pipe *pipe = NULL;
  (void)nps_client_options_init(&options, sizeof options);
  options.name = "large";
  sim_file *server = sim_serve(options.name, NPS_DIRECTION_DUPLEX, sizeof sent);
  REQUIRE_OK(nps_pipe_open(&options, &pipe));
  REQUIRE_OK(nps_pipe_register(pipe, s.poll, 1, BOTH_INTERESTS));
  REQUIRE(sim_accept(server));
  pattern_fill(sent, sizeof sent, 1, 0);
  REQUIRE_EQUAL(sizeof sent, sim_write(server, sent, sizeof sent));
  while ((script_events(&s) & NPS_READABLE) == 0) {}
  sim_current()->now_percent = 0; /* a second read would not end at once */
  size_t count = 0;
  REQUIRE_OK(nps_pipe_read(pipe, got, sizeof got, &count));
  REQUIRE_EQUAL(sizeof got, count);
  pattern_require(got, count, 1, 0);
  nps_pipe_release(pipe);
  sim_close(server);
  script_end(&s);
}

/* ---------------------------------------------------------------- another thread, while a wait sleeps */

typedef struct other_thread {
  script *s;
  bool done;
} other_thread;

static void reregister_once(sim_moment moment, void *context) {
  other_thread *other = context;
  if (moment != SIM_ASLEEP || other->done)
    return;
  other->done = true;
  REQUIRE_OK(nps_pipe_reregister(other->s->pipe, 5, NPS_INTEREST_WRITABLE));
}

/* What another thread makes ready wakes who sleeps: nothing else would (P2, P6). */
TEST(test_an_event_of_another_thread_wakes_the_waiter) {
  script s = script_begin();
  sim_file *client = connected(&s);
  other_thread other = {&s, false};
  nps_event event;
  uint32_t count = 0;
  sim_set_hook(reregister_once, &other);
  REQUIRE_OK(nps_poll_wait(s.poll, &event, 1, NPS_FOREVER, &count));
  sim_set_hook(NULL, NULL);
  REQUIRE_EQUAL(1, count);
  REQUIRE_EQUAL(5, event.token);
  REQUIRE_EQUAL(NPS_WRITABLE, event.readiness);
  sim_close(client);
  script_end(&s);
}

typedef struct waker {
  script *s;
  uint32_t unlocked, at; /* moments so far, and at which of them the other thread wakes */
  bool woken;
} waker;

static void wake_at(sim_moment moment, void *context) {
  waker *w = context;
  const bool asleep = moment == SIM_ASLEEP; /* there are fewer moments than that: the last one */
  if (w->woken) {
    REQUIRE(!asleep); /* the wake came before, and is not slept over */
  } else if (asleep || (moment == SIM_UNLOCKED && ++w->unlocked == w->at)) {
    w->woken = true;
    REQUIRE_OK(nps_poll_wake(w->s->poll, 9));
  }
}

/* P3: whenever it comes, also while a wait hands out an event that is void by then. */
TEST(test_a_wake_at_any_moment_of_a_wait_ends_it) {
  for (uint32_t at = 1; at <= 8; at++) {
    script s = script_begin();
    sim_file *client = connected(&s);
    REQUIRE_OK(nps_pipe_reregister(s.pipe, 1, BOTH_INTERESTS)); /* queued ... */
    REQUIRE_OK(nps_pipe_deregister(s.pipe)); /* ... and void */
    waker w = {&s, 0, at, false};
    nps_event event;
    uint32_t count = 0;
    sim_set_hook(wake_at, &w);
    REQUIRE_OK(nps_poll_wait(s.poll, &event, 1, NPS_FOREVER, &count));
    sim_set_hook(NULL, NULL);
    REQUIRE_EQUAL(1, count);
    REQUIRE_EQUAL(9, event.token);
    sim_close(client);
    script_end(&s);
  }
}

/* ---------------------------------------------------------------- closing a poll on which pipes linger */

static char taken[400];
static uint32_t taken_count;

/* The peer reads late, and the other pipe's peer writes, while the poll's close sleeps. */
static void read_late(sim_moment moment, void *context) {
  sim_file **peers = context;
  if (moment != SIM_ASLEEP)
    return;
  REQUIRE_EQUAL(1, sim_write(peers[1], "x", 1));
  taken_count += sim_read(peers[0], taken + taken_count, (uint32_t)sizeof taken - taken_count);
}

/* Accepted bytes arrive when pipe and poll are closed right after, and the events of the others go nowhere. */
TEST(test_closing_a_poll_lets_lingering_pipes_finish) { /* W1, X1, P7 */
  if (os_direct_io)
    return; /* nothing lingers there */
  script s = script_begin();
  static char sent[sizeof taken];
  nps_client_options options;
  nps_pipe *lingers = NULL;
  sim_file *peers[2];
  size_t count = 0;
  taken_count = 0;
  (void)nps_client_options_init(&options, sizeof options);
  options.name = "other";
  peers[0] = sim_serve(options.name, NPS_DIRECTION_DUPLEX, 150);
  REQUIRE_OK(nps_pipe_open(&options, &lingers));
  REQUIRE_OK(nps_pipe_register(lingers, s.poll, 2, BOTH_INTERESTS));
  peers[1] = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE_OK(nps_pipe_connect(s.pipe)); /* its read is pending, and armed */
  char byte;
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_read(s.pipe, &byte, 1, &count));
  pattern_fill(sent, sizeof sent, 1, 0);
  REQUIRE_OK(nps_pipe_write(lingers, sent, sizeof sent, &count));
  REQUIRE_EQUAL(sizeof sent, count);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_close(lingers, NPS_FOREVER));
  nps_pipe_release(lingers);
  sim_set_hook(read_late, peers);
  REQUIRE_OK(nps_poll_close(s.poll));
  sim_set_hook(NULL, NULL);
  taken_count += sim_read(peers[0], taken + taken_count, (uint32_t)sizeof taken - taken_count);
  REQUIRE_EQUAL(sizeof sent, taken_count);
  pattern_require(taken, taken_count, 1, 0);
  sim_close(peers[0]);
  sim_close(peers[1]);
  script_end(&s);
}
