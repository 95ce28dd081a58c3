/* regressions_epoll.c - what the injected faults found on Linux, each as a case of its own. */
#define _GNU_SOURCE 1

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"
#include "loop.h"

static void begin(const char *function, const char *import, const char *error) {
  fault_plan plan = fault_plan_of(function, import, error);
  fault_begin(&plan, 1);
}

/* Ends it; it must have struck. */
static void end(void) {
  uint32_t fired = fault_fired();
  fault_end();
  REQUIRE_EQUAL(1, fired);
}

TEST(test_a_read_without_memory_does_not_end_the_stream) {
  loop *l = loop_new();
  linked link = link_new(l, 1, OUR_SERVER);
  REQUIRE(peer_send(link.peer, "x", 1));
  loop_await(l, 1, NPS_READABLE);
  begin("bytes__receive", "recv", "ENOMEM");
  nps_result result = try_read(link.pipe);
  end();
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, result);
  REQUIRE_EQUAL(ENOMEM, nps_result_detail(result));
  REQUIRE_OK(try_read(link.pipe));
  loop_pump(l, 0);
  REQUIRE((l->ever[1] & NPS_CLOSED) == 0);
  link_end(link);
  loop_end(l);
}

TEST(test_a_read_that_cannot_be_waited_for_says_so_and_the_next_one_waits) {
  loop *l = loop_new();
  const char *name = test_name();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  peer *client = peer_open(name);
  begin("ep_port_control", "epoll_ctl", "ENOMEM");
  nps_result result = nps_pipe_connect(server); /* begins to read */
  end();
  REQUIRE_OK(result);
  loop_await(l, 1, NPS_READABLE);
  result = try_read(server);
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, result);
  REQUIRE_EQUAL(ENOMEM, nps_result_detail(result));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(server));
  REQUIRE(peer_send(client, "x", 1));
  loop_await(l, 1, NPS_READABLE);
  REQUIRE_OK(try_read(server));
  peer_close(client);
  end_pipe(server);
  loop_end(l);
}

TEST(test_a_read_over_the_limit_of_watched_descriptors_is_not_the_end) { /* max_user_watches */
  loop *l = loop_new();
  nps_pipe *client = NULL;
  nps_client_options options = client_options(test_name());
  peer_server *server = peer_listen(options.name, 1);
  REQUIRE_OK(nps_pipe_open(&options, &client));
  peer *other = peer_accept(server);
  begin("ep_port_control", "epoll_ctl", "ENOSPC");
  register_pipe(l, client, 2); /* begins to read */
  end();
  loop_await(l, 2, NPS_READABLE);
  nps_result result = try_read(client);
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, result);
  REQUIRE_EQUAL(ENOSPC, nps_result_detail(result));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(client));
  REQUIRE(peer_send(other, "x", 1));
  loop_await(l, 2, NPS_READABLE);
  REQUIRE_OK(try_read(client));
  REQUIRE((l->ever[2] & NPS_CLOSED) == 0);
  peer_close(other);
  peer_server_close(server);
  end_pipe(client);
  loop_end(l);
}

TEST(test_a_write_without_memory_does_not_end_the_stream) {
  loop *l = loop_new();
  linked link = link_new(l, 1, OUR_SERVER);
  begin("bytes__send", "send", "ENOBUFS");
  nps_result result = try_write(link.pipe);
  end();
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, result);
  REQUIRE_EQUAL(ENOBUFS, nps_result_detail(result));
  REQUIRE_OK(try_write(link.pipe));
  char byte;
  peer_receive_exactly(link.peer, &byte, 1);
  REQUIRE(peer_nothing_there(link.peer));
  link_end(link);
  loop_end(l);
}

TEST(test_a_close_that_cannot_be_watched_is_an_error_and_taking_it_watches_again) { /* P8 */
  loop *l = loop_new();
  nps_result error = NPS_OK;
  nps_server_options options = server_options(test_name());
  options.direction = NPS_DIRECTION_OUT;
  nps_pipe *server = NULL;
  REQUIRE_OK(nps_pipe_create(&options, &server));
  register_pipe(l, server, 1);
  peer *client = peer_open(options.name);
  begin("ep_port_control", "epoll_ctl", "ENOMEM");
  nps_result result = nps_pipe_connect(server);
  end();
  REQUIRE_OK(result);
  loop_await(l, 1, NPS_ERROR);
  REQUIRE_OK(nps_pipe_take_error(server, &error));
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, error);
  REQUIRE_EQUAL(ENOMEM, nps_result_detail(error));
  peer_close(client);
  loop_await(l, 1, NPS_CLOSED);
  end_pipe(server);
  loop_end(l);
}

TEST(test_a_signal_while_a_name_is_made_up_is_not_an_error) {
  begin("name__temporary", "getrandom", "EINTR");
  nps_pipe *server = server_new(test_name());
  end();
  nps_pipe_release(server);
}

static void require_adopt_fails(const char *function, const char *import, const char *error, int code) {
  peer *one, *other;
  nps_pipe *pipe = NULL;
  peer_pair(&one, &other);
  intptr_t handle = peer_take_handle(one);
  begin(function, import, error);
  nps_result result = nps_pipe_adopt(handle, NULL, &pipe);
  end();
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, result);
  REQUIRE_EQUAL(code, nps_result_detail(result));
  REQUIRE_OK(nps_pipe_adopt(handle, NULL, &pipe));
  nps_pipe_release(pipe);
  peer_close(other);
}

TEST(test_a_descriptor_that_cannot_be_examined_is_not_called_wrong) {
  require_adopt_fails("ep_socket_adoptable", "fstat", "ENOMEM", ENOMEM);
  require_adopt_fails("socket__check_option", "getsockopt", "ENOBUFS", ENOBUFS);
}

TEST(test_a_server_that_cannot_be_examined_is_not_called_a_stranger) {
  const char *name = test_name();
  peer_server *server = peer_listen(name, 4);
  nps_client_options options = client_options(name);
  nps_pipe *pipe = NULL;
  begin("ep_socket_check_peer", "getsockopt", "ENOBUFS");
  nps_result result = nps_pipe_open(&options, &pipe);
  end();
  REQUIRE_STATUS(NPS_E_OUT_OF_MEMORY, result);
  REQUIRE_EQUAL(ENOBUFS, nps_result_detail(result));
  peer_server_close(server);
}

/* ---- a server that knows nothing of our lock takes the name between our look at it and our move */

static const char *s_name;
static peer_server *s_quicker;

static void be_quicker(const char *path) {
  unlink(path);
  s_quicker = peer_listen(s_name, 1);
}

TEST(test_a_quicker_server_keeps_its_socket_though_the_exchange_cannot_be_undone) {
  s_name = test_name();
  peer_leave_dead_name(s_name);
  const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}}; /* its number may be given to the next file */
  REQUIRE(utimensat(AT_FDCWD, peer_full_name(s_name), long_ago, AT_SYMLINK_NOFOLLOW) == 0);
  fault_plan plan = fault_plan_of("name__rename", "syscall", "EIO");
  plan.nth = 1; /* the first is the exchange */
  fault_before_exchange = be_quicker;
  fault_begin(&plan, 1);
  nps_server_options options = server_options(s_name);
  nps_pipe *server = NULL;
  nps_result result = nps_pipe_create(&options, &server);
  end();
  REQUIRE_STATUS(NPS_E_IO, result);
  REQUIRE_EQUAL(EIO, nps_result_detail(result));
  peer *client = peer_open(s_name);
  peer *served = peer_accept(s_quicker);
  REQUIRE(peer_send(client, "x", 1));
  char byte;
  peer_receive_exactly(served, &byte, 1);
  peer_close(served);
  peer_close(client);
  peer_server_close(s_quicker);
}
