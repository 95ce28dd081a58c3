/* calls.c - call sequences on the simulated kernel. It is the random walk, with its model and all of its checks: but what chance
 * would decide there (the call, its arguments, what the kernel does, which call fails) the input's bytes decide. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "kernel.h"

#if !defined(FUZZ_QUARANTINE)
#define FUZZ_QUARANTINE 200 /* blocks; where a sanitizer watches them: none */
#endif

static void calls__failed(const char *message) {
  fuzz_fail("step %llu (%s): %s", (unsigned long long)world.steps, walk_kernel(), message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  memset(&world, 0, sizeof world);
  walk_begin(1, 0, FUZZ_QUARANTINE, calls__failed);
  sim_feed(data, size);
  walk_change_mood();
  while (sim_feed_left() != 0)
    walk_step();
  walk_end_all();
  return 0;
}
