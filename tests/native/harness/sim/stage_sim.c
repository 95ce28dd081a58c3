/* Each case runs in fresh simulated kernels, and must leave nothing in them. Round N has seed N. Seed 0 is plain: everything happens
 * at once; the others also decide how eager the kernel is, and how often another thread's turn comes. NPS_TEST_SEED=N in the environment: that seed alone.
 * NPS_TEST_ROUNDS=N: so many of them. STAGE_ROUNDS and STAGE_QUARANTINE come from CMakeLists.txt. */
#include "stage.h"

#include <stdlib.h>

#include "actors.h"
#include "test.h"

static uint64_t stage__seed;

static uint64_t stage__number(const char *name, uint64_t otherwise) {
  const char *text = getenv(name);
  return text == NULL || text[0] == '\0' ? otherwise : strtoull(text, NULL, 10);
}

uint32_t stage_rounds(void) {
  return getenv("NPS_TEST_SEED") != NULL ? 1 : (uint32_t)stage__number("NPS_TEST_ROUNDS", STAGE_ROUNDS);
}

static void stage__fail(const char *message) {
  FAIL("%s", message);
}

static void stage__choose(sim_settings *now) {
  static const uint32_t shares[] = {0, 20, 50, 80, 100};
  now->now_percent = shares[sim_random(5)];
  now->fire_percent = shares[1 + sim_random(4)];
  now->deliver_percent = shares[1 + sim_random(4)];
  now->lose_percent = shares[sim_random(5)];
  now->take_back_percent = shares[sim_random(5)];
  now->whole_percent = shares[sim_random(5)];
  now->spurious_percent = sim_random(3);
}

void stage_begin(uint32_t round) {
  stage__seed = stage__number("NPS_TEST_SEED", round);
  sim_settings settings = sim_settings_plain();
  settings.seed = stage__seed;
  settings.quarantine = STAGE_QUARANTINE;
  settings.quota = 65536; /* as Windows has it by default: a case may count on that much */
  settings.backlog = 16;
  settings.name_limit = os_direct_io ? 107 : 256;
  settings.prompt = true;
  settings.threads = true;
  settings.fail = stage__fail;
  test_note("(again: NPS_TEST_SEED=%llu)", (unsigned long long)stage__seed);
  sim_begin(&settings);
  uint32_t switch_percent = 5;
  if (stage__seed != 0) {
    stage__choose(sim_current());
    switch_percent = 2 + sim_random(30);
  }
  actors_begin(switch_percent);
  sim_set_hook(actors_moment, NULL);
}

void stage_end(void) {
  sim_set_hook(NULL, NULL);
  sim_finish();
  actors_end();
}
