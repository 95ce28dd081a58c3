/* kernel.c - the whole state, chance, faults, and the moments at which others run. */
#include "kernel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

sim_kernel sim;

_Noreturn void sim_fail(const char *format, ...) {
  char text[400];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (sim.settings.fail != NULL) sim.settings.fail(text);
  (void)fprintf(stderr, "sim: %s\n", text);
  abort();
}

void *sim_host_alloc(size_t size) {
  void *memory = calloc(1, size);
  if (memory == NULL) sim_fail("the simulator itself has no memory");
  return memory;
}

void sim_host_free(void *memory) { free(memory); }

/* ---------------------------------------------------------------- beginning and end */

sim_settings sim_settings_plain(void) {
  sim_settings plain = {.seed = 1, .now_percent = 100, .fire_percent = 100, .deliver_percent = 100, .whole_percent = 100};
  return plain;
}

void sim_begin(const sim_settings *settings) {
  memset(&sim, 0, sizeof sim);
  sim.settings = *settings;
  sim.random = settings->seed;
  sim.now = 1000;
  sim_memory_begin();
}

sim_settings *sim_current(void) { return &sim.settings; }

void sim_finish(void) {
  while (sim.files != NULL) {
    if (sim.files->pipe != NULL) sim_fail("a pipe of the library is still open");
    sim_file_close(sim.files);
  }
  if (sim.request_count != 0) sim_fail("%u operations are still pending", sim.request_count);
  if (sim.loose_clients != 0) sim_fail("%u clients were neither accepted nor discarded", sim.loose_clients);
  if (sim.connections_open != 0) sim_fail("%u connections are still there", sim.connections_open);
  if (sim.ports != 0) sim_fail("%u ports are still there", sim.ports);
  if (sim.locks != 0 || sim.signals != 0) sim_fail("%u locks, %u signals were not destroyed", sim.locks, sim.signals);
  sim_host_free(sim.requests);
  sim.requests = NULL;
  while (sim.names != NULL) {
    sim_name *next = sim.names->next;
    sim_host_free(sim.names);
    sim.names = next;
  }
  sim_memory_finish();
}

/* ---------------------------------------------------------------- chance */

static uint64_t kernel__next(void) { /* splitmix64 */
  uint64_t z = (sim.random += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

void sim_feed(const uint8_t *bytes, size_t size) {
  sim.feed = bytes;
  sim.feed_left = size;
}

size_t sim_feed_left(void) { return sim.feed_left; }

static uint32_t kernel__fed(uint32_t below) {
  uint32_t value = 0;
  const uint32_t bytes = below <= 0x100 ? 1 : below <= 0x10000 ? 2 : 4;
  for (uint32_t i = 0; i < bytes && sim.feed_left != 0; i++, sim.feed_left--) value = value << 8 | *sim.feed++;
  return value % below;
}

uint32_t sim_random(uint32_t below) {
  if (sim.feed_left != 0) return kernel__fed(below);
  return (uint32_t)(((kernel__next() >> 32) * below) >> 32);
}

bool sim_chance(uint32_t percent) {
  if (percent == 0) return false;
  return percent >= 100 || sim_random(100) < percent;
}

uint32_t sim_part(uint32_t most) {
  return most <= 1 || sim_chance(sim.settings.whole_percent) ? most : 1 + sim_random(most);
}

bool sim_strikes(sim_fault fault) {
  bool hit = sim.fault_at[fault] != 0 && --sim.fault_at[fault] == 0;
  if (!hit && sim.settings.fault_per_10000[fault] != 0) hit = sim_random(10000) < sim.settings.fault_per_10000[fault];
  if (hit) sim.fault_hits[fault]++;
  return hit;
}

void sim_fault_at(sim_fault fault, uint32_t n) { sim.fault_at[fault] = n; }

uint32_t sim_fault_hits(sim_fault fault) { return sim.fault_hits[fault]; }

/* ---------------------------------------------------------------- steps and moments */

void sim_pass_time(uint64_t ms) { sim.now += ms; }

void sim_step(bool all) {
  if (sim.request_count == 0) return;
  /* From a place of chance on, so that no operation is always before another. A request that completes stays in the list. */
  const uint32_t start = sim_random(sim.request_count);
  for (uint32_t i = 0; i < sim.request_count; i++) {
    sim_request *request = sim.requests[(start + i) % sim.request_count];
    if (!request->completed && (all || sim_chance(sim.settings.fire_percent))) (void)sim_request_try(request);
  }
}

void sim_set_hook(void (*hook)(sim_moment moment, void *context), void *context) {
  sim.hook = hook;
  sim.hook_context = context;
}

void sim_moment_passes(sim_moment moment) {
  if (sim.hook == NULL || sim.in_hook || sim.locks_held != 0) return;
  sim.in_hook = !sim.settings.threads;
  sim.hook(moment, sim.hook_context);
  sim.in_hook = false;
}

void sim_check_unlocked(const char *where) {
  if (sim.locks_held != 0) sim_fail("%s with %u locks held", where, sim.locks_held);
}
