/* The end of a poll against waits, I/O, registers and releases; and two that wait on one poll: P4, P7, X1, X2, rule 5. */
#include "race.h"

/* ---- P4 ---- */

typedef struct sharing {
  nps_poll *poll;
  sys_atomic busy;
  sys_atomic waked;
  sys_atomic closed; /* closes that were told OK */
} sharing;

static void wait_or_wake_who_waits(void *context, chance *random) {
  sharing *s = context;
  nps_event events[2];
  uint32_t count = 0;
  (void)random;
  nps_result result = nps_poll_wait(s->poll, events, 2, NPS_FOREVER, &count);
  if (nps_result_status(result) == NPS_E_WAIT_BUSY) {
    (void)sys_atomic_add(&s->busy, 1);
    REQUIRE_OK(nps_poll_wake(s->poll, 7));
    return;
  }
  REQUIRE_OK(result);
  REQUIRE(count == 1 && events[0].readiness == NPS_WAKE && events[0].token == 7);
  (void)sys_atomic_add(&s->waked, 1);
}

TEST(test_of_two_that_wait_one_is_busy) { /* P3, P4 */
  race *r = race_new();
  sharing *s = test_new(sizeof *s);
  REQUIRE_OK(nps_poll_create(NULL, &s->poll));
  race_add(r, wait_or_wake_who_waits, s);
  race_add(r, wait_or_wake_who_waits, s);
  const uint32_t rounds = race_rounds(5000, 1000);
  for (uint32_t round = 1; round <= rounds; round++) {
    race_round(r);
    REQUIRE_EQUAL(round, sys_atomic_get(&s->busy));
    REQUIRE_EQUAL(round, sys_atomic_get(&s->waked));
  }
  REQUIRE_OK(nps_poll_close(s->poll));
  nps_poll_release(s->poll);
  race_end(r);
}

/* ---- P7 ---- */

static void wait_until_closed(void *context, chance *random) {
  sharing *s = context;
  nps_event events[4];
  uint32_t count = 0;
  nps_result result = NPS_OK;
  while (result == NPS_OK)
    result = nps_poll_wait(s->poll, events, 4, chance_is(random, 70) ? NPS_FOREVER : 0, &count);
  REQUIRE_STATUS(NPS_E_CLOSED, result);
  REQUIRE_STATUS(NPS_E_CLOSED, nps_poll_wait(s->poll, events, 4, NPS_FOREVER, &count));
}

static void close_poll(void *context, chance *random) {
  sharing *s = context;
  for (uint32_t i = chance_below(random, 6); i > 0; i--)
    jitter(random);
  nps_result result = nps_poll_close(s->poll);
  REQUIRE_ONE_OF(result, NPS_E_CLOSED);
  (void)sys_atomic_add(&s->closed, result == NPS_OK);
  REQUIRE_STATUS(NPS_E_CLOSED, nps_poll_wake(s->poll, 1));
}

TEST(test_closing_a_poll_ends_the_wait) { /* P7, X2 */
  race *r = race_new();
  sharing *s = test_new(sizeof *s);
  race_add(r, wait_until_closed, s);
  race_add(r, close_poll, s);
  race_add(r, close_poll, s);
  const uint32_t rounds = race_rounds(2000, 500);
  for (uint32_t round = 0; round < rounds; round++) {
    REQUIRE_OK(nps_poll_create(NULL, &s->poll));
    sys_atomic_set(&s->closed, 0);
    race_round(r);
    REQUIRE_EQUAL(1, sys_atomic_get(&s->closed));
    nps_poll_release(s->poll);
  }
  race_end(r);
}

typedef struct ended {
  sharing s;
  hub *h;
  duo both;
  linked other;
  nps_pipe *fresh[8]; /* not registered yet */
  nps_result told[8];
  uint32_t next; /* of fresh */
  nps_result closing;
  size_t accepted;
  size_t received;
} ended;

static void use_until_closed(void *context, chance *random) {
  ended *e = context;
  nps_pipe *const pipes[] = {e->both.server, e->both.client, e->other.pipe};
  char memory[3000] = {0};
  uint32_t open = 7;
  uint64_t deadline = test_deadline();
  while (open != 0) {
    const uint32_t which = chance_below(random, 3);
    size_t count;
    nps_result result = chance_is(random, 50) ? read_pipe(pipes[which], memory, sizeof memory, &count)
                                              : write_pipe(pipes[which], memory, sizeof memory, &count);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK, NPS_E_CLOSED, NPS_END_OF_STREAM, NPS_E_BROKEN_PIPE);
    REQUIRE(!test_expired(deadline));
    if (nps_result_status(result) == NPS_E_CLOSED)
      open &= ~(1u << which);
    else if (count == 0)
      sys_yield();
  }
}

/* Also where it was the other who closed: all is over when the call returns. */
static void close_poll_and_look(void *context, chance *random) {
  ended *e = context;
  nps_pipe *const pipes[] = {e->both.server, e->both.client, e->other.pipe};
  close_poll(&e->s, random);
  for (int i = 0; i < 3; i++)
    REQUIRE_STATUS(NPS_E_CLOSED, try_read(pipes[i]));
}

static void close_one_pipe(void *context, chance *random) {
  ended *e = context;
  jitter(random);
  REQUIRE_ONE_OF(nps_pipe_close(e->both.server, chance_is(random, 50) ? 0 : 100), NPS_WOULD_BLOCK, NPS_E_CLOSED);
}

static ended *ended_new(race *r, racer_run *one, racer_run *two, racer_run *three) {
  ended *e = test_new(sizeof *e);
  e->h = hub_new();
  race_add(r, close_poll, e);
  race_add(r, one, e);
  race_add(r, two, e);
  if (three != NULL)
    race_add(r, three, e);
  return e;
}

static void ended_begin(ended *e, uint32_t round, const char *name) {
  hub_open(e->h);
  e->s.poll = e->h->l->poll;
  sys_atomic_set(&e->s.closed, 0);
  e->both = duo_new(e->h, name, server_options(NULL));
  e->other = link_new(e->h->l, 3, round % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
}

/* Whatever goes first: pipes or their poll. */
static void ended_release(ended *e, chance *random) {
  const uint32_t when = chance_below(random, 4);
  nps_pipe *const pipes[] = {e->both.server, e->both.client, e->other.pipe};
  for (uint32_t i = 0; i < 4; i++) {
    if (i == when)
      nps_poll_release(e->s.poll);
    if (i < 3)
      nps_pipe_release(pipes[i]);
  }
  peer_close(e->other.peer);
}

TEST(test_closing_a_poll_meets_waits_io_and_closes) { /* P7, X2, rule 5 */
  race *r = race_new();
  const char *name = test_name();
  ended *e = ended_new(r, wait_until_closed, use_until_closed, close_one_pipe);
  race_add(r, use_until_closed, e);
  race_add(r, close_poll_and_look, e);
  const uint32_t rounds = race_rounds(300, 80);
  for (uint32_t round = 0; round < rounds; round++) {
    ended_begin(e, round, name);
    race_round(r);
    char memory[4096];
    while (peer_receive(e->other.peer, memory, sizeof memory) > 0) { /* the peer sees the end */
    }
    ended_release(e, race_chance(r));
  }
  race_end(r);
}

static void register_the_fresh(void *context, chance *random) {
  ended *e = context;
  for (uint32_t i = 0; i < 8; i++) {
    e->told[i] = nps_pipe_register(e->fresh[i], e->s.poll, 4 + i, BOTH_INTERESTS);
    (void)nps_pipe_connect(e->fresh[i]);
    if (chance_is(random, 50))
      jitter(random);
  }
}

TEST(test_closing_a_poll_meets_registers) { /* P5, P7: a pipe that it took is closed, another one is not */
  race *r = race_new();
  const char *name = test_name();
  ended *e = ended_new(r, wait_until_closed, register_the_fresh, NULL);
  const uint32_t rounds = race_rounds(300, 60);
  for (uint32_t round = 0; round < rounds; round++) {
    ended_begin(e, round, name);
    for (int i = 0; i < 8; i++)
      e->fresh[i] = server_new(name);
    race_round(r);
    for (int i = 0; i < 8; i++) {
      REQUIRE_ONE_OF(e->told[i], NPS_E_CLOSED);
      REQUIRE_ONE_OF(try_read(e->fresh[i]), NPS_E_CLOSED, e->told[i] == NPS_OK ? NPS_E_CLOSED : NPS_WOULD_BLOCK);
      nps_pipe_release(e->fresh[i]);
    }
    ended_release(e, race_chance(r));
  }
  race_end(r);
}

static void close_with_linger(void *context, chance *random) {
  ended *e = context;
  jitter(random);
  e->closing = nps_pipe_close(e->other.pipe, NPS_FOREVER);
}

static void receive_what_comes(void *context, chance *random) {
  ended *e = context;
  char memory[30000];
  for (ptrdiff_t got = 1; got > 0;) {
    got = peer_receive(e->other.peer, memory, 1 + chance_below(random, sizeof memory));
    REQUIRE(got >= 0);
    pattern_require(memory, (size_t)got, 5, e->received);
    e->received += (size_t)got;
  }
}

TEST(test_bytes_that_linger_arrive_although_the_poll_is_closed) { /* W1, X1 */
  race *r = race_new();
  const char *name = test_name();
  ended *e = ended_new(r, close_with_linger, receive_what_comes, NULL);
  const uint32_t rounds = race_rounds(300, 80);
  for (uint32_t round = 0; round < rounds; round++) {
    ended_begin(e, round, name);
    e->accepted = write_until_full(e->other.pipe, 5);
    e->received = 0;
    race_round(r);
    REQUIRE_ONE_OF(e->closing, NPS_WOULD_BLOCK, NPS_E_CLOSED);
    REQUIRE(e->received <= e->accepted);
    if (nps_result_status(e->closing) == NPS_WOULD_BLOCK)
      REQUIRE_EQUAL(e->accepted, e->received);
    ended_release(e, race_chance(r));
  }
  race_end(r);
}

/* ---- the last calls of several owners ---- */

static void release_poll(void *context, chance *random) {
  ended *e = context;
  jitter(random);
  nps_poll_release(e->s.poll);
}

static void release_server(void *context, chance *random) {
  ended *e = context;
  jitter(random);
  nps_pipe_release(e->both.server);
}

static void release_client(void *context, chance *random) {
  ended *e = context;
  jitter(random);
  if (chance_is(random, 50))
    (void)nps_pipe_close(e->both.client, NPS_FOREVER);
  nps_pipe_release(e->both.client);
}

TEST(test_pipes_and_their_poll_are_released_at_once) { /* X3: no order of release matters */
  race *r = race_new();
  const char *name = test_name();
  ended *e = test_new(sizeof *e);
  e->h = hub_new();
  race_add(r, release_poll, e);
  race_add(r, release_server, e);
  race_add(r, release_client, e);
  const uint32_t rounds = race_rounds(1000, 150);
  for (uint32_t round = 0; round < rounds; round++) {
    hub_open(e->h);
    e->s.poll = e->h->l->poll;
    e->both = duo_new(e->h, name, server_options(NULL));
    (void)try_write(e->both.server);
    if (round % 3 == 0)
      (void)write_until_full(e->both.client, 1);
    race_round(r);
  }
  race_end(r);
}
