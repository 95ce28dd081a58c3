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
