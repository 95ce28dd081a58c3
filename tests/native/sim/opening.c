/* nps_pipe_open with a time limit, to the millisecond: the clock is the kernel's (K2). And making pipes without memory. */
#include "script.h"

enum { LONGEST_NAPS = 64 };

typedef struct naps {
  uint64_t ends[LONGEST_NAPS]; /* when each nap ended */
  uint32_t count;
  sim_file *server; /* appears after `serve_after` naps, 0: never */
  uint32_t serve_after;
} naps;

static void note_nap(sim_moment moment, void *context) {
  naps *n = context;
  if (moment != SIM_NAP)
    return;
  REQUIRE(n->count < LONGEST_NAPS);
  n->ends[n->count++] = os_now_ms();
  if (n->count == n->serve_after)
    n->server = sim_serve("late", NPS_DIRECTION_DUPLEX, 100);
}

static nps_result open_within(int64_t timeout_ms, nps_pipe **pipe) {
  nps_client_options options;
  REQUIRE_OK(nps_client_options_init(&options, sizeof options));
  options.name = "late";
  options.timeout_ms = timeout_ms;
  return nps_pipe_open(&options, pipe);
}

static void require_naps(const naps *n, uint64_t start, const uint64_t *expected, uint32_t count) {
  REQUIRE_EQUAL(count, n->count);
  for (uint32_t i = 0; i < count; i++) {
    start += expected[i];
    REQUIRE_EQUAL(start, n->ends[i]);
  }
}

/* Twice as long each time, up to a bound; the last nap is what is left, so that the call ends when its time is over. */
TEST(test_open_tries_at_growing_intervals_until_its_time_is_over) { /* K2 */
  static const uint64_t expected[] = {1, 2, 4, 8, 16, 32, 32, 32, 23};
  script s = script_begin();
  naps n = {.count = 0};
  nps_pipe *pipe = NULL;
  sim_pass_time(1000); /* a clock that does not begin at 0 */
  const uint64_t start = os_now_ms();
  sim_set_hook(note_nap, &n);
  REQUIRE_STATUS(NPS_E_NOT_FOUND, open_within(150, &pipe));
  require_naps(&n, start, expected, sizeof expected / sizeof expected[0]);
  n.count = 0;
  REQUIRE_STATUS(NPS_E_NOT_FOUND, open_within(0, &pipe)); /* one try */
  REQUIRE_EQUAL(0, n.count);
  script_end(&s);
}

TEST(test_open_without_an_end_goes_on_until_somebody_serves) { /* K2 */
  static const uint64_t expected[] = {1, 2, 4, 8, 16, 32, 32, 32, 32, 32};
  script s = script_begin();
  naps n = {.serve_after = sizeof expected / sizeof expected[0]};
  nps_pipe *pipe = NULL;
  const uint64_t start = os_now_ms();
  sim_set_hook(note_nap, &n);
  REQUIRE_OK(open_within(NPS_FOREVER, &pipe));
  require_naps(&n, start, expected, sizeof expected / sizeof expected[0]);
  nps_pipe_release(pipe);
  sim_close(n.server);
  script_end(&s);
}

/* What the system had made already is undone: nobody serves the name. */
TEST(test_a_pipe_that_cannot_be_made_for_want_of_memory_leaves_nothing) { /* X3 */
  script s = script_begin();
  nps_server_options options;
  REQUIRE_OK(nps_server_options_init(&options, sizeof options));
  options.name = "scarce";
  uint32_t failures = 0;
  nps_result result;
  nps_pipe *pipe;
  do {
    pipe = NULL;
    sim_fault_at(SIM_FAULT_ALLOC, failures + 1);
    result = nps_pipe_create(&options, &pipe);
    if (result != NPS_OK) {
      failures++;
      REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, result);
      REQUIRE(pipe == NULL);
      REQUIRE(sim_connect(options.name, NPS_DIRECTION_DUPLEX) == NULL);
    }
  } while (result != NPS_OK);
  REQUIRE(failures >= 2); /* the backend's, and ours */
  nps_pipe_release(pipe);
  script_end(&s);
}
