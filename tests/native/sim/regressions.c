/* What the random walk found in core, each as the shortest script that shows it. */
#include <string.h>

#include "script.h"

TEST(test_data_that_came_before_connect_is_an_event) {
  script s = script_begin();
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE_EQUAL(3, sim_write(client, "abc", 3));
  REQUIRE_OK(nps_pipe_connect(s.pipe)); /* the read that it starts ends at once */
  uint32_t seen = script_events(&s);
  seen |= script_events(&s);
  REQUIRE_EQUAL(NPS_READABLE | NPS_WRITABLE, seen);
  script_end(&s);
}

TEST(test_data_that_came_with_a_pending_connect_is_an_event) {
  script s = script_begin_with(0);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(s.pipe));
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE_EQUAL(3, sim_write(client, "abc", 3));
  uint32_t seen = script_events(&s);
  seen |= script_events(&s);
  REQUIRE_EQUAL(NPS_READABLE | NPS_WRITABLE, seen);
  script_end(&s);
}

TEST(test_export_of_a_lingering_pipe_says_closed) {
  script s = script_begin();
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(s.pipe));
  REQUIRE(sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX) != NULL);
  REQUIRE((script_events(&s) & NPS_WRITABLE) != 0);
  static const char bytes[200] = {0}; /* more than the kernel keeps */
  size_t count = 0;
  REQUIRE_OK(nps_pipe_write(s.pipe, bytes, sizeof bytes, &count));
  nps_result closed = nps_pipe_close(s.pipe, 1000);
  REQUIRE_STATUS(os_direct_io ? NPS_OK : NPS_WOULD_BLOCK, closed);
  intptr_t handle = -1;
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_export(s.pipe, &handle));
  script_end(&s);
}

TEST(test_close_is_reported_to_one_who_reads_without_interest) { /* P8 */
  if (!os_direct_io) return; /* a read is pending there, whoever is interested */
  script s = script_begin();
  char byte;
  size_t count = 0;
  REQUIRE_OK(nps_pipe_reregister(s.pipe, 1, NPS_INTEREST_WRITABLE));
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE_OK(nps_pipe_connect(s.pipe));
  REQUIRE_EQUAL(1, sim_write(client, "a", 1));
  REQUIRE_EQUAL(NPS_WRITABLE, script_events(&s));
  REQUIRE_EQUAL(0, script_events(&s)); /* readable, and nobody asked */
  sim_current()->take_back_percent = 100;
  sim_current()->spurious_percent = 100; /* something comes between the read that finds nothing and the probe that it starts */
  REQUIRE_OK(nps_pipe_read(s.pipe, &byte, 1, &count));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_read(s.pipe, &byte, 1, &count));
  sim_current()->spurious_percent = 0;
  sim_close(client);
  REQUIRE_EQUAL(NPS_CLOSED, script_events(&s) & (uint32_t)NPS_CLOSED);
  script_end(&s);
}

/* ---------------------------------------------------------------- a wait, and another thread in its middle */

typedef struct others {
  script *s;
  nps_pipe *victim;
  uint32_t unlocked; /* moments so far */
  uint32_t at;       /* ... and at which of them the other thread acts */
  uint64_t closed_at; /* 0: not yet */
} others;

static void close_then_wake(sim_moment moment, void *context) {
  others *o = context;
  if (moment == SIM_UNLOCKED && ++o->unlocked == o->at) {
    o->closed_at = os_now_ms();
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_close(o->victim, 10));
  }
  if (moment != SIM_ASLEEP || os_now_ms() < 5000) return;
  uint64_t unsent = 0;
  if (o->closed_at != 0) REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_flush_state(o->victim, &unsent)); /* in time, not by our wake */
  REQUIRE_OK(nps_poll_wake(o->s->poll, 7));
}

/* A client that has accepted more bytes than its peer takes. */
static nps_pipe *unflushed_client(nps_poll *poll) {
  static const char bytes[200] = {0};
  size_t count = 0;
  nps_client_options options;
  nps_pipe *made = NULL;
  (void)nps_client_options_init(&options, sizeof options);
  options.name = "other";
  options.direction = NPS_DIRECTION_OUT; /* no read whose end would end the wait */
  REQUIRE(sim_serve(options.name, NPS_DIRECTION_IN, 100) != NULL);
  REQUIRE_OK(nps_pipe_open(&options, &made));
  REQUIRE_OK(nps_pipe_register(made, poll, 2, NPS_INTEREST_READABLE));
  REQUIRE_OK(nps_pipe_write(made, bytes, sizeof bytes, &count));
  return made;
}

TEST(test_a_linger_that_begins_in_the_middle_of_a_wait_ends_in_time) {
  if (os_direct_io) return; /* nothing lingers there */
  for (uint32_t at = 1; at <= 8; at++) {
    script s = script_begin();
    nps_pipe *victim = unflushed_client(s.poll);
    REQUIRE(sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX) != NULL);
    REQUIRE_OK(nps_pipe_connect(s.pipe));
    REQUIRE_OK(nps_pipe_deregister(s.pipe)); /* it stays in the ready list, and has nothing to report */
    others o = {&s, victim, 0, at, 0};
    sim_set_hook(close_then_wake, &o);
    nps_event event;
    uint32_t count = 0;
    REQUIRE_OK(nps_poll_wait(s.poll, &event, 1, NPS_FOREVER, &count));
    sim_set_hook(NULL, NULL);
    nps_pipe_release(victim);
    script_end(&s);
  }
}

static void wake_twice(sim_moment moment, void *context) {
  others *o = context;
  if (moment != SIM_ASLEEP || o->at++ != 0) return;
  sim_fault_at(SIM_FAULT_PORT_WAKE, 1);
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, nps_poll_wake(o->s->poll, 1));
  REQUIRE_OK(nps_poll_wake(o->s->poll, 2));
}

TEST(test_a_wake_that_failed_does_not_stand_in_for_the_next) {
  script s = script_begin();
  others o = {&s, NULL, 0, 0, 0};
  sim_set_hook(wake_twice, &o);
  nps_event event;
  uint32_t count = 0;
  REQUIRE_OK(nps_poll_wait(s.poll, &event, 1, NPS_FOREVER, &count));
  REQUIRE_EQUAL(1, count);
  REQUIRE_EQUAL(NPS_WAKE, event.readiness);
  REQUIRE_EQUAL(2, event.token);
  script_end(&s);
}

TEST(test_a_peek_does_not_see_past_a_read_that_has_ended_unseen) { /* F1 */
  if (os_direct_io) return; /* nothing is read ahead there */
  script s = script_begin_with(2);
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE_OK(nps_pipe_connect(s.pipe));
  (void)script_events(&s);
  REQUIRE_EQUAL(5, sim_write(client, "abcde", 5));
  sim_step(true); /* the read that is under way gets "ab"; nobody has heard of it */
  char seen[5] = {0};
  size_t count = 77;
  uint64_t available = 77;
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_peek(s.pipe, seen, sizeof seen, &count, &available));
  REQUIRE_EQUAL(0, count);
  REQUIRE_EQUAL(NPS_READABLE, script_events(&s));
  REQUIRE_OK(nps_pipe_peek(s.pipe, seen, sizeof seen, &count, &available));
  REQUIRE_EQUAL(5, available);
  REQUIRE(count == 2 && memcmp(seen, "ab", 2) == 0);
  sim_close(client);
  script_end(&s);
}

TEST(test_a_read_before_the_client_comes_is_made_good_on_demand) { /* P10 */
  script s = script_begin();
  char byte;
  size_t count = 0;
  REQUIRE_OK(nps_pipe_reregister(s.pipe, 1, NPS_INTEREST_READABLE | NPS_INTEREST_ON_DEMAND));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(s.pipe));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_read(s.pipe, &byte, 1, &count));
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  (void)script_events(&s);
  REQUIRE_EQUAL(1, sim_write(client, "a", 1));
  REQUIRE_EQUAL(NPS_READABLE, script_events(&s));
  sim_close(client);
  script_end(&s);
}

TEST(test_the_event_that_connect_owes_outlives_a_reregister_on_demand) { /* C2, P10 */
  static const uint32_t interests[] = {BOTH_INTERESTS, NPS_INTEREST_READABLE};
  for (uint32_t i = 0; i < 2; i++) {
    script s = script_begin();
    nps_server_options options;
    nps_pipe *writer = NULL;
    nps_event event;
    uint32_t count = 0;
    REQUIRE_OK(nps_server_options_init(&options, sizeof options));
    options.name = "writer";
    options.direction = NPS_DIRECTION_OUT; /* nothing of it is watched */
    REQUIRE_OK(nps_pipe_create(&options, &writer));
    REQUIRE_OK(nps_pipe_register(writer, s.poll, 2, BOTH_INTERESTS));
    sim_file *client = sim_connect(options.name, NPS_DIRECTION_IN);
    REQUIRE_OK(nps_pipe_connect(writer)); /* and a writable event */
    REQUIRE_OK(nps_pipe_reregister(writer, 2, interests[i] | NPS_INTEREST_ON_DEMAND));
    REQUIRE_OK(nps_poll_wait(s.poll, &event, 1, 0, &count));
    REQUIRE(i == 0 ? count == 1 && event.readiness == NPS_WRITABLE : count == 0); /* without interest it goes */
    sim_close(client);
    nps_pipe_release(writer);
    script_end(&s);
  }
}

TEST(test_a_short_read_on_demand_watches_nothing) { /* P10 */
  script s = script_begin();
  char bytes[4];
  size_t count = 0;
  REQUIRE_OK(nps_pipe_reregister(s.pipe, 1, BOTH_INTERESTS | NPS_INTEREST_ON_DEMAND));
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE_OK(nps_pipe_connect(s.pipe));
  REQUIRE_EQUAL(1, sim_write(client, "a", 1));
  sim_current()->spurious_percent = 100; /* the system does not say that this was all: it is asked again */
  REQUIRE_OK(nps_pipe_read(s.pipe, bytes, sizeof bytes, &count));
  REQUIRE_EQUAL(1, count);
  REQUIRE_EQUAL(0, sim_in_flight());
  REQUIRE_EQUAL(0, script_events(&s) & (uint32_t)NPS_READABLE);
  sim_close(client);
  script_end(&s);
}

/* A client is there; all that has been told, and nothing is under way. */
static sim_file *connect_on_demand(script *s) {
  uint32_t interest = BOTH_INTERESTS | NPS_INTEREST_ON_DEMAND;
  REQUIRE_OK(nps_pipe_reregister(s->pipe, 1, interest));
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE_OK(nps_pipe_connect(s->pipe));
  (void)script_events(s);
  REQUIRE_EQUAL(0, sim_in_flight());
  return client;
}

TEST(test_only_a_read_that_found_nothing_is_under_way_on_demand) { /* P10 */
  if (os_direct_io) return; /* there the first one begins to watch */
  script s = script_begin();
  char bytes[4];
  size_t count = 0;
  sim_file *client = connect_on_demand(&s);
  for (int round = 0; round < 3; round++) {
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_read(s.pipe, bytes, sizeof bytes, &count));
    REQUIRE_EQUAL(1, sim_in_flight());
    REQUIRE_EQUAL(1, sim_write(client, "a", 1));
    REQUIRE_EQUAL(NPS_READABLE, script_events(&s));
    REQUIRE_OK(nps_pipe_read(s.pipe, bytes, sizeof bytes, &count));
    REQUIRE_EQUAL(0, sim_in_flight());
    REQUIRE_EQUAL(1, sim_write(client, "b", 1));
    REQUIRE_EQUAL(0, script_events(&s)); /* nobody has asked */
    REQUIRE_OK(nps_pipe_read(s.pipe, bytes, sizeof bytes, &count));
    REQUIRE_EQUAL('b', bytes[0]);
  }
  REQUIRE_OK(nps_pipe_reregister(s.pipe, 1, BOTH_INTERESTS | NPS_INTEREST_ON_DEMAND));
  REQUIRE_EQUAL(0, script_events(&s) & (uint32_t)NPS_READABLE);
  sim_close(client);
  script_end(&s);
}

TEST(test_reregister_without_on_demand_reads_ahead_again) { /* P8, P10 */
  script s = script_begin();
  sim_file *client = connect_on_demand(&s);
  REQUIRE_OK(nps_pipe_reregister(s.pipe, 1, NPS_INTEREST_WRITABLE));
  (void)script_events(&s);
  REQUIRE_EQUAL(1, sim_in_flight());
  sim_close(client);
  REQUIRE_EQUAL(NPS_CLOSED, script_events(&s) & (uint32_t)NPS_CLOSED);
  script_end(&s);
}

TEST(test_register_without_on_demand_reads_ahead_again) { /* P8, P10 */
  script s = script_begin();
  sim_file *client = connect_on_demand(&s);
  REQUIRE_OK(nps_pipe_deregister(s.pipe));
  REQUIRE_OK(nps_pipe_register(s.pipe, s.poll, 1, NPS_INTEREST_WRITABLE));
  (void)script_events(&s);
  REQUIRE_EQUAL(1, sim_in_flight());
  sim_close(client);
  REQUIRE_EQUAL(NPS_CLOSED, script_events(&s) & (uint32_t)NPS_CLOSED);
  script_end(&s);
}

TEST(test_a_short_write_on_demand_watches_nothing) { /* P10 */
  if (!os_direct_io) return;
  script s = script_begin();
  static const char bytes[200] = {0}; /* more than the kernel keeps */
  size_t count = 0;
  REQUIRE_OK(nps_pipe_reregister(s.pipe, 1, BOTH_INTERESTS | NPS_INTEREST_ON_DEMAND));
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE_OK(nps_pipe_connect(s.pipe));
  REQUIRE_OK(nps_pipe_write(s.pipe, bytes, sizeof bytes, &count));
  REQUIRE_EQUAL(100, count);
  REQUIRE_EQUAL(0, sim_in_flight());
  REQUIRE_EQUAL(0, script_events(&s));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_write(s.pipe, bytes, 1, &count));
  REQUIRE_EQUAL(0, script_events(&s));
  sim_close(client);
  script_end(&s);
}

TEST(test_a_half_close_is_an_event_for_who_waits_for_room) { /* P2 */
  if (!os_direct_io) return; /* there a write that is under way comes first */
  script s = script_begin();
  static const char bytes[200] = {0}; /* more than the kernel keeps */
  size_t count = 0;
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE_OK(nps_pipe_connect(s.pipe));
  (void)script_events(&s);
  REQUIRE_OK(nps_pipe_write(s.pipe, bytes, sizeof bytes, &count));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_write(s.pipe, bytes, sizeof bytes, &count));
  REQUIRE_EQUAL(0, script_events(&s));
  REQUIRE_OK(nps_pipe_shutdown(s.pipe));
  REQUIRE_EQUAL(NPS_WRITABLE, script_events(&s));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_write(s.pipe, bytes, sizeof bytes, &count));
  sim_close(client);
  script_end(&s);
}

TEST(test_flushed_is_no_event_before_the_half_close_is_out) { /* P2: who asks again and again would never sleep */
  if (os_direct_io) return; /* nothing is under way there */
  script s = script_begin();
  nps_pipe *server = NULL;
  nps_server_options options;
  static const char bytes[200] = {0}; /* more than the kernel keeps: what comes behind it must wait */
  char read[200];
  size_t count = 0;
  uint64_t unsent = 1;
  (void)nps_server_options_init(&options, sizeof options);
  options.name = "messages";
  options.mode = NPS_MODE_MESSAGE;
  options.in_buffer_size = options.out_buffer_size = 100;
  REQUIRE_OK(nps_pipe_create(&options, &server));
  nps_pipe_release(s.pipe);
  s.pipe = server;
  REQUIRE_OK(nps_pipe_register(s.pipe, s.poll, 1, BOTH_INTERESTS));
  sim_file *client = sim_connect("messages", NPS_DIRECTION_DUPLEX);
  REQUIRE_OK(nps_pipe_connect(s.pipe));
  REQUIRE_OK(nps_pipe_write(s.pipe, bytes, sizeof bytes, &count));
  while (script_events(&s) != 0) {
  }
  REQUIRE_OK(nps_pipe_shutdown(s.pipe)); /* an empty message */
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_flush_state(s.pipe, &unsent));
  REQUIRE_EQUAL(0, unsent);
  REQUIRE_EQUAL(0, script_events(&s) & (uint32_t)NPS_WRITABLE);
  REQUIRE_EQUAL(200, sim_read(client, read, sizeof read));
  REQUIRE_EQUAL(NPS_WRITABLE, script_events(&s));
  REQUIRE_OK(nps_pipe_flush_state(s.pipe, &unsent));
  sim_close(client);
  script_end(&s);
}

typedef struct busy {
  script *s;
  sim_file *client;
  uint32_t reads;
} busy;

/* Another thread reads what the peer never ceases to send; each read that finds nothing is an operation, whose end is no event. */
static void send_and_read(sim_moment moment, void *context) {
  busy *b = context;
  char byte;
  size_t count = 0;
  if (moment != SIM_UNLOCKED) return;
  if (++b->reads > 100000) FAIL("the wait does not end");
  sim_pass_time(1);
  while (nps_result_status(nps_pipe_read(b->s->pipe, &byte, 1, &count)) == NPS_OK) {
  }
  REQUIRE_EQUAL(1, sim_write(b->client, "x", 1));
}

TEST(test_a_wait_ends_in_time_though_completions_without_an_event_never_cease) { /* P1 */
  static const int64_t times[] = {0, 10};
  for (int i = 0; i < 2; i++) {
    script s = script_begin();
    busy b = {&s, sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX), 0};
    REQUIRE_OK(nps_pipe_connect(s.pipe));
    REQUIRE_OK(nps_pipe_deregister(s.pipe));
    (void)script_events(&s);
    nps_event event;
    uint32_t count = 0;
    sim_set_hook(send_and_read, &b);
    REQUIRE_OK(nps_poll_wait(s.poll, &event, 1, times[i], &count));
    sim_set_hook(NULL, NULL);
    REQUIRE_EQUAL(0, count);
    sim_close(b.client);
    script_end(&s);
  }
}
