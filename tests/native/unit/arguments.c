/* core/api.c: what a call leaves in its results when it refuses, whatever was there before (O3). */
#include "nps.h"
#include "test.h"

TEST(test_calls_that_refuse_leave_no_old_count) {
  char byte = 0;
  nps_event event;
  uint32_t events = 77;
  size_t count = 77;
  REQUIRE_INVALID(NPS_ARGUMENT_POLL, nps_poll_wait(NULL, &event, 1, 0, &events));
  REQUIRE_EQUAL(0, events);
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_read(NULL, &byte, 1, &count));
  REQUIRE_EQUAL(0, count);
  count = 77;
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_write(NULL, &byte, 1, &count));
  REQUIRE_EQUAL(0, count);
}

TEST(test_makers_that_refuse_leave_no_old_pointer) {
  nps_poll_options poll_options;
  nps_server_options server_options;
  nps_client_options client_options;
  nps_adopt_options adopt_options;
  nps_poll *poll = (nps_poll *)(void *)&poll_options;
  nps_pipe *pipes[3];
  for (int i = 0; i < 3; i++) {
    pipes[i] = (nps_pipe *)(void *)&poll_options;
  }
  REQUIRE_OK(nps_poll_options_init(&poll_options, sizeof poll_options));
  REQUIRE_OK(nps_server_options_init(&server_options, sizeof server_options));
  REQUIRE_OK(nps_client_options_init(&client_options, sizeof client_options));
  REQUIRE_OK(nps_adopt_options_init(&adopt_options, sizeof adopt_options));
  poll_options.flags = server_options.flags = client_options.flags = adopt_options.flags = 0x80000000u;
  server_options.name = client_options.name = "name";
  REQUIRE_INVALID(NPS_ARGUMENT_FLAGS, nps_poll_create(&poll_options, &poll));
  REQUIRE_INVALID(NPS_ARGUMENT_FLAGS, nps_pipe_create(&server_options, &pipes[0]));
  REQUIRE_INVALID(NPS_ARGUMENT_FLAGS, nps_pipe_open(&client_options, &pipes[1]));
  REQUIRE_INVALID(NPS_ARGUMENT_FLAGS, nps_pipe_adopt(0, &adopt_options, &pipes[2]));
  REQUIRE(poll == NULL && pipes[0] == NULL && pipes[1] == NULL && pipes[2] == NULL);
}
