#include "race.h"

#include <stdlib.h>

/* What is not the library's: stacks and heaps of the threads, the case's own blocks. */
#define MEMORY_TOLERANCE (4u * 1024u * 1024u)

typedef struct racer {
  race *of;
  racer_run *run;
  void *context;
  chance random;
  sys_event *go;
  sys_thread *thread;
} racer;

struct race {
  racer racers[MOST_RACERS];
  uint32_t count;
  chance random;
  sys_atomic arrived; /* racers that have heard of the round */
  sys_atomic running; /* racers that are not through */
  sys_atomic stop;
  sys_event *over;
  nps_poll *waker;
  uint32_t handles;
  uint64_t memory;
};

void jitter(chance *one) {
  static sys_atomic s_spin;
  const uint32_t way = chance_below(one, 16);
  if (way < 6)
    return;
  if (way < 14) {
    const uint32_t spins = chance_below(one, way < 11 ? 40 : 1000);
    for (uint32_t i = 0; i < spins; i++)
      (void)sys_atomic_get(&s_spin);
    return;
  }
  sys_yield();
}

uint32_t race_rounds(uint32_t rounds, uint32_t wine_rounds) {
  const char *percent = getenv("NPS_STRESS_PERCENT");
  uint64_t all = sys_is_windows() ? wine_rounds : rounds;
  if (sys_memory() == 0)
    all = (all + 1) / 2;
  if (percent != NULL)
    all = all * strtoull(percent, NULL, 10) / 100u;
  return all == 0 ? 1 : (uint32_t)all;
}

static void racer__main(void *context) {
  racer *me = context;
  race *of = me->of;
  for (;;) {
    while (!sys_event_wait(me->go, TEST_DEADLINE_MS)) {}
    if (sys_atomic_get(&of->stop) != 0)
      return;
    (void)sys_atomic_add(&of->arrived, 1);
    while (sys_atomic_get(&of->arrived) < (int64_t)of->count)
      sys_yield();
    jitter(&me->random);
    me->run(me->context, &me->random);
    nps_poll *waker = of->waker;
    if (sys_atomic_add(&of->running, -1) == 0) {
      if (waker != NULL)
        REQUIRE_OK(nps_poll_wake(waker, WAKE_FINISHED));
      sys_event_set(of->over);
    }
  }
}

/* Whatever is made at the first use of a pipe, and stays, is made now. */
static void race__warm_up(void) {
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  linked b = link_new(l, 2, OUR_CLIENT);
  link_end(a);
  link_end(b);
  loop_end(l);
}

race *race_new(void) {
  race *made = test_new(sizeof *made);
  const char *given = getenv("NPS_STRESS_SEED");
  const uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : sys_now_ms() * 2654435761u % 1000000007u;
  test_note("NPS_STRESS_SEED=%llu", (unsigned long long)seed);
  made->random.state = seed;
  race__warm_up();
  made->handles = sys_handle_count();
  made->memory = sys_memory();
  made->over = sys_event_new();
  return made;
}

void race_add(race *one, racer_run *run, void *context) {
  REQUIRE(one->count < MOST_RACERS);
  racer *added = &one->racers[one->count++];
  added->of = one;
  added->run = run;
  added->context = context;
  added->random.state = chance_next(&one->random);
  added->go = sys_event_new();
  added->thread = sys_thread_start(racer__main, added);
}

chance *race_chance(race *one) {
  return &one->random;
}

void race_start(race *one, nps_poll *waker) {
  one->waker = waker;
  sys_atomic_set(&one->arrived, 0);
  sys_atomic_set(&one->running, one->count);
  for (uint32_t i = 0; i < one->count; i++)
    sys_event_set(one->racers[i].go);
}

bool race_is_over(race *one) {
  return sys_atomic_get(&one->running) == 0;
}

void race_join(race *one) {
  uint64_t deadline = test_deadline();
  while (!sys_event_wait(one->over, 100)) {
    if (test_has_failed())
      FAIL("a racer has failed");
    if (test_expired(deadline))
      FAIL("%lld of %u racers do not end", (long long)sys_atomic_get(&one->running), one->count);
  }
}

void race_round(race *one) {
  race_start(one, NULL);
  race_join(one);
}

void race_end(race *one) {
  sys_atomic_set(&one->stop, 1);
  for (uint32_t i = 0; i < one->count; i++) {
    sys_event_set(one->racers[i].go);
    sys_thread_join(one->racers[i].thread);
    sys_event_free(one->racers[i].go);
  }
  sys_event_free(one->over);
  if (one->count > 0 && sys_memory() > one->memory + MEMORY_TOLERANCE)
    FAIL("%llu bytes more than at the start", (unsigned long long)(sys_memory() - one->memory));
  REQUIRE_EQUAL(one->handles, sys_handle_count());
}

void await_value(sys_atomic *what, int64_t value) {
  uint64_t deadline = test_deadline();
  while (sys_atomic_get(what) != value) {
    REQUIRE(!test_expired(deadline));
    sys_yield();
  }
}

void await_at_least(sys_atomic *what, int64_t value) {
  uint64_t deadline = test_deadline();
  while (sys_atomic_get(what) < value) {
    REQUIRE(!test_expired(deadline));
    sys_yield();
  }
}

bool is_one_of(nps_result result, const int32_t *statuses) {
  const int32_t status = nps_result_status(result);
  while (*statuses != NPS_OK && *statuses != status)
    statuses++;
  return *statuses == status;
}

void require_one_of(nps_result result, const int32_t *statuses, const char *file, int line, const char *text) {
  if (!is_one_of(result, statuses))
    test_fail(file, line, "%s gives %s (detail %u)", text, nps_status_name(nps_result_status(result)),
        nps_result_detail(result));
}
