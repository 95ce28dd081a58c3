/* What no caller should do: null, wrong, twice, too late. Each has its own clear answer; nothing crashes or hangs. */
#include <string.h>

#include "loop.h"
#include "sys.h"

TEST(test_null_polls_and_results_are_named) {
  nps_event event;
  uint32_t count = 5;
  nps_poll *poll = NULL;
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_poll_create(NULL, NULL));
  REQUIRE_OK(nps_poll_create(NULL, &poll)); /* no options: all defaults */
  REQUIRE_INVALID(NPS_ARGUMENT_POLL, nps_poll_wait(NULL, &event, 1, 0, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_EVENTS, nps_poll_wait(poll, NULL, 1, 0, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_CAPACITY, nps_poll_wait(poll, &event, 0, 0, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_TIMEOUT, nps_poll_wait(poll, &event, 1, -2, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_TIMEOUT, nps_poll_wait(poll, &event, 1, INT64_MIN, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_poll_wait(poll, &event, 1, 0, NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_POLL, nps_poll_wake(NULL, 1));
  REQUIRE_INVALID(NPS_ARGUMENT_POLL, nps_poll_close(NULL));
  nps_poll_release(NULL);
  nps_poll_release(poll);
}

TEST(test_null_options_are_named) {
  nps_pipe *pipe = NULL;
  nps_server_options server = server_options(test_name());
  nps_client_options client = client_options(test_name());
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS, nps_poll_options_init(NULL, sizeof(nps_poll_options)));
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS, nps_server_options_init(NULL, sizeof(nps_server_options)));
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS, nps_client_options_init(NULL, sizeof(nps_client_options)));
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS, nps_adopt_options_init(NULL, sizeof(nps_adopt_options)));
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS_SIZE, nps_server_options_init(&server, 0));
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS_SIZE, nps_server_options_init(&server, sizeof server - 1));
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS_SIZE, nps_server_options_init(&server, UINT32_MAX));
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS_SIZE, nps_client_options_init(&client, sizeof client + 1));
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS, nps_pipe_create(NULL, &pipe));
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS, nps_pipe_open(NULL, &pipe));
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_pipe_create(&server, NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_pipe_open(&client, NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_pipe_adopt(1, NULL, NULL));
}

TEST(test_null_pipes_are_named) {
  char byte = 0;
  size_t count = 0;
  intptr_t handle = 0;
  uint64_t unsent = 0;
  nps_result error = 0;
  loop *l = loop_new();
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_register(NULL, l->poll, 1, BOTH_INTERESTS));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_reregister(NULL, 1, BOTH_INTERESTS));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_deregister(NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_connect(NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_disconnect(NULL, 0));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_read(NULL, &byte, 1, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_write(NULL, &byte, 1, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_flush_state(NULL, &unsent));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_take_error(NULL, &error));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_export(NULL, &handle));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_os_handle(NULL, &handle));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_close(NULL, 0));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_abort(NULL));
  nps_pipe_release(NULL);
  loop_end(l);
}

TEST(test_bad_arguments_of_pipe_calls_are_named) {
  char byte = 0;
  size_t count = 0;
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  nps_pipe *fresh = server_new(test_name());
  REQUIRE_INVALID(NPS_ARGUMENT_POLL, nps_pipe_register(fresh, NULL, 1, BOTH_INTERESTS));
  REQUIRE_INVALID(NPS_ARGUMENT_INTEREST, nps_pipe_register(fresh, l->poll, 1, 0));
  REQUIRE_INVALID(NPS_ARGUMENT_INTEREST, nps_pipe_register(fresh, l->poll, 1, 4));
  REQUIRE_INVALID(NPS_ARGUMENT_INTEREST, nps_pipe_register(fresh, l->poll, 1, UINT32_MAX));
  REQUIRE_INVALID(NPS_ARGUMENT_INTEREST, nps_pipe_reregister(a.pipe, 1, 0));
  REQUIRE_INVALID(NPS_ARGUMENT_INTEREST, nps_pipe_reregister(a.pipe, 1, 8));
  REQUIRE_INVALID(NPS_ARGUMENT_BUFFER, nps_pipe_read(a.pipe, NULL, 1, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_BUFFER, nps_pipe_write(a.pipe, NULL, 1, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_pipe_read(a.pipe, &byte, 1, NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_pipe_write(a.pipe, &byte, 1, NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_pipe_flush_state(a.pipe, NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_pipe_take_error(a.pipe, NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_pipe_os_handle(a.pipe, NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_pipe_export(fresh, NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_LINGER, nps_pipe_close(a.pipe, -2));
  REQUIRE_INVALID(NPS_ARGUMENT_LINGER, nps_pipe_close(a.pipe, INT64_MIN));
  REQUIRE_OK(try_write(a.pipe)); /* none of that did anything */
  register_pipe(l, fresh, 2);
  nps_pipe_release(fresh);
  link_end(a);
  loop_end(l);
}

TEST(test_a_closed_pipe_that_was_never_registered) {
  intptr_t handle = 0;
  loop *l = loop_new();
  nps_pipe *pipe = server_new(test_name());
  REQUIRE_OK(nps_pipe_close(pipe, NPS_FOREVER)); /* nothing was accepted: nothing to linger for */
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_close(pipe, 0));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_abort(pipe));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_connect(pipe));
  REQUIRE_STATUS(NPS_E_CLOSED, try_read(pipe));
  REQUIRE_STATUS(NPS_E_CLOSED, try_write(pipe));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_register(pipe, l->poll, 1, BOTH_INTERESTS));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_export(pipe, &handle));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_os_handle(pipe, &handle));
  nps_pipe_release(pipe);
  loop_end(l);
}

TEST(test_calls_in_the_wrong_state_say_so) {
  loop *l = loop_new();
  uint64_t unsent = 9;
  nps_result error = -1;
  nps_pipe *server = server_new(test_name());
  REQUIRE_OK(nps_pipe_flush_state(server, &unsent));
  REQUIRE_EQUAL(0, unsent);
  REQUIRE_OK(nps_pipe_take_error(server, &error));
  REQUIRE_OK(error);
  register_pipe(l, server, 1);
  REQUIRE_STATUS(NPS_E_NOT_CONNECTED, try_read(server));
  REQUIRE_STATUS(NPS_E_NOT_CONNECTED, try_write(server));
  REQUIRE_OK(nps_pipe_disconnect(server, 0)); /* nothing there to end */
  REQUIRE_OK(nps_pipe_disconnect(server, 0));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_disconnect(server, 1));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_disconnect(server, 1));
  end_pipe(server);
  loop_end(l);
}

TEST(test_tokens_are_any_64_bits) {
  static const uint64_t tokens[] = {0, 1, UINT64_MAX, 0x8000000000000000u, 0x0123456789ABCDEFu};
  for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
    const char *name = test_name();
    loop *l = loop_new();
    nps_event event = {0};
    uint32_t count = 0;
    nps_pipe *server = server_new(name);
    peer *client = peer_open(name);
    REQUIRE_OK(nps_pipe_register(server, l->poll, tokens[i], BOTH_INTERESTS));
    REQUIRE_OK(nps_pipe_connect(server));
    REQUIRE_OK(nps_poll_wait(l->poll, &event, 1, TEST_DEADLINE_MS, &count));
    REQUIRE(count == 1 && event.token == tokens[i] && (event.readiness & NPS_WRITABLE) != 0 && event.reserved == 0);
    REQUIRE_OK(nps_poll_wake(l->poll, tokens[i]));
    do {
      REQUIRE_OK(nps_poll_wait(l->poll, &event, 1, TEST_DEADLINE_MS, &count));
    } while (event.readiness != NPS_WAKE);
    REQUIRE(event.token == tokens[i]);
    peer_close(client);
    end_pipe(server);
    loop_end(l);
  }
}

TEST(test_statuses_and_arguments_have_names) {
  REQUIRE(strcmp(nps_status_name(NPS_OK), "NPS_OK") == 0);
  REQUIRE(strcmp(nps_status_name(NPS_MORE_DATA), "NPS_MORE_DATA") == 0);
  REQUIRE(strcmp(nps_status_name(NPS_E_INVALID_ARGUMENT), "NPS_E_INVALID_ARGUMENT") == 0);
  REQUIRE(strcmp(nps_status_name(NPS_E_NOT_FOUND), "NPS_E_NOT_FOUND") == 0);
  REQUIRE(strcmp(nps_status_name(NPS_E_IO), "NPS_E_IO") == 0);
  REQUIRE(strcmp(nps_argument_name(NPS_ARGUMENT_MAX_INSTANCES), "max_instances") == 0);
  for (int32_t status = NPS_E_IO; status <= NPS_MORE_DATA; status++) {
    REQUIRE(strncmp(nps_status_name(status), "NPS_", 4) == 0);
    REQUIRE(strlen(nps_status_text(status)) > 4);
    for (int32_t other = NPS_E_IO; other < status; other++) {
      REQUIRE(strcmp(nps_status_name(status), nps_status_name(other)) != 0);
      REQUIRE(strcmp(nps_status_text(status), nps_status_text(other)) != 0);
    }
  }
  for (uint32_t argument = NPS_ARGUMENT_POLL; argument <= NPS_ARGUMENT_LINGER; argument++) {
    REQUIRE(strcmp(nps_argument_name(argument), "unknown") != 0);
  }
  REQUIRE(strcmp(nps_status_name(NPS_E_IO - 1), "unknown") == 0);
  REQUIRE(strcmp(nps_status_text(NPS_MORE_DATA + 1), "unknown") == 0);
  REQUIRE(strcmp(nps_status_name(INT32_MIN), "unknown") == 0);
  REQUIRE(strcmp(nps_status_name(INT32_MAX), "unknown") == 0);
  REQUIRE(strcmp(nps_argument_name(NPS_ARGUMENT_MESSAGE + 1), "unknown") == 0);
  REQUIRE(strcmp(nps_argument_name(UINT32_MAX), "unknown") == 0);
  REQUIRE_EQUAL(NPS_VERSION, nps_version());
  REQUIRE_EQUAL(NPS_ABI_VERSION, nps_abi_version());
}
