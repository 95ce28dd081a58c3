#include "actors.h"

#include <stdlib.h>

#include "real.h"
#include "test.h"

struct actor {
  actor *next;
  real_event *turn; /* set: it may run */
  real_thread *thread; /* null: the case's own */
  void (*run)(void *context);
  void *context;
  bool (*ready)(void *context); /* null: it can go on */
  void *ready_context;
  uint64_t deadline; /* of ready */
  bool ended;
};

static actor *actors__all;
static actor *actors__running;
static uint32_t actors__switch_percent;

static actor *actors__new(void (*run)(void *), void *context) {
  actor *made = calloc(1, sizeof *made);
  REQUIRE(made != NULL);
  made->turn = real_event_new();
  made->run = run;
  made->context = context;
  made->next = actors__all;
  actors__all = made;
  return made;
}

static void actors__free(actor *one) {
  actor **link = &actors__all;
  while (*link != one) {
    link = &(*link)->next;
  }
  *link = one->next;
  real_event_free(one->turn);
  free(one);
}

/* Those of a case that failed wait for their turn for ever. */
void actors_begin(uint32_t switch_percent) {
  actors__all = NULL;
  actors__running = actors__new(NULL, NULL);
  actors__switch_percent = switch_percent;
}

void actors_end(void) {
  if (actors__running->next != NULL || actors__all != actors__running) {
    FAIL("a thread of the case was not joined");
  }
  actors__free(actors__running);
  actors__running = NULL;
}

/* ---------------------------------------------------------------- whose turn it is */

static bool actors__can_go_on(const actor *one) {
  return !one->ended && (one->ready == NULL || one->ready(one->ready_context) || test_expired(one->deadline));
}

/* Another one that can go on, by chance. */
static actor *actors__pick(void) {
  actor *found = NULL;
  uint32_t seen = 0;
  for (actor *one = actors__all; one != NULL; one = one->next) {
    if (one != actors__running && actors__can_go_on(one) && sim_random(++seen) == 0) {
      found = one;
    }
  }
  return found;
}

static void actors__await_turn(actor *one) {
  while (!real_event_wait(one->turn, 60000)) {}
}

/* Returns when it is the calling thread's turn again; at once if that has ended. */
static void actors__hand_over(actor *to) {
  actor *from = actors__running;
  bool ended = from->ended; /* who joins it frees it */
  actors__running = to;
  real_event_set(to->turn);
  if (!ended) {
    actors__await_turn(from);
  }
}

/* Nobody can go on: the kernel works, and time passes. */
static void actors__idle(void) {
  sim_step(false);
  sim_pass_time(1 + sim_random(4));
}

static void actors__main(void *context) {
  actor *me = context;
  actor *next;
  actors__await_turn(me);
  test_run_thread(me->run, me->context); /* here, so that a failed check ends only that */
  me->ended = true;
  while ((next = actors__pick()) == NULL) {
    actors__idle();
  }
  actors__hand_over(next);
}

/* ---------------------------------------------------------------- for the case */

bool actors_is_helper(void) {
  return actors__running->thread != NULL;
}

actor *actor_start(void (*run)(void *), void *context) {
  actor *made = actors__new(run, context);
  made->thread = real_thread_start(actors__main, made);
  actors_pass();
  return made;
}

static bool actors__has_ended(void *context) {
  return ((const actor *)context)->ended;
}

bool actor_join(actor *one, uint64_t deadline) {
  if (!actors_wait(actors__has_ended, one, deadline)) {
    return false;
  }
  real_thread_join(one->thread);
  actors__free(one);
  return true;
}

bool actors_wait(bool (*ready)(void *context), void *context, uint64_t deadline) {
  actor *me = actors__running;
  while (!ready(context)) {
    if (test_expired(deadline)) {
      return false;
    }
    me->ready = ready;
    me->ready_context = context;
    me->deadline = deadline;
    actor *other = actors__pick();
    if (other != NULL) {
      actors__hand_over(other);
    } else {
      actors__idle();
    }
    me->ready = NULL;
  }
  return true;
}

static void actors__step(uint32_t switch_percent) {
  sim_step(false);
  if (sim_chance(5)) {
    sim_pass_time(1); /* who only asks again and again has a deadline too */
  }
  actor *other = sim_chance(switch_percent) ? actors__pick() : NULL;
  if (other != NULL) {
    actors__hand_over(other);
  }
}

void actors_pass(void) {
  actors__step(actors__switch_percent);
}

void actors_yield(void) {
  actors__step(100);
}

void actors_moment(sim_moment moment, void *context) {
  (void)context;
  if (actors__all->next == NULL) {
    if (moment == SIM_SIGNAL) {
      FAIL("the library waits for another thread, and there is none");
    }
    return;
  }
  if (moment == SIM_UNLOCKED && !sim_chance(actors__switch_percent)) {
    return;
  }
  actor *other = actors__pick();
  if (other != NULL) {
    actors__hand_over(other);
  } else if (moment == SIM_SIGNAL) {
    actors__idle();
  }
}
