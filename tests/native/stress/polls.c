/* Waits, wakes and the end of a poll: P3, P4, P7, X2, rule 5. */
#include "race.h"

/* ---- P3: wakes ---- */

typedef struct waking {
  nps_poll *poll;
  nps_pipe *pipe;
  int rounds;
  sys_atomic seen; /* wake events that a wait handed out */
  sys_atomic last; /* token of the last one */
  sys_atomic stop;
  sys_atomic wakers; /* that still go on */
} waking;

enum { LAST_WAKE = 1 << 30 };

static void count_wakes(void *context, chance *random) {
  waking *w = context;
  while (sys_atomic_get(&w->stop) == 0) {
    nps_event events[4];
    uint32_t count = 0;
    REQUIRE_OK(nps_poll_wait(w->poll, events, 1 + chance_below(random, 4), TEST_DEADLINE_MS, &count));
    REQUIRE(count > 0); /* nobody is silent for so long */
    for (uint32_t i = 0; i < count; i++) {
      if (events[i].readiness == NPS_WAKE) {
        sys_atomic_set(&w->last, (int64_t)events[i].token);
        (void)sys_atomic_add(&w->seen, 1);
      }
    }
    if (chance_is(random, 20))
      jitter(random);
  }
}

static void wake_and_look(void *context, chance *random) {
  waking *w = context;
  for (int i = 1; i <= w->rounds; i++) {
    const int64_t before = sys_atomic_get(&w->seen);
    if (w->pipe != NULL) { /* queue it, and make that void before it is handed out */
      REQUIRE_OK(nps_pipe_register(w->pipe, w->poll, 1, BOTH_INTERESTS));
      REQUIRE_OK(nps_pipe_deregister(w->pipe));
    }
    jitter(random);
    REQUIRE_OK(nps_poll_wake(w->poll, (uint64_t)i));
    await_at_least(&w->seen, before + 1);
  }
  if (sys_atomic_add(&w->wakers, -1) == 0) {
    REQUIRE_OK(nps_poll_wake(w->poll, LAST_WAKE)); /* the last token counts */
    await_value(&w->last, LAST_WAKE);
    sys_atomic_set(&w->stop, 1);
    REQUIRE_OK(nps_poll_wake(w->poll, LAST_WAKE));
  }
}

static waking *waking_new(race *r, nps_poll *poll, nps_pipe *pipe, int wakers, int rounds) {
  waking *w = test_new(sizeof *w);
  w->poll = poll;
  w->pipe = pipe;
  w->rounds = rounds;
  sys_atomic_set(&w->wakers, wakers);
  race_add(r, count_wakes, w);
  for (int i = 0; i < wakers; i++)
    race_add(r, wake_and_look, w);
  return w;
}

TEST(test_every_wake_ends_a_wait) { /* P3 */
  race *r = race_new();
  loop *l = loop_new();
  (void)waking_new(r, l->poll, NULL, 2, (int)race_rounds(10000, 2000));
  race_round(r);
  loop_end(l);
  race_end(r);
}

TEST(test_a_wake_is_not_lost_beside_an_event_that_is_void) { /* P3: it came while the void event was looked at */
  race *r = race_new();
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  REQUIRE_OK(nps_pipe_deregister(a.pipe));
  (void)waking_new(r, l->poll, a.pipe, 1, (int)race_rounds(20000, 3000));
  race_round(r);
  link_end(a);
  loop_end(l);
  race_end(r);
}
