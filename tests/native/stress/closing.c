/* The end of a pipe against everything else: W1, X1, X2. */
#include "race.h"

typedef enum ending { END_LINGER, END_CLOSE, END_ABORT, ENDINGS } ending;

typedef struct parting {
  hub *h;
  linked a;
  uint64_t number;
  ending how;
  size_t accepted;
  size_t received;
  sys_atomic over; /* the closing call has returned */
  sys_atomic first; /* closes that were the first */
  sys_atomic lingers;
  sys_atomic aborts; /* that ended something */
} parting;

static void write_until_closed(void *context, chance *random) {
  parting *p = context;
  char memory[20000];
  nps_result result = NPS_OK;
  uint64_t deadline = test_deadline();
  for (bool over = false; nps_result_status(result) != NPS_E_CLOSED;) {
    size_t count;
    const size_t part = 1 + chance_below(random, sizeof memory);
    pattern_fill(memory, part, p->number, p->accepted);
    REQUIRE(!over && !test_expired(deadline)); /* the call after the close has returned says closed */
    over = sys_atomic_get(&p->over) != 0;
    result = write_pipe(p->a.pipe, memory, part, &count);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK, NPS_E_CLOSED);
    p->accepted += count;
    if (count == 0)
      sys_yield();
  }
}

static void receive_until_the_end(void *context, chance *random) {
  parting *p = context;
  char memory[30000];
  for (ptrdiff_t got = 1; got > 0;) {
    got = peer_receive(p->a.peer, memory, 1 + chance_below(random, sizeof memory));
    REQUIRE(got >= 0);
    pattern_require(memory, (size_t)got, p->number, p->received);
    p->received += (size_t)got;
    if (chance_is(random, 20))
      jitter(random);
  }
}

static nps_result end_it(parting *p, ending how) {
  switch (how) {
  case END_LINGER:
    return nps_pipe_close(p->a.pipe, NPS_FOREVER);
  case END_CLOSE:
    return nps_pipe_close(p->a.pipe, 0);
  case END_ABORT:
  case ENDINGS:
    break;
  }
  return nps_pipe_abort(p->a.pipe);
}

static void end_it_soon(void *context, chance *random) {
  parting *p = context;
  for (uint32_t i = chance_below(random, 6); i > 0; i--)
    jitter(random);
  REQUIRE_ONE_OF(end_it(p, p->how), p->how == END_LINGER ? NPS_WOULD_BLOCK : NPS_OK);
  sys_atomic_set(&p->over, 1);
}

static parting *parting_new(void) {
  parting *p = test_new(sizeof *p);
  p->h = hub_new();
  hub_open(p->h);
  return p;
}

static void parting_begin(parting *p, uint32_t round) {
  p->number = round;
  p->accepted = p->received = 0;
  sys_atomic_set(&p->over, 0);
  sys_atomic_set(&p->first, 0);
  sys_atomic_set(&p->lingers, 0);
  sys_atomic_set(&p->aborts, 0);
  p->a = link_new(p->h->l, 1, round % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
}

static void parting_end(parting *p, race *r) {
  hub_close(p->h);
  race_end(r);
}

static void close_meets_write(ending one, ending two, uint32_t rounds) {
  race *r = race_new();
  parting *p = parting_new();
  race_add(r, write_until_closed, p);
  race_add(r, receive_until_the_end, p);
  race_add(r, end_it_soon, p);
  for (uint32_t round = 0; round < rounds; round++) {
    parting_begin(p, round);
    p->how = round % 4 < 2 ? one : two;
    race_start(r, p->h->l->poll);
    hub_serve(p->h, r);
    REQUIRE(p->received <= p->accepted);
    if (p->how == END_LINGER)
      REQUIRE_EQUAL(p->accepted, p->received);
    nps_pipe_release(p->a.pipe);
    peer_close(p->a.peer);
  }
  parting_end(p, r);
}

TEST(test_accepted_bytes_arrive_when_a_lingering_close_meets_writes) { /* W1, X1 */
  close_meets_write(END_LINGER, END_LINGER, race_rounds(250, 80));
}

TEST(test_a_prefix_arrives_when_close_and_abort_meet_writes) { /* X1, X2 */
  close_meets_write(END_CLOSE, END_ABORT, race_rounds(250, 80));
}

/* ---- closes against each other ---- */

static void end_it_somehow(void *context, chance *random) {
  parting *p = context;
  const ending how = (ending)chance_below(random, ENDINGS);
  jitter(random);
  nps_result result = end_it(p, how);
  REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK, NPS_E_CLOSED);
  if (nps_result_status(result) == NPS_WOULD_BLOCK)
    (void)sys_atomic_add(&p->lingers, 1);
  else if (result == NPS_OK)
    (void)sys_atomic_add(how == END_ABORT ? &p->aborts : &p->first, 1);
}

TEST(test_one_of_many_closes_is_the_first) { /* X1: an abort also ends a lingering close */
  race *r = race_new();
  parting *p = parting_new();
  for (int i = 0; i < 4; i++)
    race_add(r, end_it_somehow, p);
  const uint32_t rounds = race_rounds(400, 100);
  for (uint32_t round = 0; round < rounds; round++) {
    parting_begin(p, round);
    if (round % 4 < 2)
      (void)write_until_full(p->a.pipe, 1); /* something to linger for, where the library holds it */
    race_start(r, p->h->l->poll);
    hub_serve(p->h, r);
    const int64_t lingers = sys_atomic_get(&p->lingers), aborts = sys_atomic_get(&p->aborts);
    REQUIRE(lingers == 1 ? sys_atomic_get(&p->first) == 0 && aborts <= 1 : sys_atomic_get(&p->first) + aborts == 1);
    REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_close(p->a.pipe, 0));
    (void)nps_pipe_abort(p->a.pipe);
    nps_pipe_release(p->a.pipe);
    peer_close(p->a.peer);
  }
  parting_end(p, r);
}

/* ---- every call against a close ---- */

static nps_result any_call(parting *p, chance *random) {
  char memory[100] = {0};
  size_t count;
  intptr_t handle;
  uint64_t unsent;
  switch (chance_below(random, 9)) {
  case 0:
    return nps_pipe_read(p->a.pipe, memory, sizeof memory, &count);
  case 1:
    return nps_pipe_write(p->a.pipe, memory, sizeof memory, &count);
  case 2:
    return nps_pipe_connect(p->a.pipe);
  case 3:
    return nps_pipe_disconnect(p->a.pipe, (int32_t)chance_below(random, 2));
  case 4:
    return nps_pipe_register(p->a.pipe, p->h->l->poll, 1, BOTH_INTERESTS);
  case 5:
    return nps_pipe_reregister(p->a.pipe, 1, NPS_INTEREST_READABLE);
  case 6:
    return nps_pipe_deregister(p->a.pipe);
  case 7:
    return nps_pipe_os_handle(p->a.pipe, &handle);
  default:
    return nps_pipe_flush_state(p->a.pipe, &unsent);
  }
}

static void call_anything(void *context, chance *random) {
  parting *p = context;
  for (bool over = false; !over;) {
    nps_result error = 1;
    over = sys_atomic_get(&p->over) != 0;
    nps_result result = any_call(p, random);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK, NPS_END_OF_STREAM, NPS_E_CLOSED, NPS_E_NOT_CONNECTED, NPS_E_BROKEN_PIPE,
        NPS_E_ALREADY_REGISTERED, NPS_E_NOT_REGISTERED, NPS_E_NOT_SUPPORTED);
    if (over)
      REQUIRE_STATUS(NPS_E_CLOSED, result);
    REQUIRE_OK(nps_pipe_take_error(p->a.pipe, &error));
  }
}

static void send_a_little(void *context, chance *random) {
  parting *p = context;
  for (int i = 0; i < 5 && peer_send(p->a.peer, "0123456789", 10); i++)
    jitter(random);
}

TEST(test_every_call_meets_a_close) { /* X2 */
  race *r = race_new();
  parting *p = parting_new();
  race_add(r, call_anything, p);
  race_add(r, call_anything, p);
  race_add(r, send_a_little, p);
  race_add(r, end_it_soon, p);
  const uint32_t rounds = race_rounds(500, 120);
  for (uint32_t round = 0; round < rounds; round++) {
    parting_begin(p, round);
    p->how = (ending)(1 + round / 2 % 2); /* not lingering: flush_state would tell of it */
    race_start(r, p->h->l->poll);
    hub_serve(p->h, r);
    nps_pipe_release(p->a.pipe);
    peer_close(p->a.peer);
  }
  parting_end(p, r);
}

/* ---- release while a wait hands out ---- */

static void release_it(void *context, chance *random) {
  parting *p = context;
  jitter(random);
  if (chance_is(random, 50))
    (void)end_it(p, (ending)chance_below(random, ENDINGS));
  nps_pipe_release(p->a.pipe);
}

TEST(test_a_pipe_is_released_while_its_events_are_handed_out) { /* rule 4, X2 */
  race *r = race_new();
  parting *p = parting_new();
  race_add(r, release_it, p);
  race_add(r, send_a_little, p);
  const uint32_t rounds = race_rounds(500, 120);
  for (uint32_t round = 0; round < rounds; round++) {
    parting_begin(p, round);
    if (round % 4 < 2)
      (void)try_write(p->a.pipe);
    race_start(r, p->h->l->poll);
    hub_serve(p->h, r);
    peer_close(p->a.peer);
  }
  parting_end(p, r);
}
