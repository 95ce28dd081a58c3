/* The soak: threads that wait and move links on, for a time given; what the process holds before and after. */
#include <stdio.h>
#include <stdlib.h>

#include "soak.h"

/* Memory that may be there at the end and was not after the warm-up: freed blocks that a heap keeps. */
#define MEMORY_TOLERANCE (6u * 1024u * 1024u)

enum { MOST_THREADS = 32 };

const char *const op_names[OP_KINDS] = {"create", "open", "peer", "adopt", "export", "register", "reregister",
    "deregister", "connect", "disconnect", "relisten", "read", "write", "query", "close", "linger", "abort", "wait",
    "busy", "event", "wake", "poll life", "connection", "cut"};

typedef struct runner {
  soak *s;
  chance random;
  const char *name; /* for polls of its own */
  sys_atomic *going; /* 1 while the threads are to run */
  sys_atomic *resting; /* threads that do not */
  sys_event *go;
  sys_thread *thread;
} runner;

typedef struct holding {
  uint64_t memory;
  uint32_t handles;
  uint32_t threads;
} holding;

static void runner_turn(runner *me) {
  soak *s = me->s;
  chance *random = &me->random;
  const uint32_t what = chance_below(random, 1000);
  if (what < 400) {
    soak_wait(s, chance_below(random, POLLS), random);
  } else if (what < 402) {
    soak_poll_life(s, me->name, random);
  } else if (what < 410) {
    REQUIRE_OK(nps_poll_wake(s->polls[chance_below(random, POLLS)], chance_next(random)));
    soak_count(s, OP_WAKE);
  } else {
    link *one = &s->links[chance_below(random, s->link_count)];
    if (sys_atomic_add(&one->held, 1) == 1) {
      for (uint32_t i = chance_below(random, 20); i > 0; i--)
        link_step(s, one, random);
    }
    (void)sys_atomic_add(&one->held, -1);
  }
}

/* The thread lives until every pipe is closed: what it started may be pending (Wine would lose it). */
static void runner_main(void *context) {
  runner *me = context;
  for (;;) {
    while (!sys_event_wait(me->go, TEST_DEADLINE_MS)) {}
    if (sys_atomic_get(me->going) < 0)
      return;
    while (sys_atomic_get(me->going) == 1)
      runner_turn(me);
    (void)sys_atomic_add(me->resting, 1);
  }
}

static uint64_t option(const char *name, uint64_t otherwise) {
  const char *given = test_option(name);
  return given != NULL ? strtoull(given, NULL, 10) : otherwise;
}

static holding look(void) {
  return (holding){sys_memory(), sys_handle_count(), sys_thread_count()};
}

static void report(const soak *s, const char *when, holding now) {
  printf("soak %s: memory %llu KiB, %u handles, %u threads\n", when, (unsigned long long)now.memory / 1024, now.handles,
      now.threads);
  printf("soak %s: %lld bytes;", when, (long long)s->bytes.value);
  for (int i = 0; i < OP_KINDS; i++)
    printf(" %s %lld%s", op_names[i], (long long)s->ops[i].value, i + 1 < OP_KINDS ? "," : "\n");
  fflush(stdout);
}

static void run_for(soak *s, runner *runners, uint32_t threads, uint64_t ms) {
  for (int i = 0; i < POLLS; i++)
    REQUIRE_OK(nps_poll_create(NULL, &s->polls[i]));
  for (uint32_t i = 0; i < s->link_count; i++)
    s->links[i].moved_at = sys_now_ms();
  sys_atomic_set(runners->resting, 0);
  sys_atomic_set(runners->going, 1);
  for (uint32_t i = 0; i < threads; i++)
    sys_event_set(runners[i].go);
  sys_event *clock = sys_event_new(); /* that nobody sets */
  for (uint64_t until = sys_now_ms() + ms; sys_now_ms() < until;) {
    (void)sys_event_wait(clock, 100);
    test_alive();
    if (test_has_failed())
      FAIL("a thread has failed");
  }
  sys_event_free(clock);
  sys_atomic_set(runners->going, 0);
  for (uint64_t deadline = test_deadline(); sys_atomic_get(runners->resting) < (int64_t)threads; sys_yield())
    REQUIRE(!test_has_failed() && !test_expired(deadline));
  for (uint32_t i = 0; i < s->link_count; i++)
    link_clear(&s->links[i]);
  for (int i = 0; i < POLLS; i++) {
    REQUIRE_OK(nps_poll_close(s->polls[i]));
    nps_poll_release(s->polls[i]);
  }
}

static runner *runners_new(soak *s, uint32_t threads, chance *random) {
  runner *made = test_new(threads * sizeof *made);
  sys_atomic *going = test_new(sizeof *going), *resting = test_new(sizeof *resting);
  for (uint32_t i = 0; i < threads; i++) {
    made[i] = (runner){s, {chance_next(random)}, test_name(), going, resting, sys_event_new(), NULL};
    made[i].thread = sys_thread_start(runner_main, &made[i]);
  }
  return made;
}

static void runners_end(runner *runners, uint32_t threads) {
  sys_atomic_set(runners->going, -1);
  for (uint32_t i = 0; i < threads; i++) {
    sys_event_set(runners[i].go);
    sys_thread_join(runners[i].thread);
    sys_event_free(runners[i].go);
  }
}

TEST(test_soak) {
  chance random = {option("seed", sys_now_ms())};
  const uint64_t ms = option("seconds", NPS_SOAK_SECONDS) * 1000u;
  const uint32_t threads = (uint32_t)option("threads", 4);
  soak *s = test_new(sizeof *s);
  s->link_count = (uint32_t)option("pipes", 50);
  REQUIRE(threads >= 1 && threads <= MOST_THREADS && s->link_count >= 1 && s->link_count <= MOST_LINKS);
  test_note("--seed %llu", (unsigned long long)random.state);
  printf("soak: %llu s, %u threads, %u servers, %d polls, seed %llu\n", (unsigned long long)ms / 1000, threads,
      s->link_count, POLLS, (unsigned long long)random.state);
  for (uint32_t i = 0; i < s->link_count; i++) {
    s->links[i].index = i;
    s->links[i].name = test_name();
  }
  runner *runners = runners_new(s, threads, &random);
  run_for(s, runners, threads, ms / 5);
  const holding before = look();
  report(s, "after the warm-up", before);
  run_for(s, runners, threads, ms - ms / 5);
  const holding after = look();
  report(s, "at the end", after);
  runners_end(runners, threads);
  REQUIRE_EQUAL(before.handles, after.handles);
  REQUIRE_EQUAL(before.threads, after.threads);
  if (after.memory > before.memory + MEMORY_TOLERANCE)
    FAIL("%llu bytes more than after the warm-up", (unsigned long long)(after.memory - before.memory));
  for (int i = 0; i < OP_KINDS; i++) {
    if (sys_atomic_get(&s->ops[i]) == 0)
      printf("soak: no %s\n", op_names[i]);
  }
}
