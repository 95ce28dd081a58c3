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

static void send_descriptor(int fd, const char *bytes, size_t size, int sent) {
  char control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {.iov_base = (char *)(uintptr_t)bytes, .iov_len = size};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  memset(control, 0, sizeof control);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &sent, sizeof sent);
  REQUIRE_EQUAL(size, sendmsg(fd, &message, MSG_NOSIGNAL));
}

TEST(test_a_sent_descriptor_neither_stalls_nor_leaks) { /* P2, R1, X3 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  int fd = peer_fd(&a), gift = open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(gift >= 0);
  uint32_t handles = sys_handle_count();
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
  for (int round = 0; round < 100; round++) {
    char memory[4096];
    size_t have = 0, count;
    REQUIRE(peer_send(a.peer, "ab", 2));
    send_descriptor(fd, "cd", 2, gift); /* the stream is cut before and behind it */
    REQUIRE(peer_send(a.peer, "ef", 2));
    while (have < 6) { /* by the rule: a short read means "wait", so an event must come for the rest */
      loop_await(l, 1, NPS_READABLE);
      while (read_pipe(a.pipe, memory + have, sizeof memory - have, &count) == NPS_OK) {
        size_t room = sizeof memory - have;
        have += count;
        if (count < room) {
          break;
        }
      }
    }
    REQUIRE(have == 6 && memcmp(memory, "abcdef", 6) == 0);
  }
  REQUIRE_EQUAL(handles, sys_handle_count());
  close(gift);
  link_end(a);
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
