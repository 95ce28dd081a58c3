/* What the random walk found in core, each as the shortest script that shows it. */
#include "script.h"

TEST(test_data_that_came_before_connect_is_an_event) {
  script s = script_begin();
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE_EQUAL(3, sim_write(client, "abc", 3));
  REQUIRE_OK(nps_pipe_connect(s.pipe)); /* the read that it starts ends at once */
  uint32_t seen = script_events(&s) | script_events(&s);
  REQUIRE_EQUAL(NPS_READABLE | NPS_WRITABLE, seen);
  script_end(&s);
}

TEST(test_data_that_came_with_a_pending_connect_is_an_event) {
  script s = script_begin_with(0);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(s.pipe));
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE_EQUAL(3, sim_write(client, "abc", 3));
  uint32_t seen = script_events(&s) | script_events(&s);
  REQUIRE_EQUAL(NPS_READABLE | NPS_WRITABLE, seen);
  script_end(&s);
}

TEST(test_export_of_a_lingering_pipe_says_closed) {
  script s = script_begin();
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(s.pipe));
  REQUIRE(sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX) != NULL);
  REQUIRE((script_events(&s) & NPS_WRITABLE) != 0);
  static const char bytes[200] = {0}; /* more than the kernel keeps */
  size_t count = 0;
  REQUIRE_OK(nps_pipe_write(s.pipe, bytes, sizeof bytes, &count));
  nps_result closed = nps_pipe_close(s.pipe, 1000);
  REQUIRE_STATUS(os_direct_io ? NPS_OK : NPS_WOULD_BLOCK, closed);
  intptr_t handle = -1;
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_export(s.pipe, &handle));
  script_end(&s);
}
