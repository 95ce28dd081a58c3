/* Waiting and waking: P1 to P4. */
#include <string.h>

#include "loop.h"
#include "sys.h"

TEST(test_wait_zero_looks_once) { /* P1 */
  loop *l = loop_new();
  uint64_t start = sys_now_ms();
  for (int i = 0; i < 100; i++) {
    REQUIRE_EQUAL(0, loop_pump(l, 0));
  }
  REQUIRE(sys_now_ms() - start < 5000);
  loop_end(l);
}

TEST(test_wait_times_out_when_its_time_is_over) { /* P1 */
  static const int64_t times[] = {1, 20, 100, 400};
  loop *l = loop_new();
  for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
    uint64_t start = sys_now_ms();
    REQUIRE_EQUAL(0, loop_pump(l, times[i])); /* loop_pump checks that it is not too early */
    REQUIRE(sys_now_ms() - start < (uint64_t)times[i] + 5000);
  }
  loop_end(l);
}

typedef struct late {
  peer *end;
  sys_event *go;
} late;

static void send_when_told(void *context) {
  late *l = context;
  REQUIRE(sys_event_wait(l->go, TEST_DEADLINE_MS));
  REQUIRE(peer_send(l->end, "x", 1));
}

TEST(test_wait_forever_ends_with_an_event) { /* P1 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  late *other = test_new(sizeof *other);
  other->end = a.peer;
  other->go = sys_event_new();
  sys_thread *thread = sys_thread_start(send_when_told, other);
  while (nps_result_status(try_read(a.pipe)) != NPS_WOULD_BLOCK) {}
  loop_forget(l);
  sys_event_set(other->go);
  while ((l->seen[1] & NPS_READABLE) == 0) {
    loop_pump(l, NPS_FOREVER);
  }
  sys_thread_join(thread);
  sys_event_free(other->go);
  REQUIRE_OK(try_read(a.pipe));
  link_end(a);
  loop_end(l);
}

/* Waits with room for three until each of the tokens was readable. */
static void collect_in_small_waits(loop *l, uint64_t tokens) {
  enum { CAPACITY = 3 };
  bool came[LOOP_TOKENS] = {false};
  uint64_t left = tokens, deadline = test_deadline();
  while (left > 0) {
    nps_event events[CAPACITY + 2];
    uint32_t count = 0;
    memset(events, 0xA5, sizeof events);
    REQUIRE(!test_expired(deadline));
    REQUIRE_OK(nps_poll_wait(l->poll, events, CAPACITY, 1000, &count));
    REQUIRE(count <= CAPACITY);
    REQUIRE_EQUAL(0xA5A5A5A5u, events[CAPACITY].readiness); /* beyond the array nothing is touched */
    for (uint32_t i = 0; i < count; i++) {
      uint64_t token = events[i].token;
      REQUIRE(token < tokens);
      if ((events[i].readiness & NPS_READABLE) != 0 && !came[token]) {
        came[token] = true;
        left--;
      }
    }
  }
}

TEST(test_wait_fills_at_most_capacity_and_loses_none) { /* P1 */
  enum { PIPES = 20 };
  loop *l = loop_new();
  linked links[PIPES];
  for (uint64_t i = 0; i < PIPES; i++) {
    links[i] = link_new(l, i, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
  }
  loop_forget(l);
  for (uint64_t i = 0; i < PIPES; i++) {
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(links[i].pipe));
    REQUIRE(peer_send(links[i].peer, "x", 1));
  }
  collect_in_small_waits(l, PIPES);
  for (uint64_t i = 0; i < PIPES; i++) { /* and when all are due before the first wait */
    REQUIRE_OK(nps_pipe_reregister(links[i].pipe, i, NPS_INTEREST_READABLE));
  }
  collect_in_small_waits(l, PIPES);
  for (int i = 0; i < PIPES; i++) {
    link_end(links[i]);
  }
  loop_end(l);
}

TEST(test_several_readinesses_of_a_pipe_are_one_event) { /* P1 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  size_t full = write_until_full(a.pipe, 1);
  loop_forget(l);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
  /* Now it becomes readable and writable, and the peer leaves. loop_pump sees to it that one wait never has two
   * events. */
  peer_stream *receiver = peer_receiver_start(a.peer, 1, full, false);
  peer_stream_join(receiver);
  REQUIRE(peer_send(a.peer, "x", 1));
  loop_await(l, 1, NPS_WRITABLE);
  loop_await(l, 1, NPS_READABLE);
  peer_close(a.peer);
  REQUIRE_OK(try_read(a.pipe));
  loop_expect_end(l, 1, a.pipe);
  loop_await_ever(l, 1, NPS_CLOSED);
  REQUIRE(l->events <= 40);
  end_pipe(a.pipe);
  loop_end(l);
}

TEST(test_wait_goes_on_when_a_completion_yields_no_event) { /* P1, P8 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  late *other = test_new(sizeof *other);
  other->end = a.peer;
  other->go = sys_event_new();
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
  REQUIRE_OK(nps_pipe_reregister(a.pipe, 1, NPS_INTEREST_WRITABLE));
  loop_forget(l);
  sys_thread *thread = sys_thread_start(send_when_told, other);
  sys_event_set(other->go);
  loop_pump(l, 300); /* 0 events and an early return would fail inside */
  REQUIRE((l->seen[1] & NPS_READABLE) == 0);
  sys_thread_join(thread);
  sys_event_free(other->go);
  link_end(a);
  loop_end(l);
}

TEST(test_events_are_edges_not_levels) { /* P2 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  loop_forget(l);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
  REQUIRE(peer_send(a.peer, "xyz", 3));
  loop_await(l, 1, NPS_READABLE);
  uint32_t before = l->events;
  for (int i = 0; i < 50; i++) {
    loop_pump(l, 0);
  }
  REQUIRE(l->events - before <= 2); /* a needless event is allowed, one for each wait would be a level */
  for (int i = 0; i < 50; i++) { /* nor one for each call */
    loop_pump(l, 0);
    REQUIRE_STATUS(i < 3 ? NPS_OK : NPS_WOULD_BLOCK, try_read(a.pipe));
  }
  REQUIRE(l->events - before <= 4);
  link_end(a);
  loop_end(l);
}

TEST(test_each_would_block_arms_again) { /* P2 */
  enum { ROUNDS = 500 };
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  for (int i = 0; i < ROUNDS; i++) {
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
    REQUIRE(peer_send(a.peer, "x", 1));
    loop_await(l, 1, NPS_READABLE);
    while (nps_result_status(try_read(a.pipe)) != NPS_OK) {
      loop_await(l, 1, NPS_READABLE);
    }
  }
  link_end(a);
  loop_end(l);
}

TEST(test_a_short_read_arms_again) { /* P2: the event rule of nps.h */
  enum { ROUNDS = 500 };
  char memory[16];
  size_t count;
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_CLIENT);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
  for (int i = 0; i < ROUNDS; i++) {
    l->seen[1] = 0;
    REQUIRE(peer_send(a.peer, "xy", 2));
    size_t have = 0;
    while (have < 2) {
      loop_await(l, 1, NPS_READABLE);
      if (read_pipe(a.pipe, memory, sizeof memory, &count) == NPS_OK) {
        have += count; /* fewer than the buffer holds: the next byte must raise an event */
      }
    }
  }
  link_end(a);
  loop_end(l);
}

TEST(test_wake_before_and_during_a_wait) { /* P3 */
  loop *l = loop_new();
  REQUIRE_OK(nps_poll_wake(l->poll, 0x1122334455667788u));
  REQUIRE_EQUAL(1, loop_pump(l, NPS_FOREVER));
  REQUIRE_EQUAL(1, l->wakes);
  REQUIRE_EQUAL(0x1122334455667788u, l->wake_token);
  REQUIRE_EQUAL(0, loop_pump(l, 0));
  loop_end(l);
}

TEST(test_wakes_are_coalesced_and_the_last_token_counts) { /* P3 */
  loop *l = loop_new();
  for (uint64_t token = 1; token <= 1000; token++) {
    REQUIRE_OK(nps_poll_wake(l->poll, token));
  }
  loop_pump(l, TEST_DEADLINE_MS);
  loop_pump(l, 0);
  loop_pump(l, 20);
  REQUIRE_EQUAL(1, l->wakes);
  REQUIRE_EQUAL(1000, l->wake_token);
  loop_end(l);
}

typedef struct waker {
  nps_poll *poll;
  int64_t rounds;
  sys_atomic seen;
} waker;

static void wake_in_turns(void *context) {
  waker *w = context;
  for (int64_t i = 1; i <= w->rounds; i++) {
    uint64_t deadline = test_deadline();
    while (sys_atomic_get(&w->seen) < i - 1) {
      REQUIRE(!test_expired(deadline));
      sys_yield();
    }
    REQUIRE_OK(nps_poll_wake(w->poll, (uint64_t)i));
  }
}

TEST(test_every_wake_from_another_thread_arrives) { /* P3 */
  loop *l = loop_new();
  waker *w = test_new(sizeof *w);
  w->poll = l->poll;
  w->rounds = 2000;
  sys_thread *thread = sys_thread_start(wake_in_turns, w);
  for (int64_t i = 1; i <= w->rounds; i++) {
    REQUIRE_EQUAL(1, loop_pump(l, NPS_FOREVER));
    REQUIRE_EQUAL(i, l->wakes);
    REQUIRE_EQUAL(i, l->wake_token);
    sys_atomic_set(&w->seen, i);
  }
  sys_thread_join(thread);
  loop_end(l);
}

TEST(test_a_wake_does_not_hide_the_events_of_pipes) { /* P3 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  for (int i = 0; i < 100; i++) {
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
    REQUIRE_OK(nps_poll_wake(l->poll, 7));
    REQUIRE(peer_send(a.peer, "x", 1));
    loop_await(l, 1, NPS_READABLE);
    uint64_t deadline = test_deadline();
    while (l->wakes != (uint32_t)i + 1) {
      REQUIRE(!test_expired(deadline));
      loop_pump(l, 1000);
    }
    while (nps_result_status(try_read(a.pipe)) != NPS_OK) {
      loop_await(l, 1, NPS_READABLE);
    }
  }
  link_end(a);
  loop_end(l);
}

typedef struct waiter {
  nps_poll *poll;
  nps_result result;
  uint32_t wakes;
} waiter;

static void wait_for_a_wake(void *context) {
  waiter *w = context;
  uint64_t deadline = test_deadline();
  do {
    nps_event event;
    uint32_t count = 0;
    REQUIRE(!test_expired(deadline));
    w->result = nps_poll_wait(w->poll, &event, 1, NPS_FOREVER, &count);
    w->wakes += w->result == NPS_OK && count == 1 && event.readiness == NPS_WAKE;
  } while (nps_result_status(w->result) == NPS_E_WAIT_BUSY);
}

static void wait_until_it_is_inside(nps_poll *poll) {
  nps_event event;
  uint32_t count = 0;
  uint64_t deadline = test_deadline();
  nps_result result = NPS_OK;
  while (result == NPS_OK) {
    REQUIRE(!test_expired(deadline));
    result = nps_poll_wait(poll, &event, 1, 0, &count);
  }
  REQUIRE_STATUS(NPS_E_WAIT_BUSY, result);
}

TEST(test_a_second_waiter_gets_busy) { /* P4 */
  loop *l = loop_new();
  waiter *w = test_new(sizeof *w);
  w->poll = l->poll;
  sys_thread *thread = sys_thread_start(wait_for_a_wake, w);
  nps_event event;
  uint32_t count = 0;
  wait_until_it_is_inside(l->poll);
  REQUIRE_STATUS(NPS_E_WAIT_BUSY, nps_poll_wait(l->poll, &event, 1, NPS_FOREVER, &count));
  REQUIRE_OK(nps_poll_wake(l->poll, 1));
  sys_thread_join(thread);
  REQUIRE_OK(w->result);
  REQUIRE_EQUAL(1, w->wakes);
  REQUIRE_EQUAL(0, loop_pump(l, 0)); /* it is free again */
  loop_end(l);
}

TEST(test_closing_the_poll_wakes_its_waiter) { /* P7 */
  for (int i = 0; i < 50; i++) {
    loop *l = loop_new();
    waiter *w = test_new(sizeof *w);
    w->poll = l->poll;
    sys_thread *thread = sys_thread_start(wait_for_a_wake, w);
    if (i % 2 == 0) { /* once it is surely inside, once at any time */
      wait_until_it_is_inside(l->poll);
    }
    REQUIRE_OK(nps_poll_close(l->poll));
    sys_thread_join(thread);
    REQUIRE_STATUS(NPS_E_CLOSED, w->result);
    nps_poll_release(l->poll);
  }
}
