/* Register, reregister, deregister and close against a wait, and against each other: P5, P6, P8, rule 4. */
#include "race.h"

/* Tokens only grow. What a wait yields is judged by what had returned before the wait began. */
typedef struct roll {
  hub *h;
  nps_pipe *pipe;
  const char *name;
  int times;
  sys_atomic retired; /* no wait that starts now yields this token or a lower one */
  sys_atomic current; /* the token, once the call that gave it has returned */
  sys_atomic seen; /* the highest one that a wait has yielded */
  sys_atomic waits; /* that have returned */
  sys_atomic stop;
  sys_atomic registered; /* registers that were told OK, less deregisters */
  nps_result results[2];
} roll;

static bool only_readable(uint64_t token) {
  return token % 2 == 1;
}

static void wait_and_judge(void *context, chance *random) {
  roll *o = context;
  while (sys_atomic_get(&o->stop) == 0) {
    nps_event events[4];
    uint32_t count = 0;
    const int64_t retired = sys_atomic_get(&o->retired), current = sys_atomic_get(&o->current);
    REQUIRE_OK(nps_poll_wait(o->h->l->poll, events, 4, chance_is(random, 50) ? 0 : 1, &count));
    (void)sys_atomic_add(&o->waits, 1);
    for (uint32_t i = 0; i < count; i++) {
      const int64_t token = (int64_t)events[i].token;
      REQUIRE(events[i].readiness != NPS_WAKE);
      if (token <= retired || token < current)
        FAIL("event %u of token %lld in a wait that began after %lld was retired, %lld current", events[i].readiness,
            (long long)token, (long long)retired, (long long)current);
      if (token == current && only_readable((uint64_t)token))
        REQUIRE((events[i].readiness & NPS_WRITABLE) == 0); /* P8 */
      if (token > sys_atomic_get(&o->seen))
        sys_atomic_set(&o->seen, token);
    }
    if (chance_is(random, 20))
      jitter(random);
  }
}

/* Nothing is to be heard of this token any more; now and then a whole wait goes by before the next. */
static void retire(roll *o, uint64_t token, chance *random) {
  const int64_t waits = sys_atomic_get(&o->waits);
  sys_atomic_set(&o->retired, (int64_t)token);
  if (chance_is(random, 20))
    await_at_least(&o->waits, waits + 2); /* the second one began after that */
}

static uint32_t interest_of(uint64_t token) {
  return only_readable(token) ? NPS_INTEREST_READABLE : BOTH_INTERESTS;
}

static void register_and_deregister(void *context, chance *random) {
  roll *o = context;
  uint64_t token = 2;
  for (int i = 0; i < o->times; i++) {
    token++;
    REQUIRE_OK(nps_pipe_register(o->pipe, o->h->l->poll, token, interest_of(token)));
    jitter(random);
    if (chance_is(random, 30)) {
      await_value(&o->seen, (int64_t)token); /* P9: there is data, so there is an event */
      token++;
      REQUIRE_OK(nps_pipe_reregister(o->pipe, token, interest_of(token)));
    }
    REQUIRE_OK(nps_pipe_deregister(o->pipe));
    retire(o, token, random);
  }
  sys_atomic_set(&o->stop, 1);
}

static void reregister(void *context, chance *random) {
  roll *o = context;
  uint64_t token = 2;
  for (int i = 0; i < o->times; i++) {
    token++;
    REQUIRE_OK(nps_pipe_reregister(o->pipe, token, interest_of(token)));
    sys_atomic_set(&o->current, (int64_t)token);
    jitter(random);
    if (chance_is(random, 30))
      await_value(&o->seen, (int64_t)token); /* P6 */
  }
  sys_atomic_set(&o->stop, 1);
}

static void with_one_pipe(racer_run *run, bool registered, int times) {
  race *r = race_new();
  roll *o = test_new(sizeof *o);
  o->h = hub_new();
  o->times = times;
  hub_open(o->h);
  linked a = link_new(o->h->l, 1, chance_is(race_chance(r), 50) ? OUR_SERVER : OUR_CLIENT);
  o->pipe = a.pipe;
  REQUIRE(peer_send(a.peer, "x", 1)); /* and nobody reads it */
  (void)loop_await(o->h->l, 1, NPS_READABLE);
  if (!registered)
    REQUIRE_OK(nps_pipe_deregister(a.pipe));
  else
    REQUIRE_OK(nps_pipe_reregister(a.pipe, 2, BOTH_INTERESTS));
  race_add(r, run, o);
  race_add(r, wait_and_judge, o);
  race_round(r);
  link_end(a);
  hub_close(o->h);
  race_end(r);
}

TEST(test_no_event_of_a_wait_that_starts_after_deregister) { /* rule 4, P5, P9 */
  with_one_pipe(register_and_deregister, false, (int)race_rounds(10000, 3000));
}

TEST(test_reregister_reports_what_is_ready_with_its_own_token) { /* P6, P8 */
  with_one_pipe(reregister, true, (int)race_rounds(10000, 3000));
}

static void make_and_close(void *context, chance *random) {
  roll *o = context;
  for (uint64_t token = 4; token < 4 + 2 * (uint64_t)o->times; token += 2) {
    nps_pipe *pipe = server_new(o->name);
    REQUIRE_OK(nps_pipe_register(pipe, o->h->l->poll, token, BOTH_INTERESTS));
    REQUIRE_ONE_OF(nps_pipe_connect(pipe), NPS_WOULD_BLOCK);
    peer *client = peer_open(o->name);
    jitter(random);
    if (chance_is(random, 50))
      (void)try_write(pipe);
    (void)peer_send(client, "x", 1);
    if (chance_is(random, 30))
      await_at_least(&o->seen, (int64_t)token);
    jitter(random);
    if (chance_is(random, 30))
      REQUIRE_OK(nps_pipe_abort(pipe));
    else
      REQUIRE_ONE_OF(nps_pipe_close(pipe, chance_is(random, 50) ? 0 : 100), NPS_WOULD_BLOCK);
    retire(o, token, random);
    nps_pipe_release(pipe); /* while its events are being handed out, perhaps */
    peer_close(client);
  }
  sys_atomic_set(&o->stop, 1);
}

TEST(test_no_event_of_a_wait_that_starts_after_close) { /* rule 4, X1, X2 */
  race *r = race_new();
  roll *o = test_new(sizeof *o);
  o->h = hub_new();
  o->name = test_name();
  o->times = (int)race_rounds(2000, 400);
  hub_open(o->h);
  race_add(r, make_and_close, o);
  race_add(r, wait_and_judge, o);
  race_round(r);
  REQUIRE_EQUAL(0, loop_pump(o->h->l, 0));
  hub_close(o->h);
  race_end(r);
}

/* ---- against each other ---- */

static void register_or_deregister(void *context, chance *random) {
  roll *o = context;
  for (int i = 0; i < 30; i++) {
    if (chance_is(random, 50)) {
      nps_result result = nps_pipe_register(o->pipe, o->h->l->poll, 1, BOTH_INTERESTS);
      REQUIRE_ONE_OF(result, NPS_E_ALREADY_REGISTERED);
      (void)sys_atomic_add(&o->registered, result == NPS_OK);
    } else {
      nps_result result = nps_pipe_deregister(o->pipe);
      REQUIRE_ONE_OF(result, NPS_E_NOT_REGISTERED);
      (void)sys_atomic_add(&o->registered, -(result == NPS_OK));
    }
    REQUIRE_ONE_OF(nps_pipe_reregister(o->pipe, 1, NPS_INTEREST_READABLE), NPS_E_NOT_REGISTERED);
    if (chance_is(random, 30))
      jitter(random);
  }
}

TEST(test_registers_and_deregisters_take_turns) { /* P5 */
  race *r = race_new();
  roll *o = test_new(sizeof *o);
  o->h = hub_new();
  hub_open(o->h);
  linked a = link_new(o->h->l, 1, OUR_CLIENT);
  o->pipe = a.pipe;
  for (int i = 0; i < 3; i++)
    race_add(r, register_or_deregister, o);
  sys_atomic_set(&o->registered, 1);
  const uint32_t rounds = race_rounds(300, 60);
  for (uint32_t round = 0; round < rounds; round++) {
    race_start(r, o->h->l->poll);
    hub_serve(o->h, r);
    const bool registered = sys_atomic_get(&o->registered) == 1;
    REQUIRE(registered || sys_atomic_get(&o->registered) == 0);
    REQUIRE_STATUS(registered ? NPS_OK : NPS_E_NOT_REGISTERED, nps_pipe_reregister(a.pipe, 1, BOTH_INTERESTS));
  }
  link_end(a);
  hub_close(o->h);
  race_end(r);
}

typedef struct bid {
  nps_pipe *pipe;
  loop *on;
  nps_result result;
} bid;

static void register_it(void *context, chance *random) {
  bid *b = context;
  jitter(random);
  b->result = nps_pipe_register(b->pipe, b->on->poll, 1, BOTH_INTERESTS);
}

TEST(test_one_of_two_polls_gets_the_pipe) { /* P5 */
  race *r = race_new();
  const char *name = test_name();
  loop *l[2] = {loop_new(), loop_new()};
  bid *b[2];
  for (int i = 0; i < 2; i++) {
    b[i] = test_new(sizeof *b[i]);
    b[i]->on = l[i];
    race_add(r, register_it, b[i]);
  }
  peer_server *server = peer_listen(name, 200);
  const uint32_t rounds = race_rounds(1000, 150);
  for (uint32_t round = 0; round < rounds; round++) {
    b[0]->pipe = b[1]->pipe = client_new(name);
    peer *end = peer_accept(server);
    race_round(r);
    const int won = b[0]->result == NPS_OK ? 0 : 1;
    REQUIRE_OK(b[won]->result);
    REQUIRE_STATUS(NPS_E_ALREADY_REGISTERED, b[1 - won]->result);
    loop_reset(l[won], 1);
    REQUIRE(peer_send(end, "x", 1));
    (void)loop_await(l[won], 1, NPS_READABLE);
    REQUIRE_EQUAL(0, loop_pump(l[1 - won], 0));
    end_pipe(b[won]->pipe);
    peer_close(end);
  }
  peer_server_close(server);
  loop_end(l[0]);
  loop_end(l[1]);
  race_end(r);
}
