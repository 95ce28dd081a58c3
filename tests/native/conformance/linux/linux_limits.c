/* Running out of descriptors (C5), and what may be adopted. */
#define _GNU_SOURCE 1

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"
#include "sys.h"

/* No further descriptor can be made until this is undone. */
static struct rlimit no_more_descriptors(void) {
  struct rlimit before, none;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  none = before;
  int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(lowest >= 0);
  close(lowest);
  none.rlim_cur = (rlim_t)lowest;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  return before;
}

TEST(test_a_failed_connect_is_an_event_and_the_error_comes_once) { /* C5 */
  for (int i = 0; i < 20; i++) {
    const char *name = test_name();
    loop *l = loop_new();
    nps_result error = NPS_OK;
    nps_pipe *server = server_new(name);
    register_pipe(l, server, 1);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
    loop_pump(l, 0);
    peer *client = peer_open(name);
    struct rlimit before = no_more_descriptors(); /* accepting it will fail */
    loop_await(l, 1, NPS_ERROR);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE_OK(nps_pipe_take_error(server, &error));
    REQUIRE_STATUS(NPS_E_TOO_MANY_HANDLES, error);
    REQUIRE(nps_result_detail(error) != 0); /* the system's own code */
    REQUIRE_OK(nps_pipe_take_error(server, &error));
    REQUIRE_OK(error); /* once */
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, try_read(server));
    loop_connect(l, 1, server); /* connect may be called again, and the client is still there */
    REQUIRE_OK(try_write(server));
    char byte;
    peer_receive_exactly(client, &byte, 1);
    peer_close(client);
    end_pipe(server);
    loop_end(l);
  }
}

/* The listener tells of a client once. One instance hears that accepting it failed; the other goes on waiting, and gets it when
 * there are descriptors again. */
TEST(test_a_client_that_could_not_be_accepted_goes_to_who_still_waits) { /* C5, C9 */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *servers[2] = {server_new(name), server_new(name)};
  for (uint64_t i = 0; i < 2; i++) {
    register_pipe(l, servers[i], i);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(servers[i]));
  }
  loop_pump(l, 0);
  peer *client = peer_open(name);
  struct rlimit before = no_more_descriptors();
  loop_await(l, 0, NPS_ERROR); /* it waited longest */
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(servers[0]));
  loop_await(l, 1, NPS_WRITABLE);
  REQUIRE_OK(try_write(servers[1]));
  char byte;
  peer_receive_exactly(client, &byte, 1);
  peer_close(client);
  end_pipe(servers[0]);
  end_pipe(servers[1]);
  loop_end(l);
}

TEST(test_calls_without_a_descriptor_left_say_so) { /* errors of create, open, poll_create */
  const char *name = test_name(), *served = test_name();
  nps_pipe *server = server_new(served), *pipe = NULL;
  nps_poll *poll = NULL;
  nps_server_options making = server_options(name);
  nps_client_options opening = client_options(served);
  uint32_t handles = sys_handle_count();
  struct rlimit before = no_more_descriptors();
  nps_result made = nps_pipe_create(&making, &pipe);
  nps_result opened = nps_pipe_open(&opening, &pipe);
  nps_result polled = nps_poll_create(NULL, &poll);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_STATUS(NPS_E_TOO_MANY_HANDLES, made);
  REQUIRE_STATUS(NPS_E_TOO_MANY_HANDLES, opened);
  REQUIRE_STATUS(NPS_E_TOO_MANY_HANDLES, polled);
  REQUIRE(pipe == NULL && poll == NULL);
  REQUIRE_EQUAL(handles, sys_handle_count());
  nps_pipe_release(server);
}

/* Tries to adopt it and closes it; it must be as it was. */
static int32_t adopted(int fd) {
  nps_pipe *pipe = NULL;
  REQUIRE(fd >= 0);
  int flags = fcntl(fd, F_GETFL);
  nps_result result = nps_pipe_adopt(fd, NULL, &pipe);
  REQUIRE(result < 0 && pipe == NULL);
  REQUIRE_EQUAL(flags, fcntl(fd, F_GETFL));
  close(fd);
  return nps_result_status(result);
}

static int half_of_pair(int type) {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0);
  close(ends[1]);
  return ends[0];
}

TEST(test_only_connected_unix_sockets_are_adopted) {
  int ends[2];
  REQUIRE_EQUAL(NPS_E_NOT_A_PIPE, adopted(open("/dev/null", O_RDWR | O_CLOEXEC)));
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  REQUIRE_EQUAL(NPS_E_NOT_A_PIPE, adopted(ends[0]));
  REQUIRE_EQUAL(NPS_E_NOT_A_PIPE, adopted(ends[1]));
  REQUIRE_EQUAL(NPS_E_NOT_A_PIPE, adopted(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  REQUIRE_EQUAL(NPS_E_NOT_A_PIPE, adopted(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
  REQUIRE_EQUAL(NPS_E_NOT_SUPPORTED, adopted(half_of_pair(SOCK_DGRAM))); /* it may lose messages */
  REQUIRE_EQUAL(NPS_E_NOT_CONNECTED, adopted(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)));
  REQUIRE_EQUAL(NPS_E_NOT_CONNECTED, adopted(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)));
}

TEST(test_a_server_without_a_client_has_no_handle) { /* nps_pipe_os_handle, nps_pipe_export */
  intptr_t handle = -1;
  nps_pipe *server = server_new(test_name());
  REQUIRE_STATUS(NPS_E_NOT_CONNECTED, nps_pipe_os_handle(server, &handle));
  REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_export(server, &handle));
  REQUIRE_EQUAL(-1, handle);
  nps_pipe_release(server);
}

TEST(test_a_blocking_descriptor_may_be_adopted) { /* P0: nothing ever blocks, whatever the descriptor's own flag says */
  int ends[2];
  nps_pipe *pipe = NULL;
  loop *l = loop_new();
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  REQUIRE_OK(nps_pipe_adopt(ends[0], NULL, &pipe));
  register_pipe(l, pipe, 1);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(pipe));
  (void)write_until_full(pipe, 1);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_write(pipe));
  end_pipe(pipe);
  close(ends[1]);
  loop_end(l);
}
