/* Handles that come from elsewhere, and go there: adopt, export, os_handle. Refusals that only one system knows are
 * in linux/ and windows/. */
#include <stdio.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

static nps_pipe *adopt(peer *end) {
  nps_pipe *pipe = NULL;
  REQUIRE_OK(nps_pipe_adopt(peer_take_handle(end), NULL, &pipe));
  return pipe;
}

static void require_works(loop *l, nps_pipe *pipe, peer *other) {
  peer_stream *receiver = peer_receiver_start(other, 1, 200000, false);
  peer_stream *sender = peer_sender_start(other, 2, 200000, false);
  loop_write_pattern(l, 1, pipe, 1, 200000);
  loop_read_pattern(l, 1, pipe, 2, 200000, (read_way){5000, true});
  peer_stream_join(sender);
  peer_stream_join(receiver);
}

TEST(test_an_adopted_handle_is_a_pipe_like_any_other) {
  for (int i = 0; i < 4; i++) {
    loop *l = loop_new();
    peer *one, *other;
    peer_pair(&one, &other);
    nps_pipe *pipe = adopt(i % 2 == 0 ? one : other);
    peer *rest = i % 2 == 0 ? other : one;
    if (i >= 2) {
      REQUIRE(peer_send(rest, "x", 1)); /* it was there before */
    }
    register_pipe(l, pipe, 1);
    loop_await(l, 1, NPS_WRITABLE); /* P9 */
    if (i >= 2) {
      loop_await(l, 1, NPS_READABLE);
      REQUIRE_OK(try_read(pipe));
    }
    require_works(l, pipe, rest);
    peer_close(rest);
    loop_expect_end(l, 1, pipe);
    loop_await_ever(l, 1, NPS_CLOSED);
    end_pipe(pipe);
    loop_end(l);
  }
}

TEST(test_closing_an_adopted_pipe_closes_the_handle) {
  for (int i = 0; i < 20; i++) {
    peer *one, *other;
    char byte;
    peer_pair(&one, &other);
    nps_pipe *pipe = adopt(i % 2 == 0 ? one : other);
    peer *rest = i % 2 == 0 ? other : one;
    end_pipe(pipe);
    REQUIRE_EQUAL(0, peer_receive(rest, &byte, 1));
    peer_close(rest);
  }
}

TEST(test_bad_adopt_options_are_named_and_change_nothing) {
  nps_adopt_options good, bad;
  nps_pipe *pipe = NULL;
  peer *one, *other;
  peer_pair(&one, &other);
  intptr_t handle = peer_take_handle(one);
  REQUIRE_OK(nps_adopt_options_init(&good, sizeof good));
  bad = good;
  bad.size = 3;
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS_SIZE, nps_pipe_adopt(handle, &bad, &pipe));
  bad = good;
  bad.flags = 1;
  REQUIRE_INVALID(NPS_ARGUMENT_FLAGS, nps_pipe_adopt(handle, &bad, &pipe));
  bad = good;
  bad.read_ahead = 1048577;
  REQUIRE_INVALID(NPS_ARGUMENT_READ_AHEAD, nps_pipe_adopt(handle, &bad, &pipe));
  bad = good;
  bad.write_limit = 0;
  REQUIRE_INVALID(NPS_ARGUMENT_WRITE_LIMIT, nps_pipe_adopt(handle, &bad, &pipe));
  REQUIRE(pipe == NULL);
  one = peer_of_handle(handle); /* the handle is the caller's still */
  REQUIRE(peer_send(one, "x", 1));
  char byte;
  peer_receive_exactly(other, &byte, 1);
  peer_close(one);
  peer_close(other);
}

TEST(test_adopting_what_is_no_handle_says_so) {
  nps_pipe *pipe = NULL;
  peer *one, *other;
  peer_pair(&one, &other);
  intptr_t handle = peer_take_handle(one);
  peer_close_handle(handle);
  REQUIRE_INVALID(NPS_ARGUMENT_HANDLE, nps_pipe_adopt(handle, NULL, &pipe)); /* closed */
  REQUIRE_INVALID(NPS_ARGUMENT_HANDLE, nps_pipe_adopt(-1, NULL, &pipe));
  REQUIRE_INVALID(NPS_ARGUMENT_HANDLE, nps_pipe_adopt(0x7FFFFFF0, NULL, &pipe));
  REQUIRE(pipe == NULL);
  peer_close(other);
}

TEST(test_export_gives_the_handle_away) {
  for (int i = 0; i < 2; i++) {
    const char *name = test_name();
    char byte = 0;
    intptr_t handle = -1;
    peer_server *server = peer_listen(name, 2);
    nps_pipe *client = client_new(name);
    peer *end = peer_accept(server);
    REQUIRE_OK(nps_pipe_export(client, &handle));
    REQUIRE_STATUS(NPS_E_CLOSED, try_read(client));
    REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_export(client, &handle));
    nps_pipe_release(client); /* does not close the handle */
    if (i == 0) {
      peer *own = peer_of_handle(handle);
      REQUIRE(peer_send(own, "q", 1));
      peer_receive_exactly(end, &byte, 1);
      REQUIRE_EQUAL('q', byte);
      peer_close(own);
    } else { /* there and back */
      loop *l = loop_new();
      nps_pipe *again = NULL;
      REQUIRE_OK(nps_pipe_adopt(handle, NULL, &again));
      register_pipe(l, again, 1);
      require_works(l, again, end);
      end_pipe(again);
      loop_end(l);
    }
    REQUIRE_EQUAL(0, peer_receive(end, &byte, 1));
    peer_close(end);
    peer_server_close(server);
  }
}

TEST(test_export_after_register_says_already_registered) {
  intptr_t handle = -1;
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_CLIENT);
  REQUIRE_STATUS(NPS_E_ALREADY_REGISTERED, nps_pipe_export(a.pipe, &handle));
  REQUIRE_OK(nps_pipe_deregister(a.pipe));
  REQUIRE_STATUS(NPS_E_ALREADY_REGISTERED, nps_pipe_export(a.pipe, &handle));
  REQUIRE_OK(try_write(a.pipe));
  link_end(a);
  loop_end(l);
}

TEST(test_os_handle_lends_the_handle) {
  intptr_t handle = -1;
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  REQUIRE_OK(nps_pipe_os_handle(a.pipe, &handle));
  REQUIRE(handle != -1);
  REQUIRE_OK(try_write(a.pipe)); /* it stays the pipe's */
  char byte;
  peer_receive_exactly(a.peer, &byte, 1);
  link_end(a);
  loop_end(l);
}
