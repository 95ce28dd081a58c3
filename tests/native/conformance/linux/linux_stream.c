/* What a Unix socket's peer can do that a pipe's cannot: half-close, send descriptors and out-of-band bytes, reset. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "loop.h"
#include "sys.h"

/* The peer's descriptor stays its own. */
static int peer_fd(linked *a) {
  int fd = (int)peer_take_handle(a->peer);
  a->peer = peer_of_handle(fd);
  return fd;
}

TEST(test_an_end_that_only_writes_hears_that_the_peer_closed) { /* P8: Windows learns of it at the next write */
  loop *l = loop_new();
  nps_server_options options = server_options(NULL);
  options.direction = NPS_DIRECTION_OUT;
  for (int i = 0; i < 4; i++) {
    linked a = link_new_with(l, 1, OUR_SERVER, options);
    if (i % 2 == 0) {
      REQUIRE_OK(nps_pipe_reregister(a.pipe, 1, NPS_INTEREST_WRITABLE));
    }
    loop_forget(l);
    REQUIRE_EQUAL(0, l->ever[1]); /* our own half that is shut is not the peer's */
    peer_close(a.peer);
    loop_await(l, 1, NPS_CLOSED);
    end_pipe(a.pipe);
  }
  loop_end(l);
}

/* What it wrote while nobody had accepted it stands in the way, and nobody will ever read it. */
TEST(test_a_client_that_filled_a_pipe_which_only_writes_hears_of_it) { /* P2, W3: a missing event never */
  static const uint32_t modes[] = {NPS_MODE_BYTE, NPS_MODE_MESSAGE};
  for (int i = 0; i < 2; i++) {
    loop *l = loop_new();
    nps_server_options options = server_options(test_name());
    nps_client_options client = client_options(options.name);
    nps_pipe *server = NULL, *pipe = NULL;
    options.direction = NPS_DIRECTION_OUT;
    options.mode = client.mode = modes[i];
    REQUIRE_OK(nps_pipe_create(&options, &server));
    REQUIRE_OK(nps_pipe_open(&client, &pipe));
    register_pipe(l, server, 1);
    register_pipe(l, pipe, 2);
    size_t count;
    REQUIRE_OK(write_pipe(pipe, NULL, 0, &count)); /* an empty message is not the end */
    REQUIRE(write_until_full(pipe, 1) > 0);
    loop_reset(l, 2);
    REQUIRE_OK(nps_pipe_connect(server));
    loop_await(l, 2, NPS_WRITABLE);
    REQUIRE_STATUS(NPS_E_BROKEN_PIPE, try_write(pipe));
    char byte = 0;
    REQUIRE_OK(write_pipe(server, "x", 1, &count)); /* the other direction is as it was */
    while (nps_result_status(read_pipe(pipe, &byte, 1, &count)) == NPS_WOULD_BLOCK) {
      loop_await(l, 2, NPS_READABLE);
    }
    REQUIRE_EQUAL('x', byte);
    end_pipe(server);
    end_pipe(pipe);
    loop_end(l);
  }
}

TEST(test_closed_is_reported_while_bytes_are_unread) { /* P8: Windows learns of it behind the bytes */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  REQUIRE_OK(nps_pipe_reregister(a.pipe, 1, NPS_INTEREST_WRITABLE));
  REQUIRE(peer_send(a.peer, "unread", 6));
  loop_pump(l, 50);
  loop_reset(l, 1);
  peer_close(a.peer);
  loop_await(l, 1, NPS_CLOSED);
  char memory[6];
  for (size_t have = 0; have < 6;) {
    have += loop_read(l, 1, a.pipe, memory + have, 6 - have);
  }
  loop_expect_end(l, 1, a.pipe);
  end_pipe(a.pipe);
  loop_end(l);
}

TEST(test_half_close_ends_reading_and_not_writing) { /* R3, W3 */
  for (int i = 0; i < 10; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    if (i < 5) {
      REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
    }
    REQUIRE(peer_send(a.peer, "last", 4));
    REQUIRE(shutdown(peer_fd(&a), SHUT_WR) == 0);
    char memory[4];
    size_t have = 0;
    while (have < 4) {
      have += loop_read(l, 1, a.pipe, memory + have, 4 - have);
    }
    REQUIRE(memcmp(memory, "last", 4) == 0);
    loop_expect_end(l, 1, a.pipe);
    loop_await_ever(l, 1, NPS_CLOSED);
    peer_stream *receiver = peer_receiver_start(a.peer, 3, 500000, false);
    loop_write_pattern(l, 1, a.pipe, 3, 500000); /* it still listens */
    peer_stream_join(receiver);
    REQUIRE_STATUS(NPS_END_OF_STREAM, try_read(a.pipe));
    link_end(a);
    loop_end(l);
  }
}

/* Sends bytes with a descriptor: 0 or an errno. */
static int send_descriptor(int fd, const char *bytes, size_t size, int sent) {
  char control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {.iov_base = (char *)(uintptr_t)bytes, .iov_len = size};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  memset(control, 0, sizeof control);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &sent, sizeof sent);
  const ssize_t done = sendmsg(fd, &message, MSG_NOSIGNAL);
  REQUIRE(done < 0 || done == (ssize_t)size);
  return done < 0 ? errno : 0;
}

static int gift_open(void) {
  int gift = open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(gift >= 0);
  return gift;
}

/* "abcdef" comes, and a descriptor behind "cd". By the rule: a short read means "wait", so an event must come for the rest. */
static void expect_no_stall(loop *l, nps_pipe *pipe, int other, int gift) {
  char memory[4096];
  size_t have = 0, count;
  REQUIRE(send(other, "ab", 2, MSG_NOSIGNAL) == 2);
  REQUIRE_EQUAL(0, send_descriptor(other, "cd", 2, gift)); /* the stream is cut before and behind it */
  REQUIRE(send(other, "ef", 2, MSG_NOSIGNAL) == 2);
  while (have < 6) {
    loop_await(l, 1, NPS_READABLE);
    while (read_pipe(pipe, memory + have, sizeof memory - have, &count) == NPS_OK) {
      size_t room = sizeof memory - have;
      have += count;
      if (count < room) {
        break;
      }
    }
  }
  REQUIRE(have == 6 && memcmp(memory, "abcdef", 6) == 0);
}

TEST(test_a_sent_descriptor_neither_stalls_nor_leaks) { /* P2, R1, X3: on a connection that others made */
  loop *l = loop_new();
  nps_pipe *pipe = NULL;
  int pair[2], gift = gift_open();
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  REQUIRE_OK(nps_pipe_adopt(pair[0], NULL, &pipe));
  register_pipe(l, pipe, 1);
  uint32_t handles = sys_handle_count();
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(pipe));
  for (int round = 0; round < 100; round++) {
    expect_no_stall(l, pipe, pair[1], gift);
  }
  REQUIRE_EQUAL(handles, sys_handle_count());
  close(gift);
  end_pipe(pipe);
  close(pair[1]);
  loop_end(l);
}

TEST(test_a_descriptor_that_who_was_lent_the_handle_allows_does_not_stall) { /* P2, A2 */
  for (int i = 0; i < 2; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i == 0 ? OUR_SERVER : OUR_CLIENT);
    intptr_t lent = -1;
    int allow = 1, gift = gift_open();
    REQUIRE_OK(nps_pipe_os_handle(a.pipe, &lent));
    (void)setsockopt((int)lent, SOL_SOCKET, 83, &allow, sizeof allow); /* SO_PASSRIGHTS; older kernels always allow */
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
    for (int round = 0; round < 10; round++) {
      expect_no_stall(l, a.pipe, peer_fd(&a), gift);
    }
    close(gift);
    link_end(a);
    loop_end(l);
  }
}

TEST(test_a_descriptor_that_who_inherits_the_connection_allows_does_not_stall) { /* P2, O1 */
  loop *l = loop_new();
  nps_client_options options = client_options(test_name());
  nps_pipe *pipe = NULL;
  int allow = 1, gift = gift_open(), type;
  socklen_t size = sizeof type;
  peer_server *server = peer_listen(options.name, 4);
  options.flags = NPS_CLIENT_INHERITABLE;
  int fd = dup(gift); /* the lowest that is free, which the connection will have: asking for it would say that it is lent */
  close(fd);
  REQUIRE_OK(nps_pipe_open(&options, &pipe));
  linked a = {.pipe = pipe, .peer = peer_accept(server), .token = 1};
  peer_server_close(server);
  REQUIRE(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0);
  (void)setsockopt(fd, SOL_SOCKET, 83, &allow, sizeof allow); /* SO_PASSRIGHTS */
  register_pipe(l, pipe, 1);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(pipe));
  for (int round = 0; round < 10; round++) {
    expect_no_stall(l, pipe, peer_fd(&a), gift);
  }
  close(gift);
  link_end(a);
  loop_end(l);
}

/* Whether this kernel can refuse descriptors (Linux 6.16). */
static bool kernel_refuses(void) {
  int pair[2], pass = 0;
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  bool refuses = setsockopt(pair[0], SOL_SOCKET, 83, &pass, sizeof pass) == 0;
  close(pair[0]);
  close(pair[1]);
  return refuses;
}

TEST(test_a_descriptor_is_refused) { /* also by an end that has not been accepted yet */
  if (!kernel_refuses()) {
    test_skip("this kernel cannot refuse descriptors");
  }
  loop *l = loop_new();
  const char *name = test_name();
  nps_pipe *server = server_new(name);
  int gift = gift_open();
  register_pipe(l, server, 1);
  linked early = {.pipe = server, .peer = peer_open(name)};
  REQUIRE_EQUAL(EPERM, send_descriptor(peer_fd(&early), "cd", 2, gift));
  REQUIRE(peer_send(early.peer, "ab", 2));
  REQUIRE_STATUS(NPS_OK, nps_pipe_connect(server));
  char memory[2];
  REQUIRE(loop_read(l, 1, server, memory, sizeof memory) == 2 && memcmp(memory, "ab", 2) == 0);
  REQUIRE_EQUAL(EPERM, send_descriptor(peer_fd(&early), "cd", 2, gift));
  linked ours = link_new(l, 2, OUR_CLIENT);
  REQUIRE_EQUAL(EPERM, send_descriptor(peer_fd(&ours), "cd", 2, gift));
  close(gift);
  link_end(early);
  link_end(ours);
  loop_end(l);
}

TEST(test_out_of_band_bytes_do_not_stall) { /* P2 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  int fd = peer_fd(&a);
  if (send(fd, "!", 1, MSG_OOB | MSG_NOSIGNAL) < 0) {
    test_skip("this kernel has no out-of-band bytes on Unix sockets");
  }
  for (int round = 0; round < 20; round++) {
    size_t sum = 0;
    REQUIRE(peer_send(a.peer, "abc", 3));
    (void)send(fd, "!", 1, MSG_OOB | MSG_NOSIGNAL);
    REQUIRE(peer_send(a.peer, "def", 3));
    while (sum < 6) { /* the ordinary bytes come, whatever happens to the others */
      char memory[64];
      size_t count = loop_read(l, 1, a.pipe, memory, sizeof memory);
      for (size_t i = 0; i < count; i++) {
        sum += memory[i] != '!';
      }
    }
  }
  link_end(a);
  loop_end(l);
}

TEST(test_a_reset_after_data_is_the_end_for_a_reader) { /* R3, W3 */
  for (int i = 0; i < 20; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    REQUIRE_OK(try_write(a.pipe)); /* the peer will leave this unread: the kernel makes a reset of it */
    REQUIRE(peer_send(a.peer, "0123456789", 10));
    peer_close(a.peer);
    char memory[10];
    size_t have = 0;
    while (have < 10) {
      size_t count = loop_read(l, 1, a.pipe, memory + have, 10 - have);
      REQUIRE(count > 0);
      have += count;
    }
    REQUIRE(memcmp(memory, "0123456789", 10) == 0);
    loop_expect_end(l, 1, a.pipe);
    REQUIRE_STATUS(NPS_E_BROKEN_PIPE, try_write(a.pipe));
    REQUIRE_STATUS(NPS_END_OF_STREAM, try_read(a.pipe));
    end_pipe(a.pipe);
    loop_end(l);
  }
}

TEST(test_a_pipe_that_breaks_raises_no_signal) { /* MSG_NOSIGNAL: SIGPIPE would end this process */
  REQUIRE(signal(SIGPIPE, SIG_DFL) != SIG_ERR); /* whatever our parent does with it */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_CLIENT);
  peer_close(a.peer);
  uint64_t deadline = test_deadline();
  while (try_write(a.pipe) >= 0) {
    REQUIRE(!test_expired(deadline));
  }
  end_pipe(a.pipe);
  loop_end(l);
}

TEST(test_descriptors_close_on_exec) {
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER), b = link_new(l, 2, OUR_CLIENT);
  intptr_t one = -1, two = -1;
  REQUIRE_OK(nps_pipe_os_handle(a.pipe, &one));
  REQUIRE_OK(nps_pipe_os_handle(b.pipe, &two));
  REQUIRE((fcntl((int)one, F_GETFD) & FD_CLOEXEC) != 0);
  REQUIRE((fcntl((int)two, F_GETFD) & FD_CLOEXEC) != 0);
  link_end(a);
  link_end(b);
  loop_end(l);
}
