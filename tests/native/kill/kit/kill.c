/* kill.c - rounds: their seeds, their plans, their threads. A round that fails ends its thread and is named. */
#include "kill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 3 };
#define TOKEN 1

typedef struct kill_job {
  void (*draw)(kill_plan *plan, uint64_t *state);
  void (*run)(kill_round *round);
  uint64_t first_seed;
  int count;
  sys_atomic taken;
} kill_job;

typedef struct kill_worker {
  kill_job *job;
  kill_round *round;
  sys_thread *thread;
} kill_worker;

uint64_t kill_draw(uint64_t *state, uint64_t below) {
  *state += 0x9E3779B97F4A7C15u;
  uint64_t mixed = *state;
  mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
  return (mixed ^ mixed >> 31) % below;
}

/* Small as often as large: 1 to `most`. */
static uint64_t kill__draw_size(uint64_t *state, uint64_t most) {
  uint64_t limit = most >> kill_draw(state, 14);
  return 1 + kill_draw(state, limit > 0 ? limit : 1);
}

static void kill__plan(kill_plan *plan, uint64_t seed, void (*draw)(kill_plan *, uint64_t *)) {
  uint64_t state = seed;
  memset(plan, 0, sizeof *plan);
  plan->seed = seed;
  (void)snprintf(plan->name, sizeof plan->name, "nps-kill-%u-%llu", sys_process_id(), (unsigned long long)seed);
  uint64_t libraries = kill_draw(&state, 4); /* in both with the same odds as in one */
  plan->child_ours = libraries != 0;
  plan->survivor_ours = libraries != 1;
  plan->child_serves = kill_draw(&state, 2) == 0;
  plan->survivor_looks_on = kill_draw(&state, 4) == 0;
  plan->death_first = kill_draw(&state, 2) == 0;
  plan->child_chunk = (size_t)kill__draw_size(&state, KILL_BUFFER);
  plan->survivor_chunk = (size_t)kill__draw_size(&state, KILL_BUFFER);
  plan->moment_us = kill__draw_size(&state, sys_is_windows() ? 20000 : 4000);
  plan->moment_bytes = kill_draw(&state, 2) == 0 ? UINT64_MAX : kill__draw_size(&state, 2000000);
  draw(plan, &state);
}

static void kill__tell(const kill_plan *plan) {
  static const char *const s_activities[] = {
      "writing", "reading", "both", "idle", "lingering", "connecting", "creating"};
  printf(
      "  seed %llu: %s %s killed while %s after %llu us or %lld bytes, chunks of %llu; survivor %s%s%s, chunks of %llu\n",
      (unsigned long long)plan->seed, plan->child_ours ? "our" : "plain", plan->child_serves ? "server" : "client",
      s_activities[plan->activity], (unsigned long long)plan->moment_us, (long long)plan->moment_bytes,
      (unsigned long long)plan->child_chunk, plan->survivor_ours ? "ours" : "plain",
      plan->survivor_looks_on ? ", looks on" : "", plan->death_first ? ", death first" : "",
      (unsigned long long)plan->survivor_chunk);
  fflush(stdout);
}

static void kill__work(void *context) {
  kill_worker *worker = context;
  kill_job *job = worker->job;
  kill_round *round = worker->round;
  while (!test_has_failed()) {
    int64_t index = sys_atomic_add(&job->taken, 1) - 1;
    if (index >= job->count) {
      return;
    }
    test_alive();
    kill__plan(&round->plan, job->first_seed + (uint64_t)index, job->draw);
    round->pipe = NULL;
    round->peer = NULL;
    round->child = NULL;
    memset(round->board, 0, sizeof *round->board);
    round->board->plan = round->plan;
    loop_reset(round->loop, TOKEN);
    round->in_use = true;
    job->run(round);
    round->in_use = false;
  }
}

static uint64_t kill__first_seed(void) {
  const char *given = getenv("NPS_KILL_SEED");
  return given != NULL ? strtoull(given, NULL, 10) : sys_now_us() * 1000 % 1000000007u * 1000;
}

void kill_rounds(
    int on_linux, int on_windows, void (*draw)(kill_plan *plan, uint64_t *state), void (*run)(kill_round *)) {
  static kill_round s_rounds[THREADS_MAX];
  kill_worker *workers = test_new(THREADS_MAX * sizeof *workers);
  kill_job *job = test_new(sizeof *job);
  /* Windows: to start a process is mostly waiting. Linux: a child is a fork, and no other thread may be in the library then. */
  int threads = sys_is_windows() ? THREADS_MAX : 1;
  job->draw = draw;
  job->run = run;
  job->first_seed = kill__first_seed();
  job->count = sys_is_windows() ? on_windows : on_linux;
  test_note("(first seed %llu)", (unsigned long long)job->first_seed);
  kill_temp_begin();
  for (int i = 0; i < threads; i++) {
    kill_round *round = &s_rounds[i];
    round->in_use = false;
    round->loop = loop_new();
    round->shared = sys_shared_new(sizeof(kill_board));
    round->board = round->shared.memory;
    workers[i] = (kill_worker){job, round, NULL};
  }
  for (int i = 0; i < threads; i++) {
    workers[i].thread = sys_thread_start(kill__work, &workers[i]);
  }
  for (int i = 0; i < threads; i++) {
    sys_thread_join(workers[i].thread);
  }
  for (int i = 0; i < threads; i++) {
    kill_round *round = workers[i].round;
    if (round->in_use) {
      kill__tell(&round->plan);
      if (round->child != NULL) {
        sys_process_kill(round->child);
        (void)sys_process_wait(round->child);
      }
    } else {
      loop_end(round->loop);
    }
    sys_shared_free(&round->shared);
  }
  kill_temp_end();
}

void kill_start_child(kill_round *round) {
  round->child = sys_spawn("kill_child", round->shared.id);
}

bool kill_moment_has_come(const kill_round *round, uint64_t since, uint64_t moved) {
  return moved >= round->plan.moment_bytes || sys_now_us() - since >= round->plan.moment_us;
}

void kill_bury(kill_round *round) {
  sys_process *child = round->child;
  round->child = NULL;
  REQUIRE_EQUAL(SYS_KILLED, sys_process_wait(child));
}
