/* real.c - what both real systems have in common of kernel.h: chance, the arguments of calls, and what cannot be here: faults,
 * moods, and other threads' calls. */
#include "real.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define REAL_PATIENCE_MS 10000u /* for what is owed; it comes at once, unless the machine is busy with something else */

static uint64_t real__state;
static void (*real__failed)(const char *message);

/* ---------------------------------------------------------------- chance */

uint32_t walk_random(uint32_t below) {
  real__state += 0x9E3779B97F4A7C15u;
  uint64_t mixed = real__state;
  mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
  mixed ^= mixed >> 31;
  return (uint32_t)((mixed >> 32) * below >> 32);
}

bool walk_chance(uint32_t percent) { return walk_random(100) < percent; }

_Noreturn void walk_fail(const char *format, ...) {
  char message[300];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  real__failed(message); /* does not return */
  abort();
}

/* ---------------------------------------------------------------- beginnings and ends */

void walk_begin(uint64_t seed, uint64_t episode, uint32_t quarantine, void (*failed)(const char *message)) {
  char label[80];
  (void)quarantine;
  real__state = seed << 32 | episode;
  real__failed = failed;
  (void)snprintf(label, sizeof label, "%llu-%llu", (unsigned long long)seed, (unsigned long long)episode);
  system_begin(label);
}

void walk_ending(void) {}

void walk_finish(void) {
  real_end_all();
  if (real_blocks() != 0) walk_fail("X3: %u blocks of memory are left", real_blocks());
  system_finish();
}

void walk_change_mood(void) {}

void walk_calm(void) {}

void walk_disturb(void) {}

void walk_aim_a_fault(const walk_pipe *p) { (void)p; }

/* What has a write under way lingers: chance would hardly ever close such a pipe. */
bool walk_call_rarely(walk_pipe *p) {
  const nps_pipe *pipe = p->pipe;
  if (pipe->state != PIPE_CONNECTED || !op_is_pending(pipe->out) || pipe->out->os.kind != OS_WRITE || !walk_chance(20)) return false;
  walk_close(p, true);
  return true;
}

bool walk_is_patient(walk_poll *p, uint64_t since) {
  if (os_now_ms() > since + REAL_PATIENCE_MS) return false;
  (void)walk_wait(p, WALK_EVENTS, 1);
  return true;
}

void walk_check_blocks(uint32_t known) { (void)known; /* the backend's own are not known: all are counted at the end */ }

/* ---------------------------------------------------------------- arguments */

const char *walk_long_name(void) {
  static char name[301];
  memset(name, 'x', sizeof name - 1);
  return name;
}

uint32_t walk_server_direction(uint32_t which) {
  return which == 2 ? NPS_DIRECTION_IN : which == 3 ? NPS_DIRECTION_OUT : NPS_DIRECTION_DUPLEX;
}

uint32_t walk_client_direction(uint32_t which) {
  return which == 2 ? NPS_DIRECTION_OUT : which == 3 ? NPS_DIRECTION_IN : NPS_DIRECTION_DUPLEX;
}

/* Without an end only where the end is certain. */
int64_t walk_wait_time(const walk_poll *p) {
  const uint32_t what = walk_random(100);
  if (p->wake_owed && !p->closed && what < 50) return NPS_FOREVER;
  return what < 96 ? 0 : what < 99 ? 1 : 3;
}

bool walk_tries_odd_handle(void) { return true; }

int64_t walk_linger_time(void) { return 1 + walk_random(walk_chance(50) ? 20 : 300); }
