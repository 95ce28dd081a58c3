/* regressions_iocp.c - what the injected faults found on Windows, each as a case of its own; and what needs more than one. */
#include <windows.h>
/* After it. */
#include "fault.h"
#include "loop.h"
#include "sys.h"

static void begin(const char *function, const char *import, const char *error) {
  fault_plan plan = fault_plan_of(function, import, error);
  fault_begin(&plan, 1);
}

/* Ends it; it must have struck. */
static void end(void) {
  uint32_t fired = fault_fired();
  fault_end();
  REQUIRE(fired != 0);
}

TEST(test_too_many_writes_under_way_is_told_and_the_next_write_works) {
  loop *l = loop_new();
  linked link = link_new(l, 1, OUR_SERVER);
  begin("op__call", "WriteFile", "ERROR_INVALID_USER_BUFFER");
  nps_result result = try_write(link.pipe);
  end();
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, result);
  REQUIRE_EQUAL(ERROR_INVALID_USER_BUFFER, nps_result_detail(result));
  REQUIRE_OK(try_write(link.pipe));
  char byte;
  peer_receive_exactly(link.peer, &byte, 1);
  link_end(link);
  loop_end(l);
}

TEST(test_a_read_ahead_without_memory_does_not_end_the_stream) {
  loop *l = loop_new();
  const char *name = test_name();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  peer *client = peer_open(name);
  begin("op__call", "ReadFile", "ERROR_NOT_ENOUGH_MEMORY");
  nps_result result = nps_pipe_connect(server); /* begins to read */
  loop_connect(l, 1, server);
  end();
  REQUIRE(result >= 0);
  loop_await(l, 1, NPS_READABLE);
  result = try_read(server);
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, result);
  REQUIRE_EQUAL(ERROR_NOT_ENOUGH_MEMORY, nps_result_detail(result));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(server));
  REQUIRE(peer_send(client, "x", 1));
  loop_await(l, 1, NPS_READABLE);
  REQUIRE_OK(try_read(server));
  peer_close(client);
  end_pipe(server);
  loop_end(l);
}

TEST(test_a_write_that_somebody_else_cancelled_does_not_say_closed) {
  loop *l = loop_new();
  linked link = link_new(l, 1, OUR_SERVER);
  begin("op__call", "WriteFile", "ERROR_OPERATION_ABORTED");
  nps_result result = try_write(link.pipe);
  end();
  REQUIRE_STATUS(NPS_E_IO, result);
  REQUIRE_EQUAL(ERROR_OPERATION_ABORTED, nps_result_detail(result));
  link_end(link);
  loop_end(l);
}

TEST(test_a_client_that_could_not_be_let_go_is_not_taken_for_the_next) { /* C7 */
  loop *l = loop_new();
  linked link = link_new(l, 1, OUR_SERVER);
  REQUIRE(peer_send(link.peer, "old", 3));
  begin("iocp_let_go", "DisconnectNamedPipe", "ERROR_NO_SYSTEM_RESOURCES");
  nps_result result = nps_pipe_disconnect(link.pipe, 1);
  end();
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, result);
  REQUIRE_EQUAL(ERROR_NO_SYSTEM_RESOURCES, nps_result_detail(result));
  REQUIRE(try_read(link.pipe) < 0);
  REQUIRE(try_write(link.pipe) < 0);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_disconnect(link.pipe, 1)); /* now it goes */
  char byte;
  REQUIRE_EQUAL(0, peer_receive(link.peer, &byte, 1));
  link_end(link);
  loop_end(l);
}

TEST(test_a_handle_that_cannot_be_examined_is_not_called_wrong) {
  peer *one, *other;
  nps_pipe *pipe = NULL;
  peer_pair(&one, &other);
  intptr_t handle = peer_take_handle(one);
  begin("nt_query", "NtQueryInformationFile", "STATUS_INSUFFICIENT_RESOURCES");
  nps_result result = nps_pipe_adopt(handle, NULL, &pipe);
  end();
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, result);
  REQUIRE_EQUAL(ERROR_NO_SYSTEM_RESOURCES, nps_result_detail(result));
  REQUIRE_OK(nps_pipe_adopt(handle, NULL, &pipe));
  nps_pipe_release(pipe);
  peer_close(other);
}

/* ---- bytes that go between a look and a read ---- */

static fault_plan probe_without_memory(void) {
  fault_plan plan = fault_plan_of("op__call", "ReadFile", "ERROR_NOT_ENOUGH_MEMORY");
  plan.site++; /* the second ReadFile there: the one of no byte */
  return plan;
}

static void require_that_such_a_read_would_block(const fault_plan *third) {
  loop *l = loop_new();
  nps_server_options options = server_options(test_name());
  options.read_ahead = 0;
  nps_pipe *server = NULL;
  REQUIRE_OK(nps_pipe_create(&options, &server));
  register_pipe(l, server, 1);
  peer *client = peer_open(options.name);
  fault_plan plans[FAULT_PLANS] = {
      probe_without_memory(), fault_plan_of("os_pipe_take", "PeekNamedPipe", "FAULT_MORE_THERE")};
  if (third != NULL) {
    plans[2] = *third;
  }
  fault_begin(plans, third != NULL ? 3 : 2);
  loop_connect(l, 1, server);
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, try_read(server));
  nps_result result = try_read(server); /* the byte that was counted is not there */
  uint32_t fired = fault_fired();
  fault_end();
  REQUIRE_EQUAL(third != NULL ? 3 : 2, fired);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, result);
  REQUIRE(peer_send(client, "x", 1));
  loop_await(l, 1, NPS_READABLE);
  REQUIRE_OK(try_read(server));
  peer_close(client);
  end_pipe(server);
  loop_end(l);
}

TEST(test_a_read_that_pends_all_the_same_is_taken_back) {
  fault_plan cancelled = fault_plan_of("pipe__read_now", "CancelIoEx", "ERROR_NOT_FOUND");
  fault_plan aborted = fault_plan_of("pipe__read_now", "GetOverlappedResult", "ERROR_OPERATION_ABORTED");
  require_that_such_a_read_would_block(NULL);
  require_that_such_a_read_would_block(&cancelled);
  require_that_such_a_read_would_block(&aborted);
}

/* ---- want of memory for a wake ---- */

#define LAST_TOKEN 9u
#define ROUNDS 100

typedef struct sleeper {
  nps_poll *poll;
  sys_event *woken;
} sleeper;

static void sleeper_waits(void *context) {
  sleeper *one = context;
  nps_event event = {0};
  while (event.token != LAST_TOKEN) {
    uint32_t count = 0;
    nps_result result = nps_poll_wait(one->poll, &event, 1, TEST_DEADLINE_MS, &count);
    if (nps_result_status(result) == NPS_E_WAIT_BUSY) {
      continue; /* the other thread looks whether we wait */
    }
    REQUIRE_OK(result);
    REQUIRE_EQUAL(1, count);
    sys_event_set(one->woken);
  }
}

/* Writable, from this thread: an event for the one that waits. */
static void report_to(sleeper *one, nps_pipe *pipe, uint64_t token) {
  nps_event event;
  uint32_t count;
  while (nps_result_status(nps_poll_wait(one->poll, &event, 1, 0, &count)) != NPS_E_WAIT_BUSY) {
    sys_yield();
  }
  REQUIRE_OK(nps_pipe_reregister(pipe, token, BOTH_INTERESTS));
  REQUIRE(sys_event_wait(one->woken, TEST_DEADLINE_MS / 4));
}

TEST(test_an_event_whose_wake_failed_is_not_slept_upon) { /* P2 */
  loop *l = loop_new();
  linked link = link_new(l, 1, OUR_SERVER);
  sleeper *one = test_new(sizeof *one);
  uint32_t fired = 0;
  loop_forget(l);
  *one = (sleeper){l->poll, sys_event_new()};
  sys_thread *thread = sys_thread_start(sleeper_waits, one);
  for (int round = 0; round < ROUNDS && fired == 0; round++) { /* it may not sleep yet, and then needs no wake */
    begin("os_port_wake", "PostQueuedCompletionStatus", "ERROR_NOT_ENOUGH_MEMORY");
    report_to(one, link.pipe, 5);
    fired = fault_fired();
    fault_end();
  }
  report_to(one, link.pipe, LAST_TOKEN);
  sys_thread_join(thread);
  REQUIRE(fired != 0);
  sys_event_free(one->woken);
  link_end(link);
  loop_end(l);
}
