/* What is known of a pipe: F1; and drain, half-close. No question blocks, whatever is pending. */
#include <string.h>

#include "loop.h"
#include "sys.h"

static nps_info info_of(nps_pipe *pipe) {
  nps_info info = {.size = sizeof info};
  REQUIRE_OK(nps_pipe_info(pipe, &info));
  return info;
}

static nps_result peek(nps_pipe *pipe, void *buffer, size_t size, size_t *count, uint64_t *available) {
  *count = 0xDEAD;
  *available = 0xDEAD;
  nps_result result = nps_pipe_peek(pipe, buffer, size, count, available);
  REQUIRE(*count <= size && *count <= *available);
  if (result != NPS_OK) {
    REQUIRE_EQUAL(0, *available);
  }
  return result;
}

static nps_result peek_available(nps_pipe *pipe, uint64_t *available) {
  size_t count;
  return peek(pipe, NULL, 0, &count, available);
}

/* Waits until the pipe has `size` bytes to be read. Where reads are posted ahead, that is seen in a wait. */
static void await_available(loop *l, nps_pipe *pipe, uint64_t size) {
  uint64_t available = 0, deadline = test_deadline();
  while (nps_result_status(peek_available(pipe, &available)) != NPS_OK || available < size) {
    REQUIRE(sys_now_ms() < deadline);
    loop_pump(l, 1);
  }
  REQUIRE_EQUAL(size, available);
}

TEST(test_info_of_both_ends) { /* F1 */
  loop *l = loop_new();
  const char *name = test_name();
  nps_server_options options = server_options(name);
  options.max_instances = 7;
  options.in_buffer_size = 10000;
  options.out_buffer_size = 20000;
  nps_pipe *server = NULL, *second = NULL;
  REQUIRE_OK(nps_pipe_create(&options, &server));
  nps_pipe *client = client_new(name);
  REQUIRE_OK(nps_pipe_create(&options, &second)); /* now, so that the client is the first one's */
  register_pipe(l, server, 1);
  register_pipe(l, second, 3);
  loop_connect(l, 1, server);
  nps_info at_server = info_of(server), at_client = info_of(client);
  REQUIRE_EQUAL(NPS_DIRECTION_DUPLEX, at_server.direction);
  REQUIRE_EQUAL(NPS_MODE_BYTE, at_server.mode);
  REQUIRE_EQUAL(NPS_END_SERVER, at_server.end);
  REQUIRE_EQUAL(NPS_END_CLIENT, at_client.end);
  REQUIRE_EQUAL(7, at_server.max_instances);
  REQUIRE_EQUAL(2, at_server.instances);
  if (sys_is_windows()) {
    REQUIRE_EQUAL(10000, at_server.in_buffer_size);
    REQUIRE_EQUAL(20000, at_server.out_buffer_size);
    REQUIRE_EQUAL(20000, at_client.in_buffer_size); /* seen from this end */
    REQUIRE_EQUAL(10000, at_client.out_buffer_size);
  } else {
    REQUIRE_EQUAL(0, at_server.in_buffer_size);
    REQUIRE(at_server.out_buffer_size >= 20000);
    REQUIRE_EQUAL(0, at_client.max_instances);
  }
  end_pipe(client);
  end_pipe(second);
  end_pipe(server);
  loop_end(l);
}

TEST(test_info_says_the_direction_of_this_end) { /* F1 */
  const char *name = test_name();
  nps_server_options options = server_options(name);
  options.direction = NPS_DIRECTION_OUT;
  nps_pipe *server = NULL, *client = NULL;
  REQUIRE_OK(nps_pipe_create(&options, &server));
  nps_client_options opening = client_options(name);
  opening.direction = NPS_DIRECTION_IN;
  REQUIRE_OK(nps_pipe_open(&opening, &client));
  REQUIRE_EQUAL(NPS_DIRECTION_OUT, info_of(server).direction);
  REQUIRE_EQUAL(NPS_DIRECTION_IN, info_of(client).direction);
  end_pipe(client);
  end_pipe(server);
}

TEST(test_info_checks_its_size_and_the_pipe) { /* O3 */
  nps_pipe *server = server_new(test_name());
  nps_info info = {.size = sizeof info - 4};
  REQUIRE_INVALID(NPS_ARGUMENT_INFO_SIZE, nps_pipe_info(server, &info));
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_pipe_info(server, NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_info(NULL, &info));
  info.size = sizeof info;
  REQUIRE_OK(nps_pipe_abort(server));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_info(server, &info));
  uint64_t available;
  size_t count;
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_peek(server, NULL, 0, &count, &available));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_shutdown(server));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_drain_state(server, &available));
  char user[NPS_USER_SIZE] = "somebody";
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_peer_user(server, user, sizeof user));
  REQUIRE_EQUAL('\0', user[0]); /* nobody, on every failure */
  nps_pipe_release(server);
}

/* Windows: a client that its server has disconnected has nothing to say: that is no error. */
TEST(test_a_disconnected_client_can_be_asked) { /* F1 */
  loop *l = loop_new();
  const char *name = test_name();
  nps_pipe *server = server_new(name), *client = client_new(name);
  register_pipe(l, server, 1);
  register_pipe(l, client, 2);
  loop_connect(l, 1, server);
  REQUIRE_OK(nps_pipe_disconnect(server, 0));
  nps_info info = info_of(client);
  REQUIRE_EQUAL(NPS_END_CLIENT, info.end);
  loop_expect_end(l, 2, client);
  (void)info_of(client);
  end_pipe(client);
  end_pipe(server);
  loop_end(l);
}

TEST(test_peek_takes_nothing) { /* F1 */
  loop *l = loop_new();
  for (side ours = OUR_SERVER; ours <= OUR_CLIENT; ours++) {
    linked one = link_new(l, 1, ours);
    char memory[10];
    size_t count;
    uint64_t available;
    REQUIRE_STATUS(NPS_WOULD_BLOCK, peek(one.pipe, memory, sizeof memory, &count, &available));
    REQUIRE(peer_send(one.peer, "abcdef", 6));
    await_available(l, one.pipe, 6);
    for (int i = 0; i < 3; i++) {
      REQUIRE_OK(peek(one.pipe, memory, 4, &count, &available));
      REQUIRE_EQUAL(4, count);
      REQUIRE_EQUAL(6, available);
      REQUIRE(memcmp(memory, "abcd", 4) == 0);
    }
    REQUIRE_EQUAL(2, loop_read(l, 1, one.pipe, memory, 2));
    REQUIRE_OK(peek(one.pipe, memory, sizeof memory, &count, &available));
    REQUIRE_EQUAL(4, count);
    REQUIRE(memcmp(memory, "cdef", 4) == 0);
    link_end(one);
  }
  loop_end(l);
}

TEST(test_peek_without_read_ahead_and_before_register) { /* F1 */
  loop *l = loop_new();
  const char *name = test_name();
  nps_client_options options = client_options(name);
  options.read_ahead = 0;
  peer_server *listening = peer_listen(name, 1);
  nps_pipe *client = NULL;
  REQUIRE_OK(nps_pipe_open(&options, &client));
  peer *far = peer_accept(listening);
  peer_server_close(listening);
  char memory[3];
  size_t count;
  uint64_t available;
  REQUIRE_STATUS(NPS_WOULD_BLOCK, peek_available(client, &available));
  REQUIRE(peer_send(far, "xyz", 3));
  REQUIRE_OK(peek(client, memory, 3, &count, &available));
  REQUIRE(count == 3 && memcmp(memory, "xyz", 3) == 0);
  register_pipe(l, client, 1);
  await_available(l, client, 3);
  REQUIRE_EQUAL(3, loop_read(l, 1, client, memory, 3));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, peek_available(client, &available));
  peer_close(far);
  loop_expect_end(l, 1, client);
  REQUIRE_STATUS(NPS_END_OF_STREAM, peek_available(client, &available));
  end_pipe(client);
  loop_end(l);
}

TEST(test_questions_do_not_hang_behind_a_pending_read) { /* F1; dotnet/runtime 63536, 72526 */
  loop *l = loop_new();
  linked one = link_new(l, 1, OUR_CLIENT);
  uint64_t available, unread, start = sys_now_ms();
  uint32_t process;
  char user[NPS_USER_SIZE];
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(one.pipe)); /* it is pending now */
  for (int i = 0; i < 100; i++) {
    (void)info_of(one.pipe);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, peek_available(one.pipe, &available));
    REQUIRE_STATUS(sys_is_windows() ? NPS_E_NOT_SUPPORTED : NPS_OK, nps_pipe_drain_state(one.pipe, &unread));
    REQUIRE_OK(nps_pipe_peer_process(one.pipe, &process));
    REQUIRE_OK(nps_pipe_peer_user(one.pipe, user, sizeof user));
  }
  REQUIRE(sys_now_ms() - start < 10000);
  REQUIRE(peer_send(one.peer, "a", 1));
  loop_await(l, 1, NPS_READABLE); /* and it still is */
  REQUIRE_OK(try_read(one.pipe));
  link_end(one);
  loop_end(l);
}

TEST(test_questions_to_an_end_without_a_peer) {
  loop *l = loop_new();
  nps_pipe *server = server_new(test_name());
  uint64_t number;
  uint32_t process;
  char user[NPS_USER_SIZE];
  register_pipe(l, server, 1);
  for (int round = 0; round < 2; round++) {
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, peek_available(server, &number));
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, nps_pipe_drain_state(server, &number));
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, nps_pipe_shutdown(server));
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, nps_pipe_peer_process(server, &process));
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, nps_pipe_peer_user(server, user, sizeof user));
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, nps_pipe_impersonate(server));
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  }
  end_pipe(server);
  loop_end(l);
}

/* ---- drain ---- */

TEST(test_drain_state_says_when_the_peer_has_read_all) { /* W8 */
  loop *l = loop_new();
  linked one = link_new(l, 1, OUR_SERVER);
  uint64_t unread = 1;
  char memory[1000];
  size_t count;
  if (sys_is_windows()) {
    REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_drain_state(one.pipe, &unread));
  } else {
    REQUIRE_OK(nps_pipe_drain_state(one.pipe, &unread));
    REQUIRE_OK(write_pipe(one.pipe, memory, sizeof memory, &count));
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_drain_state(one.pipe, &unread));
    REQUIRE(unread >= sizeof memory);
    peer_receive_exactly(one.peer, memory, sizeof memory - 1);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_drain_state(one.pipe, &unread));
    peer_receive_exactly(one.peer, memory, 1);
    REQUIRE_OK(nps_pipe_drain_state(one.pipe, &unread));
    REQUIRE_EQUAL(0, unread);
  }
  link_end(one);
  loop_end(l);
}

TEST(test_drain_state_tells_a_peer_that_read_all_from_one_that_did_not) { /* W8 */
  loop *l = loop_new();
  for (int all = 0; all < 2 && !sys_is_windows(); all++) {
    for (int look = 0; look < 2; look++) {
      linked one = link_new(l, 1, OUR_SERVER);
      uint64_t unread;
      char memory[10];
      size_t count;
      REQUIRE_OK(write_pipe(one.pipe, memory, sizeof memory, &count));
      peer_receive_exactly(one.peer, memory, all ? sizeof memory : 5);
      peer_close(one.peer);
      if (look) { /* whoever meets the error first */
        loop_expect_end(l, 1, one.pipe);
      }
      for (int again = 0; again < 2; again++) {
        REQUIRE_STATUS(all ? NPS_OK : NPS_E_BROKEN_PIPE, nps_pipe_drain_state(one.pipe, &unread));
      }
      end_pipe(one.pipe);
    }
  }
  loop_end(l);
}

/* ---- half-close ---- */

TEST(test_half_close_ends_one_way_only) { /* W7 */
  loop *l = loop_new();
  for (side ours = OUR_SERVER; ours <= OUR_CLIENT; ours++) {
    linked one = link_new(l, 1, ours);
    char memory[10];
    size_t count;
    REQUIRE_OK(write_pipe(one.pipe, "last", 4, &count));
    if (sys_is_windows()) {
      REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_shutdown(one.pipe));
      REQUIRE_OK(write_pipe(one.pipe, "more", 4, &count));
    } else {
      REQUIRE_OK(nps_pipe_shutdown(one.pipe));
      REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_shutdown(one.pipe));
      REQUIRE_STATUS(NPS_E_CLOSED, try_write(one.pipe));
      peer_receive_exactly(one.peer, memory, 4);
      REQUIRE_EQUAL(0, peer_receive(one.peer, memory, 1));
      REQUIRE(peer_send(one.peer, "answer", 6));
      REQUIRE_EQUAL(6, loop_read(l, 1, one.pipe, memory, sizeof memory));
      peer_close(one.peer);
      one.peer = NULL;
      loop_expect_end(l, 1, one.pipe);
      REQUIRE_STATUS(NPS_E_CLOSED, try_write(one.pipe));
    }
    end_pipe(one.pipe);
    if (one.peer != NULL) {
      peer_close(one.peer);
    }
  }
  loop_end(l);
}

TEST(test_half_close_of_a_full_pipe_and_the_next_connection) { /* W7, C7 */
  if (sys_is_windows()) {
    return; /* byte pipes there have none: see above */
  }
  loop *l = loop_new();
  const char *name = test_name();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  for (int round = 0; round < 3; round++) {
    peer *far = peer_open(name);
    loop_connect(l, 1, server);
    size_t sent = write_until_full(server, 3); /* a write waits for room */
    REQUIRE_OK(nps_pipe_shutdown(server));
    REQUIRE_STATUS(NPS_E_CLOSED, try_write(server));
    peer_stream *receiver = peer_receiver_start(far, 3, SIZE_MAX, true);
    peer_stream_join(receiver);
    REQUIRE_EQUAL(sent, receiver->moved);
    loop_expect_end(l, 1, server);
    REQUIRE_STATUS(NPS_E_CLOSED, try_write(server));
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_disconnect(server, 1));
  }
  end_pipe(server);
  loop_end(l);
}

TEST(test_half_close_and_drain_of_an_end_that_only_reads) {
  loop *l = loop_new();
  nps_server_options options = server_options(NULL);
  options.direction = NPS_DIRECTION_IN;
  const char *name = test_name();
  options.name = name;
  nps_pipe *server = NULL, *client = NULL;
  uint64_t number;
  size_t count;
  REQUIRE_OK(nps_pipe_create(&options, &server));
  nps_client_options opening = client_options(name);
  opening.direction = NPS_DIRECTION_OUT;
  REQUIRE_OK(nps_pipe_open(&opening, &client));
  register_pipe(l, server, 1);
  loop_connect(l, 1, server);
  REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_shutdown(server));
  REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_drain_state(server, &number));
  REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_peek(client, NULL, 0, &count, &number));
  end_pipe(client);
  end_pipe(server);
  loop_end(l);
}
