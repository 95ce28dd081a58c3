/* Calls of the system that fail: who called hears of it, and the pipe is as it was. */
#include "script.h"

#include "pipe.h" /* core's own: the scripts look inside */

TEST(test_a_disconnect_that_fails_says_so) { /* C7 */
  script s = script_begin();
  REQUIRE(nps_pipe_connect(s.pipe) >= 0);
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  while (script_events(&s) != 0) {
  }
  REQUIRE_EQUAL(PIPE_CONNECTED, s.pipe->state);
  sim_fault_at(SIM_FAULT_DISCONNECT, 1);
  REQUIRE_STATUS(NPS_E_IO, nps_pipe_disconnect(s.pipe, 1)); /* and no new connect is begun */
  REQUIRE_EQUAL(PIPE_IDLE, s.pipe->state);
  REQUIRE_OK(nps_pipe_disconnect(s.pipe, 0)); /* there is no connection any more */
  sim_close(client);
  script_end(&s);
}

TEST(test_a_register_that_failed_may_be_tried_again) { /* P5: also with another poll */
  static const sim_fault faults[] = {SIM_FAULT_ALLOC, SIM_FAULT_BIND};
  for (uint32_t i = 0; i < 2; i++) {
    script s = script_begin();
    nps_server_options options;
    nps_pipe *pipe = NULL;
    nps_poll *other = NULL;
    REQUIRE_OK(nps_server_options_init(&options, sizeof options));
    options.name = "other";
    REQUIRE_OK(nps_pipe_create(&options, &pipe));
    REQUIRE_OK(nps_poll_create(NULL, &other));
    sim_fault_at(faults[i], 1);
    REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, nps_pipe_register(pipe, other, 2, BOTH_INTERESTS));
    nps_poll_release(other);
    REQUIRE_STATUS(NPS_E_NOT_REGISTERED, nps_pipe_deregister(pipe));
    REQUIRE_OK(nps_pipe_register(pipe, s.poll, 2, BOTH_INTERESTS));
    nps_pipe_release(pipe);
    script_end(&s);
  }
}
