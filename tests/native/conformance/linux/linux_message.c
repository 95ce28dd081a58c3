/* Message pipes on sockets of other programs: what SOCK_SEQPACKET does that a pipe must not show. R3, R4, W6. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"
#include "sys.h"

/* A pipe of one end of a socket pair, with token 1, and the other end. */
static nps_pipe *adopt_half(loop *l, int *other) {
  int pair[2];
  nps_pipe *pipe = NULL;
  REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
  REQUIRE_OK(nps_pipe_adopt(pair[0], NULL, &pipe));
  *other = pair[1];
  register_pipe(l, pipe, 1);
  return pipe;
}

static void send_to(int fd, const char *text, size_t size) {
  REQUIRE(send(fd, text, size, MSG_NOSIGNAL) == (ssize_t)size);
}

static void expect(loop *l, nps_pipe *pipe, nps_status status, const char *text, size_t room) {
  char memory[100];
  size_t count = 0xDEAD;
  nps_result result = nps_pipe_read(pipe, memory, room, &count);
  while (nps_result_status(result) == NPS_WOULD_BLOCK) {
    loop_await(l, 1, NPS_READABLE | NPS_CLOSED);
    result = nps_pipe_read(pipe, memory, room, &count);
  }
  REQUIRE_STATUS(status, result);
  REQUIRE_EQUAL(strlen(text), count);
  REQUIRE(memcmp(memory, text, count) == 0);
}

TEST(test_messages_that_came_before_adopt_are_told_from_the_end) { /* R4, W6 */
  loop *l = loop_new();
  int other;
  int pair[2];
  nps_pipe *pipe = NULL;
  REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
  other = pair[1];
  send_to(other, "", 0); /* nobody has asked for credentials yet */
  send_to(other, "abc", 3);
  send_to(other, "", 0);
  close(other);
  REQUIRE_OK(nps_pipe_adopt(pair[0], NULL, &pipe));
  register_pipe(l, pipe, 1);
  expect(l, pipe, NPS_OK, "", 10);
  expect(l, pipe, NPS_MORE_DATA, "ab", 2);
  expect(l, pipe, NPS_OK, "c", 2);
  expect(l, pipe, NPS_OK, "", 10);
  expect(l, pipe, NPS_END_OF_STREAM, "", 10);
  expect(l, pipe, NPS_END_OF_STREAM, "", 10);
  end_pipe(pipe);
  loop_end(l);
}

TEST(test_a_peer_that_left_without_reading_leaves_its_messages) { /* R3: the system says ECONNRESET before them */
  loop *l = loop_new();
  for (int look = 0; look < 2; look++) {
    int other;
    nps_pipe *pipe = adopt_half(l, &other);
    size_t count;
    uint64_t available;
    REQUIRE_OK(write_pipe(pipe, "unread", 6, &count));
    send_to(other, "one", 3);
    send_to(other, "two", 3);
    close(other);
    if (look) {
      REQUIRE_OK(nps_pipe_peek(pipe, NULL, 0, &count, &available));
      REQUIRE_EQUAL(3, available);
    }
    expect(l, pipe, NPS_OK, "one", 10);
    expect(l, pipe, NPS_OK, "two", 10);
    expect(l, pipe, NPS_END_OF_STREAM, "", 10);
    REQUIRE_STATUS(NPS_E_BROKEN_PIPE, nps_pipe_drain_state(pipe, &available));
    REQUIRE_STATUS(NPS_E_BROKEN_PIPE, try_write(pipe));
    end_pipe(pipe);
  }
  loop_end(l);
}

/* What one read had no room for is kept for the next, byte for byte, and shown by a peek between them. */
TEST(test_the_rest_of_a_message_is_kept) { /* R4, F1 */
  loop *l = loop_new();
  int other;
  nps_pipe *pipe = adopt_half(l, &other);
  char seen[10];
  size_t count = 0;
  uint64_t available = 0;
  send_to(other, "0123456789", 10);
  send_to(other, "next", 4);
  expect(l, pipe, NPS_MORE_DATA, "0123", 4);
  for (int i = 0; i < 2; i++) {
    REQUIRE_OK(nps_pipe_peek(pipe, seen, 3, &count, &available));
    REQUIRE(count == 3 && available == 6 && memcmp(seen, "456", 3) == 0);
  }
  expect(l, pipe, NPS_MORE_DATA, "45", 2);
  expect(l, pipe, NPS_MORE_DATA, "678", 3);
  REQUIRE_OK(nps_pipe_peek(pipe, seen, sizeof seen, &count, &available));
  REQUIRE(count == 1 && available == 1 && seen[0] == '9');
  expect(l, pipe, NPS_OK, "9", 10);
  REQUIRE_OK(nps_pipe_peek(pipe, seen, sizeof seen, &count, &available));
  REQUIRE(count == 4 && available == 4 && memcmp(seen, "next", 4) == 0);
  expect(l, pipe, NPS_OK, "next", 4);
  close(other);
  expect(l, pipe, NPS_END_OF_STREAM, "", 10);
  end_pipe(pipe);
  loop_end(l);
}

/* ... and no longer than its connection: nobody will ask for it. */
TEST(test_the_rest_of_a_message_goes_with_its_pipe) { /* X3 */
  enum { LENGTH = 100000, ROUNDS = 300 };
  loop *l = loop_new();
  char *message = test_new(LENGTH);
  uint64_t before = 0;
  for (int i = 0; i < ROUNDS; i++) {
    int other;
    nps_pipe *pipe = adopt_half(l, &other);
    pattern_fill(message, LENGTH, 1, 0);
    send_to(other, message, LENGTH);
    expect(l, pipe, NPS_MORE_DATA, "", 0);
    size_t count;
    REQUIRE_STATUS(NPS_MORE_DATA, nps_pipe_read(pipe, message, 10, &count));
    REQUIRE_EQUAL(10, count);
    pattern_require(message, 10, 1, 0);
    end_pipe(pipe);
    close(other);
    before = i == ROUNDS / 10 ? sys_memory() : before; /* the allocator has what it needs by now */
  }
  REQUIRE(sys_memory() < before + (uint64_t)LENGTH * ROUNDS / 3);
  loop_end(l);
}

TEST(test_descriptors_that_come_with_a_message_are_closed) {
  loop *l = loop_new();
  int other;
  nps_pipe *pipe = adopt_half(l, &other);
  uint32_t before = sys_handle_count();
  for (int i = 0; i < 20; i++) {
    union {
      struct cmsghdr header;
      char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    char byte = 'x';
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &other, sizeof other);
    REQUIRE(sendmsg(other, &message, MSG_NOSIGNAL) == 1);
    expect(l, pipe, NPS_OK, "x", 10);
  }
  REQUIRE_EQUAL(before, sys_handle_count());
  end_pipe(pipe);
  close(other);
  loop_end(l);
}

TEST(test_a_message_pipe_has_a_file_of_its_own) { /* nobody takes it for System.IO.Pipes' */
  const char *name = test_name();
  nps_server_options options = server_options(name), bytes = options;
  nps_pipe *messages = NULL, *stream = NULL;
  options.mode = NPS_MODE_MESSAGE;
  REQUIRE_OK(nps_pipe_create(&options, &messages));
  REQUIRE(access(peer_full_name(name), F_OK) != 0);
  REQUIRE_OK(nps_pipe_create(&bytes, &stream)); /* both at once */
  REQUIRE(access(peer_full_name(name), F_OK) == 0);
  end_pipe(stream);
  end_pipe(messages);
}

TEST(test_a_full_path_is_of_one_mode) { /* K1, O4 */
  const char *path = peer_full_name(test_name());
  nps_server_options options = server_options(path), bytes = options;
  nps_client_options opening = client_options(path);
  nps_pipe *messages = NULL, *other = NULL;
  options.mode = NPS_MODE_MESSAGE;
  REQUIRE_OK(nps_pipe_create(&options, &messages));
  REQUIRE_STATUS(NPS_E_NOT_A_PIPE, nps_pipe_open(&opening, &other));
  REQUIRE_STATUS(NPS_E_ACCESS_DENIED, nps_pipe_create(&bytes, &other));
  opening.mode = NPS_MODE_MESSAGE;
  REQUIRE_OK(nps_pipe_open(&opening, &other));
  end_pipe(other);
  end_pipe(messages);
}

TEST(test_out_buffer_size_never_makes_messages_smaller) { /* O1 */
  loop *l = loop_new();
  nps_server_options options = server_options(test_name());
  nps_client_options opening = client_options(options.name);
  nps_pipe *server = NULL, *client = NULL;
  options.mode = opening.mode = NPS_MODE_MESSAGE;
  options.out_buffer_size = 1;
  REQUIRE_OK(nps_pipe_create(&options, &server));
  REQUIRE_OK(nps_pipe_open(&opening, &client));
  register_pipe(l, server, 1);
  loop_connect(l, 1, server);
  nps_info of_server = {.size = sizeof of_server}, of_client = {.size = sizeof of_client};
  REQUIRE_OK(nps_pipe_info(server, &of_server));
  REQUIRE_OK(nps_pipe_info(client, &of_client));
  REQUIRE_EQUAL(of_client.max_message, of_server.max_message);
  end_pipe(client);
  end_pipe(server);
  loop_end(l);
}

/* As large as this system lets the buffer be; where that is little, the buffer decides. */
TEST(test_a_message_of_the_size_that_is_told_can_be_sent) { /* F1, W5 */
  loop *l = loop_new();
  nps_server_options options = server_options(test_name());
  nps_client_options opening = client_options(options.name);
  nps_pipe *server = NULL, *client = NULL;
  nps_info info = {.size = sizeof info};
  options.mode = opening.mode = NPS_MODE_MESSAGE;
  options.out_buffer_size = 16777216;
  REQUIRE_OK(nps_pipe_create(&options, &server));
  REQUIRE_OK(nps_pipe_open(&opening, &client));
  register_pipe(l, server, 1);
  register_pipe(l, client, 2);
  loop_connect(l, 1, server);
  REQUIRE_OK(nps_pipe_info(server, &info));
  char *memory = test_new((size_t)info.max_message + 1);
  pattern_fill(memory, info.max_message, 1, 0);
  size_t count = 0;
  REQUIRE(nps_pipe_write(server, memory, (size_t)info.max_message + 1, &count) ==
          ((nps_result)((uint64_t)(uint32_t)NPS_E_INVALID_ARGUMENT << 32) | NPS_ARGUMENT_MESSAGE));
  uint64_t deadline = test_deadline();
  nps_result result;
  do { /* memory in one piece may be short for a moment */
    REQUIRE(!test_expired(deadline));
    result = write_pipe(server, memory, info.max_message, &count);
  } while (nps_result_status(result) == NPS_E_OUT_OF_MEMORY);
  REQUIRE_OK(result);
  REQUIRE_EQUAL(info.max_message, count);
  memset(memory, 0, info.max_message);
  while (nps_result_status(result = nps_pipe_read(client, memory, info.max_message, &count)) == NPS_WOULD_BLOCK) {
    loop_await(l, 2, NPS_READABLE);
  }
  REQUIRE_OK(result);
  REQUIRE_EQUAL(info.max_message, count);
  pattern_require(memory, count, 1, 0);
  end_pipe(client);
  end_pipe(server);
  loop_end(l);
}
