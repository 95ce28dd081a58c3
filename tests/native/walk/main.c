/* nps_walk_KERNEL [--seed N] [--seeds K] [--steps M] [--least C] [--quarantine Q]
 *
 * Walks K seeds (50) from N (1) on, M steps (20000) each, and prints how many steps that were. With --least, every combination
 * of state, call and outcome that is reachable must be met C times, and the table is printed. A seed that fails is printed with
 * the step: nps_walk_KERNEL --seed N --seeds 1 --steps M. On the simulated kernel that fails again in the same way; on a real one
 * the same calls are made for as long as the system answers them as it did. Q: blocks of freed memory that the simulated kernel
 * keeps and watches. */
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>

#define EPISODE_STEPS 800u

static uint64_t main__seed;

static void main__fail(const char *message) {
  printf("FAIL seed %llu step %llu (%s): %s\n", (unsigned long long)main__seed, (unsigned long long)world.steps,
         walk_kernel(), message);
  printf("replay: nps_walk_%s --seed %llu --seeds 1 --steps %llu\n", walk_kernel(),
         (unsigned long long)main__seed, (unsigned long long)world.steps + 1);
  fflush(stdout);
  exit(1);
}

/* ---------------------------------------------------------------- one seed */

/* A seed's steps come in episodes, each in a new and empty world: beginnings are rare in an old one. */
static uint64_t main__walk(uint64_t seed, uint64_t steps, uint32_t quarantine) {
  main__seed = seed;
  uint64_t done = 0;
  for (uint64_t episode = 0; done < steps; episode++) {
    memset(&world, 0, sizeof world);
    world.steps = done;
    walk_begin(seed, episode, quarantine, main__fail);
    walk_change_mood();
    const uint64_t end = done + EPISODE_STEPS < steps ? done + EPISODE_STEPS : steps;
    while (world.steps < end) walk_step();
    walk_end_all();
    done = world.steps;
  }
  return done;
}

/* ---------------------------------------------------------------- the program */

typedef struct main_arguments {
  uint64_t seed, seeds, steps, least, quarantine;
} main_arguments;

static bool main__parse(int argc, char **argv, main_arguments *arguments) {
  for (int i = 1; i + 1 < argc; i += 2) {
    uint64_t *value = strcmp(argv[i], "--seed") == 0         ? &arguments->seed
                      : strcmp(argv[i], "--seeds") == 0      ? &arguments->seeds
                      : strcmp(argv[i], "--steps") == 0      ? &arguments->steps
                      : strcmp(argv[i], "--least") == 0      ? &arguments->least
                      : strcmp(argv[i], "--quarantine") == 0 ? &arguments->quarantine
                                                             : NULL;
    if (value == NULL) return false;
    *value = strtoull(argv[i + 1], NULL, 10);
  }
  return argc % 2 == 1;
}

int main(int argc, char **argv) {
  main_arguments arguments = {.seed = 1, .seeds = 50, .steps = 20000, .quarantine = 200};
  if (!main__parse(argc, argv, &arguments)) {
    fprintf(stderr, "nps_walk [--seed N] [--seeds K] [--steps M] [--least C] [--quarantine Q]\n");
    return 2;
  }
  uint64_t steps = 0;
  for (uint64_t i = 0; i < arguments.seeds; i++) steps += main__walk(arguments.seed + i, arguments.steps, (uint32_t)arguments.quarantine);
  const uint32_t missed = arguments.least != 0 ? walk_print_coverage((uint32_t)arguments.least) : 0;
  printf("walk (%s): seeds %llu to %llu, %llu steps, 0 violations\n", walk_kernel(),
         (unsigned long long)arguments.seed, (unsigned long long)(arguments.seed + arguments.seeds - 1), (unsigned long long)steps);
  return missed == 0 ? 0 : 1;
}
