/* scenario_poll.c - waiting and waking; several threads. */
#include "scenarios.h"
#include "sys.h"
#include "world.h"

static void poll__wake(world *w, uint64_t token) {
  WORLD_OK(w, nps_poll_wake(w->poll, token));
  world_await(w, token, NPS_WAKE);
}

static void poll__run(void) {
  world w;
  world_open(&w, NULL);
  WORLD_REQUIRE(world_pump(&w, w.poll, 0) == 0);
  WORLD_REQUIRE(world_pump(&w, w.poll, 1) == 0);
  poll__wake(&w, 3);
  poll__wake(&w, 4);
  world_close(&w);
}

const scenario scenario_poll = {"poll", poll__run, false};

/* ---- a waiter that sleeps is woken; a poll is closed under another ---- */

typedef struct poll_waiter {
  nps_poll *poll;
  sys_event *woken;
  sys_atomic bad;
} poll_waiter;

#define WAKES 3
#define TOKEN 1u

static void poll__wait(void *context) {
  poll_waiter *waiter = context;
  nps_result result = NPS_OK;
  while (result == NPS_OK) {
    nps_event event;
    uint32_t count = 0;
    result = nps_poll_wait(waiter->poll, &event, 1, NPS_FOREVER, &count);
    if (result < 0 && fault_explains(result)) {
      result = NPS_OK; /* the next one works */
      continue;
    }
    if (nps_result_status(result) == NPS_E_WAIT_BUSY) {
      result = NPS_OK; /* the other thread looks whether we wait */
      continue;
    }
    if (result == NPS_OK && (count != 1 || event.readiness != NPS_WAKE)) {
      sys_atomic_set(&waiter->bad, 1);
    }
    sys_event_set(waiter->woken);
  }
  if (nps_result_status(result) != NPS_E_CLOSED) {
    sys_atomic_set(&waiter->bad, result);
  }
}

/* Until the other thread is inside its wait. */
static void poll__await_waiter(world *w) {
  uint64_t deadline = sys_now_ms() + WORLD_DEADLINE_MS;
  nps_result result = NPS_OK;
  while (nps_result_status(result) != NPS_E_WAIT_BUSY) {
    nps_event event;
    uint32_t count = 0;
    result = nps_poll_wait(w->poll, &event, 1, 0, &count);
    if (result < 0 && nps_result_status(result) != NPS_E_WAIT_BUSY) {
      world_excuse(w, result, __FILE__, __LINE__, "nps_poll_wait");
    }
    WORLD_REQUIRE(sys_now_ms() < deadline);
    sys_yield();
  }
}

static void poll__run_threads(void) {
  static poll_waiter s_waiter; /* a thread may outlive a case that failed */
  world w;
  world_open(&w, NULL);
  s_waiter = (poll_waiter){.poll = w.poll, .woken = sys_event_new()};
  sys_thread *thread = sys_thread_start(poll__wait, &s_waiter);
  for (int i = 0; i < WAKES; i++) {
    WORLD_OK(&w, nps_poll_wake(w.poll, TOKEN));
    if (!sys_event_wait(s_waiter.woken, WORLD_DEADLINE_MS)) {
      WORLD_FAIL("stuck: a wake did not arrive");
    }
  }
  poll__await_waiter(&w);
  WORLD_REQUIRE(nps_poll_close(w.poll) == NPS_OK); /* while it waits */
  sys_thread_join(thread);
  nps_poll_release(w.poll);
  WORLD_REQUIRE(sys_atomic_get(&s_waiter.bad) == 0);
  sys_event_free(s_waiter.woken);
}

const scenario scenario_threads = {"threads", poll__run_threads, true};
