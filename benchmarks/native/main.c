/* main.c - a child of the harness: reads commands, a line each, plays them, answers each with a line.
 *
 *   run one-thread|two-threads SCENARIO SIZE PIPES WARMUP OPS     ->  = NANOSECONDS 0 PROCESSOR_NANOSECONDS
 *   idle PAIRS                                                    ->  = 0 0 0, once; the pairs stay open
 * End of input closes them and ends it. A failure is a line that begins with "!", and exit code 1.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "driver.h"

static bool main__scenario(const char *text, bench_scenario *scenario) {
  static const struct {
    const char *text;
    bench_scenario scenario;
  } names[] = {
      {"pingpong", BENCH_PINGPONG}, {"stream", BENCH_STREAM}, {"fanin", BENCH_FANIN}, {"connect", BENCH_CONNECT}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(text, names[i].text) != 0)
      continue;
    *scenario = names[i].scenario;
    return true;
  }
  return false;
}

static bool main__run(const char *line) {
  char variant[16];
  char scenario[16];
  bench_case which = {0};
  if (sscanf(line, "run %15s %15s %" SCNu32 " %" SCNu32 " %" SCNu64 " %" SCNu64, variant, scenario, &which.size,
          &which.pipes, &which.warmup, &which.ops) != 6) {
    return false;
  }
  which.two_threads = strcmp(variant, "two-threads") == 0;
  if (!main__scenario(scenario, &which.scenario) || which.pipes == 0 || which.warmup == 0 || which.ops == 0)
    return false;
  if (which.size == 0 || which.size >= BENCH_READ_CAPACITY)
    return false;
  bench_measure measure = bench_play(&which);
  printf("= %" PRIu64 " 0 %" PRIu64 "\n", measure.elapsed, measure.processor);
  return true;
}

static bool main__idle(const char *line, struct bench_run **held) {
  uint32_t pairs = 0;
  if (sscanf(line, "idle %" SCNu32, &pairs) != 1 || pairs == 0 || *held != NULL)
    return false;
  *held = bench_hold_pairs(pairs);
  printf("= 0 0 0\n");
  return true;
}

int main(void) {
  char line[256];
  struct bench_run *held = NULL;
  bench_raise_handle_limit();
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (!main__run(line) && !main__idle(line, &held)) {
      printf("! not a command: %s\n", line);
      return 1;
    }
    fflush(stdout);
  }
  if (held != NULL)
    bench_let_go(held);
  return 0;
}
