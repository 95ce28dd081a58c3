/* nps_fuzz_TARGET_replay TARGET MUTATIONS SEED_FILE...
 *
 * Where there is no libFuzzer: runs each kept input once, then MUTATIONS inputs made of them by chance, always the same ones. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLAY_MOST 8192u

static uint64_t replay__state = 1;

static uint32_t replay__random(uint32_t below) { /* splitmix64 */
  uint64_t z = (replay__state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return (uint32_t)((z ^ (z >> 31)) % below);
}

static size_t replay__load(const char *path, uint8_t *bytes) {
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    fuzz_fail("cannot open %s", path);
  const size_t size = fread(bytes, 1, REPLAY_MOST, file);
  (void)fclose(file);
  return size;
}

/* In a block of just its size, so that who reads beyond it is seen. */
static void replay__run(const uint8_t *bytes, size_t size) {
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  if (copy == NULL)
    fuzz_fail("no memory for an input");
  memcpy(copy, bytes, size);
  (void)LLVMFuzzerTestOneInput(copy, size);
  free(copy);
}

static size_t replay__mutate(uint8_t *bytes, size_t size, const uint8_t *other, size_t other_size) {
  const uint32_t place = replay__random((uint32_t)size + 1);
  switch (replay__random(5)) {
  case 0: /* another byte */
    if (place < size)
      bytes[place] = (uint8_t)replay__random(256);
    return size;
  case 1: /* another bit */
    if (place < size)
      bytes[place] ^= (uint8_t)(1u << replay__random(8));
    return size;
  case 2: /* one less */
    if (place >= size)
      return size;
    memmove(bytes + place, bytes + place + 1, size - place - 1);
    return size - 1;
  case 3: /* one more */
    if (size == REPLAY_MOST)
      return size;
    memmove(bytes + place + 1, bytes + place, size - place);
    bytes[place] = (uint8_t)replay__random(256);
    return size + 1;
  default: /* another input's end */
    if (place >= other_size)
      return size;
    memcpy(bytes + place, other + place, other_size - place);
    return other_size;
  }
}

int main(int argc, char **argv) {
  static uint8_t bytes[REPLAY_MOST], other[REPLAY_MOST];
  if (argc < 4) {
    (void)fprintf(stderr, "nps_fuzz_TARGET_replay TARGET MUTATIONS SEED_FILE...\n");
    return 2;
  }
  const uint32_t mutations = (uint32_t)strtoul(argv[2], NULL, 10), seeds = (uint32_t)argc - 3;
  for (uint32_t i = 0; i < seeds; i++) {
    const size_t size = replay__load(argv[3 + i], bytes);
    replay__run(bytes, size);
  }
  printf("ok   test_fuzz_%s_replays_its_seeds (%u seeds)\n", argv[1], seeds);
  (void)fflush(stdout);
  for (uint32_t i = 0; i < mutations; i++) {
    size_t size = replay__load(argv[3 + replay__random(seeds)], bytes);
    const size_t other_size = replay__load(argv[3 + replay__random(seeds)], other);
    for (uint32_t times = 1 + replay__random(8); times > 0; times--)
      size = replay__mutate(bytes, size, other, other_size);
    replay__run(bytes, size);
  }
  printf("ok   test_fuzz_%s_finds_nothing_in_changed_seeds (%u inputs)\n", argv[1], mutations);
  return 0;
}
