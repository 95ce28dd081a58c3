/* Calls of the system that fail: who called hears of it, and the pipe is as it was. */
#include "script.h"

#include "pipe.h" /* core's own: the scripts look inside */

TEST(test_a_disconnect_that_fails_says_so) { /* C7 */
  script s = script_begin();
  REQUIRE(nps_pipe_connect(s.pipe) >= 0);
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  while (script_events(&s) != 0) {}
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

/* A server that has its client; `s.pipe` writes. */
static sim_file *connected(script *s) {
  REQUIRE(nps_pipe_connect(s->pipe) >= 0);
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  REQUIRE(client != NULL);
  while (script_events(s) != 0) {}
  return client;
}

TEST(test_a_write_that_failed_goes_on_failing) { /* W3: also where the system would take the next one */
  script s = script_begin();
  sim_file *client = connected(&s);
  size_t count = 0;
  sim_fault_at(SIM_FAULT_WRITE, 1);
  REQUIRE_STATUS(NPS_E_IO, nps_pipe_write(s.pipe, "a", 1, &count));
  REQUIRE_STATUS(NPS_E_IO, nps_pipe_write(s.pipe, "b", 1, &count));
  REQUIRE_EQUAL(0, count);
  sim_close(client);
  script_end(&s);
}

TEST(test_a_half_close_that_failed_was_not_said) { /* W7: it may be said again, and until then writes go on */
  script s = script_begin();
  sim_file *client = connected(&s);
  char byte = 0;
  size_t count = 0;
  sim_fault_at(SIM_FAULT_SHUTDOWN, 1);
  REQUIRE_STATUS(os_direct_io ? NPS_E_IO : NPS_E_NOT_SUPPORTED, nps_pipe_shutdown(s.pipe));
  REQUIRE_EQUAL(0, script_events(&s));
  REQUIRE_OK(nps_pipe_write(s.pipe, "a", 1, &count));
  REQUIRE_EQUAL(1, sim_read(client, &byte, 1));
  REQUIRE_EQUAL('a', byte);
  REQUIRE_STATUS(os_direct_io ? NPS_OK : NPS_E_NOT_SUPPORTED, nps_pipe_shutdown(s.pipe));
  REQUIRE_STATUS(os_direct_io ? NPS_E_CLOSED : NPS_OK, nps_pipe_write(s.pipe, "b", 1, &count));
  sim_close(client);
  script_end(&s);
}

TEST(test_a_write_that_ended_well_is_no_error) { /* W2, W4 */
  script s = script_begin();
  sim_file *client = connected(&s);
  static const char bytes[200] = {0}; /* more than the kernel keeps */
  char taken[200];
  size_t count = 0;
  nps_result error = NPS_OK;
  REQUIRE_OK(nps_pipe_write(s.pipe, bytes, sizeof bytes, &count));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_write(s.pipe, bytes, 1, &count));
  REQUIRE(sim_read(client, taken, sizeof taken) != 0);
  REQUIRE_EQUAL(NPS_WRITABLE, script_events(&s));
  REQUIRE_OK(nps_pipe_take_error(s.pipe, &error));
  REQUIRE_OK(error);
  sim_close(client);
  script_end(&s);
}

/* Whichever of the calls that watch for data or for the peer's end is the one that fails. */
TEST(test_the_peers_close_is_told_also_where_watching_for_it_failed) { /* P8 */
  for (uint32_t nth = 1; nth <= 4; nth++) {
    script s = script_begin();
    nps_result error = NPS_OK;
    uint32_t seen = 0;
    REQUIRE_OK(nps_pipe_reregister(s.pipe, 1, NPS_INTEREST_WRITABLE));
    sim_fault_at(SIM_FAULT_READ, nth);
    REQUIRE(nps_pipe_connect(s.pipe) >= 0);
    sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
    for (int i = 0; i < 4; i++)
      seen |= script_events(&s);
    REQUIRE_EQUAL(1, sim_write(client, "a", 1));
    for (int i = 0; i < 4; i++)
      seen |= script_events(&s);
    REQUIRE_OK(nps_pipe_take_error(s.pipe, &error));
    sim_close(client);
    for (int i = 0; i < 4; i++)
      seen |= script_events(&s);
    if (os_direct_io)
      REQUIRE_EQUAL(NPS_CLOSED, seen & (uint32_t)NPS_CLOSED); /* buffered: behind the data, which nobody reads */
    script_end(&s);
  }
}

TEST(test_the_peers_close_is_told_after_want_of_memory_in_watching_for_it) { /* P8 */
  if (!os_direct_io)
    return; /* a read is pending there */
  script s = script_begin();
  nps_result error = NPS_OK;
  REQUIRE_OK(nps_pipe_reregister(s.pipe, 1, NPS_INTEREST_WRITABLE));
  sim_file *client = connected(&s);
  sim_fault_at(SIM_FAULT_PROBE, 1);
  REQUIRE_EQUAL(1, sim_write(client, "a", 1)); /* nobody is interested in it, but who hears of it looks for the end from now on */
  REQUIRE_EQUAL(NPS_ERROR, script_events(&s));
  REQUIRE_EQUAL(1, sim_fault_hits(SIM_FAULT_PROBE));
  REQUIRE_OK(nps_pipe_take_error(s.pipe, &error));
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, error);
  sim_close(client);
  REQUIRE_EQUAL(NPS_CLOSED, script_events(&s));
  script_end(&s);
}

TEST(test_want_of_memory_in_a_probe_is_told_once_and_another_end_for_ever) { /* W3 */
  if (!os_direct_io)
    return; /* there is no probe for room there */
  script s = script_begin();
  static const char bytes[200] = {0}; /* more than the kernel keeps */
  sim_file *client = connected(&s);
  size_t count = 0;
  sim_fault_at(SIM_FAULT_PROBE, 1);
  REQUIRE_OK(nps_pipe_write(s.pipe, bytes, sizeof bytes, &count));
  REQUIRE(count < sizeof bytes);
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, nps_pipe_write(s.pipe, bytes, 1, &count));
  sim_fault_at(SIM_FAULT_WRITE, 1);
  for (int i = 0; i < 3; i++)
    REQUIRE_STATUS(NPS_E_IO, nps_pipe_write(s.pipe, bytes, 1, &count));
  sim_close(client);
  script_end(&s);
}

static void reregister_without_wake(sim_moment moment, void *context) {
  script *s = context;
  if (moment != SIM_ASLEEP || sim_fault_hits(SIM_FAULT_PORT_WAKE) != 0)
    return;
  sim_fault_at(SIM_FAULT_PORT_WAKE, 1);
  REQUIRE_OK(nps_pipe_reregister(s->pipe, 5, NPS_INTEREST_WRITABLE));
}

TEST(test_an_event_whose_wake_failed_is_not_slept_over) { /* P2 */
  script s = script_begin();
  sim_file *client = connected(&s);
  nps_event event;
  uint32_t count = 0;
  sim_set_hook(reregister_without_wake, &s);
  REQUIRE_OK(nps_poll_wait(s.poll, &event, 1, NPS_FOREVER, &count));
  sim_set_hook(NULL, NULL);
  REQUIRE_EQUAL(1, sim_fault_hits(SIM_FAULT_PORT_WAKE));
  REQUIRE_EQUAL(1, count);
  REQUIRE_EQUAL(5, event.token);
  sim_close(client);
  script_end(&s);
}

/* No wake succeeds until somebody has let some time pass, twice. */
static void reregister_without_wakes(sim_moment moment, void *context) {
  script *s = context;
  if (moment == SIM_NAP && sim_fault_hits(SIM_FAULT_PORT_WAKE) == 3)
    sim_current()->fault_per_10000[SIM_FAULT_PORT_WAKE] = 0;
  if (moment != SIM_ASLEEP || sim_fault_hits(SIM_FAULT_PORT_WAKE) != 0)
    return;
  sim_current()->fault_per_10000[SIM_FAULT_PORT_WAKE] = 10000;
  REQUIRE_OK(nps_pipe_reregister(s->pipe, 5, NPS_INTEREST_WRITABLE));
}

TEST(test_an_event_whose_wake_fails_again_and_again_is_not_slept_over) { /* P2 */
  script s = script_begin();
  sim_file *client = connected(&s);
  nps_event event;
  uint32_t count = 0;
  sim_current()->threads = true; /* naps within the hook are moments too */
  sim_set_hook(reregister_without_wakes, &s);
  REQUIRE_OK(nps_poll_wait(s.poll, &event, 1, NPS_FOREVER, &count));
  sim_set_hook(NULL, NULL);
  sim_current()->threads = false;
  REQUIRE_EQUAL(3, sim_fault_hits(SIM_FAULT_PORT_WAKE));
  REQUIRE_EQUAL(1, count);
  REQUIRE_EQUAL(5, event.token);
  sim_close(client);
  script_end(&s);
}
