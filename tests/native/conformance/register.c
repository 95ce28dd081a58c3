/* Binding pipes to a poll, what is reported, what comes after a close: P0, P5 to P9. */
#include <string.h>

#include "loop.h"
#include "sys.h"

TEST(test_io_before_register_would_block) { /* P0, C1 */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(server));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_write(server));
  nps_pipe *client = client_new(name);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(client));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_write(client));
  register_pipe(l, server, 1);
  register_pipe(l, client, 2);
  loop_connect(l, 1, server);
  loop_write_pattern(l, 2, client, 5, 1000); /* and after it everything works */
  loop_read_pattern(l, 1, server, 5, 1000, (read_way){64, false});
  end_pipe(server);
  end_pipe(client);
  loop_end(l);
}

TEST(test_a_second_register_says_already_registered) { /* P5 */
  loop *l = loop_new(), *other = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  REQUIRE_STATUS(NPS_E_ALREADY_REGISTERED, nps_pipe_register(a.pipe, l->poll, 1, BOTH_INTERESTS));
  REQUIRE_STATUS(NPS_E_ALREADY_REGISTERED, nps_pipe_register(a.pipe, l->poll, 2, NPS_INTEREST_READABLE));
  REQUIRE_STATUS(NPS_E_ALREADY_REGISTERED, nps_pipe_register(a.pipe, other->poll, 1, BOTH_INTERESTS));
  REQUIRE(peer_send(a.peer, "x", 1)); /* and the registration is as it was */
  loop_await(l, 1, NPS_READABLE);
  link_end(a);
  loop_end(l);
  loop_end(other);
}

TEST(test_reregister_and_deregister_need_a_register) { /* P5 */
  const char *name = test_name();
  loop *l = loop_new(), *other = loop_new();
  nps_pipe *pipe = server_new(name);
  REQUIRE_STATUS(NPS_E_NOT_REGISTERED, nps_pipe_reregister(pipe, 1, BOTH_INTERESTS));
  REQUIRE_STATUS(NPS_E_NOT_REGISTERED, nps_pipe_deregister(pipe));
  register_pipe(l, pipe, 1);
  REQUIRE_OK(nps_pipe_deregister(pipe));
  REQUIRE_STATUS(NPS_E_NOT_REGISTERED, nps_pipe_deregister(pipe));
  REQUIRE_STATUS(NPS_E_NOT_REGISTERED, nps_pipe_reregister(pipe, 1, BOTH_INTERESTS));
  REQUIRE_STATUS(NPS_E_ALREADY_REGISTERED, nps_pipe_register(pipe, other->poll, 1, BOTH_INTERESTS));
  register_pipe(l, pipe, 9); /* the same poll again */
  peer *client = peer_open(name);
  loop_connect(l, 9, pipe);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(pipe));
  REQUIRE(peer_send(client, "x", 1));
  loop_await(l, 9, NPS_READABLE);
  REQUIRE_OK(try_read(pipe));
  peer_close(client);
  end_pipe(pipe);
  loop_end(l);
  loop_end(other);
}

TEST(test_io_goes_on_after_deregister) { /* nps_pipe_deregister */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  REQUIRE_OK(nps_pipe_deregister(a.pipe));
  REQUIRE_OK(try_write(a.pipe));
  char byte;
  peer_receive_exactly(a.peer, &byte, 1);
  REQUIRE(peer_send(a.peer, "x", 1));
  uint64_t deadline = test_deadline();
  while (nps_result_status(try_read(a.pipe)) == NPS_WOULD_BLOCK) {
    REQUIRE(!test_expired(deadline));
    loop_pump(l, 0);
  }
  REQUIRE_EQUAL(0, l->seen[1] & NPS_READABLE);
  link_end(a);
  loop_end(l);
}

TEST(test_no_event_after_deregister) { /* P5, rule 4 */
  for (int i = 0; i < 50; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
    loop_forget(l);
    REQUIRE(peer_send(a.peer, "x", 1)); /* an event is due ... */
    if (i % 3 == 0) {
      peer_close(a.peer);
      a.peer = NULL;
    }
    REQUIRE_OK(nps_pipe_deregister(a.pipe));
    REQUIRE_EQUAL(0, loop_pump(l, 0)); /* ... but not any more */
    REQUIRE_EQUAL(0, loop_pump(l, 5));
    REQUIRE_OK(nps_pipe_register(a.pipe, l->poll, 2, BOTH_INTERESTS));
    loop_await(l, 2, NPS_READABLE);
    REQUIRE_OK(try_read(a.pipe));
    REQUIRE_EQUAL(0, l->seen[1]);
    end_pipe(a.pipe);
    if (a.peer != NULL) {
      peer_close(a.peer);
    }
    loop_end(l);
  }
}

TEST(test_reregister_reports_anew_what_is_ready) { /* P6 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
  REQUIRE(peer_send(a.peer, "x", 1));
  loop_await(l, 1, NPS_READABLE);
  loop_forget(l);
  for (uint64_t token = 2; token < 50; token++) {
    REQUIRE_OK(nps_pipe_reregister(a.pipe, token, BOTH_INTERESTS));
    loop_await(l, token, NPS_READABLE);
    REQUIRE_OK(nps_pipe_reregister(a.pipe, token, NPS_INTEREST_WRITABLE));
    loop_await(l, token, NPS_WRITABLE);
    REQUIRE_EQUAL(0, l->seen[token - 1] & NPS_READABLE);
  }
  REQUIRE_OK(try_read(a.pipe));
  link_end(a);
  loop_end(l);
}

TEST(test_reregister_changes_the_token_of_a_pending_event) { /* P6 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_CLIENT);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
  loop_forget(l);
  REQUIRE(peer_send(a.peer, "x", 1));
  REQUIRE_OK(nps_pipe_reregister(a.pipe, 2, NPS_INTEREST_READABLE));
  loop_await(l, 2, NPS_READABLE);
  REQUIRE_EQUAL(0, l->seen[1]);
  link_end(a);
  loop_end(l);
}

TEST(test_reregister_reports_the_end_of_the_stream) { /* P6, P8 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_CLIENT);
  peer_close(a.peer);
  loop_expect_end(l, 1, a.pipe);
  loop_forget(l);
  REQUIRE_OK(nps_pipe_reregister(a.pipe, 3, NPS_INTEREST_READABLE));
  loop_await(l, 3, NPS_READABLE | NPS_CLOSED);
  end_pipe(a.pipe);
  loop_end(l);
}

/* Pipes in every state in which the system may hold something of ours. */
typedef struct busy {
  nps_pipe *idle, *connecting, *reading, *writing, *lingering;
  peer *reader, *writer, *last;
} busy;

static busy busy_new(loop *l, uint32_t read_ahead) {
  nps_server_options options = server_options(test_name());
  options.read_ahead = read_ahead;
  busy b = {.idle = server_new(test_name())};
  REQUIRE_OK(nps_pipe_create(&options, &b.connecting));
  register_pipe(l, b.idle, 1);
  register_pipe(l, b.connecting, 2);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(b.connecting));
  linked reading = link_new_with(l, 3, OUR_CLIENT, options);
  linked writing = link_new_with(l, 4, OUR_SERVER, options);
  linked lingering = link_new_with(l, 5, OUR_SERVER, options);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(reading.pipe));
  (void)write_until_full(writing.pipe, 4);
  (void)write_until_full(lingering.pipe, 5);
  (void)nps_pipe_close(lingering.pipe, 50);
  b.reading = reading.pipe;
  b.writing = writing.pipe;
  b.lingering = lingering.pipe;
  b.reader = reading.peer;
  b.writer = writing.peer;
  b.last = lingering.peer;
  return b;
}

static void requires_closed(nps_pipe *pipe, nps_poll *other) {
  intptr_t handle;
  nps_result error;
  uint64_t unsent;
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_connect(pipe));
  REQUIRE_STATUS(NPS_E_CLOSED, try_read(pipe));
  REQUIRE_STATUS(NPS_E_CLOSED, try_write(pipe));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_disconnect(pipe, 0));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_disconnect(pipe, 1));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_register(pipe, other, 1, BOTH_INTERESTS));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_reregister(pipe, 1, BOTH_INTERESTS));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_deregister(pipe));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_os_handle(pipe, &handle));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_export(pipe, &handle));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_flush_state(pipe, &unsent));
  (void)nps_pipe_take_error(pipe, &error); /* what went wrong before may still be asked for */
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_close(pipe, 0));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_abort(pipe));
}

TEST(test_closing_the_poll_with_operations_in_flight) { /* P7 */
  for (int i = 0; i < 20; i++) {
    loop *l = loop_new(), *other = loop_new();
    busy b = busy_new(l, i % 2 == 0 ? 65536 : 0);
    REQUIRE_OK(nps_poll_close(l->poll));
    nps_pipe *all[] = {b.idle, b.connecting, b.reading, b.writing, b.lingering};
    for (int k = 0; k < 5; k++) {
      requires_closed(all[k], other->poll);
    }
    if (i % 3 == 0) { /* the order of release does not matter */
      nps_poll_release(l->poll);
    }
    for (int k = 0; k < 5; k++) {
      nps_pipe_release(all[k]);
    }
    if (i % 3 != 0) {
      nps_poll_release(l->poll);
    }
    peer_close(b.reader);
    peer_close(b.writer);
    peer_close(b.last);
    loop_end(other);
  }
}

TEST(test_releasing_the_poll_first_closes_its_pipes) { /* P7 */
  loop *l = loop_new(), *other = loop_new();
  busy b = busy_new(l, 65536);
  nps_poll_release(l->poll);
  requires_closed(b.reading, other->poll);
  nps_pipe_release(b.reading);
  nps_pipe_release(b.idle);
  nps_pipe_release(b.connecting);
  nps_pipe_release(b.writing);
  nps_pipe_release(b.lingering);
  peer_close(b.reader);
  peer_close(b.writer);
  peer_close(b.last);
  loop_end(other);
}

TEST(test_calls_on_a_closed_poll_say_closed) { /* P7 */
  nps_event event;
  uint32_t count;
  loop *l = loop_new();
  nps_pipe *pipe = server_new(test_name());
  REQUIRE_OK(nps_poll_close(l->poll));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_poll_close(l->poll));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_poll_wait(l->poll, &event, 1, 0, &count));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_poll_wait(l->poll, &event, 1, NPS_FOREVER, &count));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_poll_wake(l->poll, 1));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_register(pipe, l->poll, 1, BOTH_INTERESTS));
  nps_poll_release(l->poll);
  end_pipe(pipe);
}

TEST(test_interest_is_honoured) { /* P8 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER), b = link_new(l, 2, OUR_SERVER);
  size_t full_a = write_until_full(a.pipe, 1), full_b = write_until_full(b.pipe, 2);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(b.pipe));
  REQUIRE_OK(nps_pipe_reregister(a.pipe, 1, NPS_INTEREST_READABLE));
  REQUIRE_OK(nps_pipe_reregister(b.pipe, 2, NPS_INTEREST_WRITABLE));
  loop_forget(l);
  peer_stream_join(peer_receiver_start(a.peer, 1, full_a, false));
  peer_stream_join(peer_receiver_start(b.peer, 2, full_b, false));
  REQUIRE(peer_send(a.peer, "x", 1));
  REQUIRE(peer_send(b.peer, "x", 1));
  loop_await(l, 1, NPS_READABLE);
  loop_await(l, 2, NPS_WRITABLE);
  loop_pump(l, 20);
  REQUIRE_EQUAL(0, l->seen[1] & NPS_WRITABLE);
  REQUIRE_EQUAL(0, l->seen[2] & NPS_READABLE);
  link_end(a);
  link_end(b);
  loop_end(l);
}

TEST(test_closed_is_reported_whatever_the_interest) { /* P8 */
  static const uint32_t interests[] = {NPS_INTEREST_READABLE, NPS_INTEREST_WRITABLE, BOTH_INTERESTS};
  for (size_t i = 0; i < 6; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    REQUIRE_OK(nps_pipe_reregister(a.pipe, 1, interests[i / 2]));
    loop_forget(l);
    peer_close(a.peer);
    loop_await(l, 1, NPS_CLOSED);
    end_pipe(a.pipe);
    loop_end(l);
  }
}

TEST(test_registering_a_connected_pipe_starts_it) { /* P9 */
  for (int i = 0; i < 20; i++) {
    const char *name = test_name();
    loop *l = loop_new();
    peer_server *server = peer_listen(name, 2);
    nps_pipe *client = client_new(name);
    peer *end = peer_accept(server);
    if (i % 2 == 0) {
      REQUIRE(peer_send(end, "before", 6));
    }
    register_pipe(l, client, 1);
    loop_await(l, 1, NPS_WRITABLE);
    if (i % 2 == 1) {
      REQUIRE(peer_send(end, "before", 6));
    }
    loop_await(l, 1, NPS_READABLE); /* without a read that would have armed it */
    REQUIRE_OK(try_read(client));
    REQUIRE_OK(try_write(client));
    end_pipe(client);
    peer_close(end);
    peer_server_close(server);
    loop_end(l);
  }
}
