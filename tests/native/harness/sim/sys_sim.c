/* sys.h over the simulated kernel: its clock, its handles, its memory; threads that take turns (actors.h). What is the same
 * everywhere (atomics, the process) comes from the system's own sys_*.c. */
#include "sys.h"

#include <stdlib.h>

#include "actors.h"
#include "test.h"

struct sys_event {
  bool set;
};

uint64_t sys_now_ms(void) {
  return os_now_ms();
}

/* The variant without os_direct_io is Windows' semantics. */
bool sys_is_windows(void) {
  return !os_direct_io;
}

sys_thread *sys_thread_start(void (*run)(void *), void *context) {
  return (sys_thread *)(void *)actor_start(run, context);
}

void sys_thread_join(sys_thread *thread) {
  if (!actor_join((actor *)(void *)thread, sys_now_ms() + 2 * TEST_DEADLINE_MS)) {
    FAIL("a helper thread does not end");
  }
}

void sys_yield(void) {
  actors_yield();
}

sys_event *sys_event_new(void) {
  sys_event *event = calloc(1, sizeof *event);
  REQUIRE(event != NULL);
  return event;
}

void sys_event_set(sys_event *event) {
  event->set = true;
  actors_pass();
}

static bool sys__is_set(void *context) {
  return ((const sys_event *)context)->set;
}

bool sys_event_wait(sys_event *event, uint32_t timeout_ms) {
  bool set = actors_wait(sys__is_set, event, sys_now_ms() + timeout_ms);
  event->set = false;
  return set;
}

void sys_event_free(sys_event *event) {
  free(event);
}

uint32_t sys_handle_count(void) {
  return sim_handles();
}

uint64_t sys_memory(void) {
  return sim_bytes();
}
