/* Bugs that others had, one case each, named after the bug: connecting, ending, events. Reading and time are in
 * regressions_io.c; some are where they belong: RUSTSEC-2023-0001 in options.c, libuv #3914 and dotnet #65434 in
 * client.c, dotnet #131203 in linux/, libuv #1525 in windows/. */
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

/* What the old connection left - a read that waits, bytes read ahead, a write under way, its end - shows in the new
 * one. */
TEST(test_mio_1983_stale_state_across_reconnect) { /* C7, rule 3 */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  for (int i = 0; i < 60; i++) {
    char byte = 0;
    size_t count;
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
    peer *old = peer_open(name);
    loop_connect(l, 1, server);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(server));
    (void)write_until_full(server, 1);
    REQUIRE(peer_send(old, "old bytes", 9));
    if (i % 2 == 0) {
      peer_close(old);
      old = NULL;
    }
    if (i % 3 == 0) {
      loop_await_ever(l, 1, NPS_READABLE | NPS_CLOSED);
    }
    nps_result listening = nps_pipe_disconnect(server, 1);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, listening);
    REQUIRE_EQUAL(0, loop_pump(l, 0));
    loop_reset(l, 1);
    peer *fresh = peer_open(name);
    loop_connect(l, 1, server);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(server)); /* neither old bytes nor the old end */
    REQUIRE_OK(write_pipe(server, "new", 3, &count)); /* nor is the old write in the way */
    REQUIRE(peer_send(fresh, "N", 1));
    REQUIRE_EQUAL(1, loop_read(l, 1, server, &byte, 1));
    REQUIRE_EQUAL('N', byte);
    char got[3];
    peer_receive_exactly(fresh, got, 3);
    REQUIRE(memcmp(got, "new", 3) == 0);
    nps_result error = -1;
    REQUIRE_OK(nps_pipe_take_error(server, &error));
    REQUIRE_OK(error);
    REQUIRE_EQUAL(0, l->ever[1] & (NPS_CLOSED | NPS_ERROR));
    peer_close(fresh);
    if (old != NULL) {
      peer_close(old);
    }
    REQUIRE_OK(nps_pipe_disconnect(server, 0));
    loop_reset(l, 1);
  }
  end_pipe(server);
  loop_end(l);
}

/* Operations that were cancelled are the system's until their completion comes: looking at them, or using their
 * memory for the next, corrupts the heap. */
TEST(test_mio_1819_1660_1984_2011_cancelled_operations_are_left_alone) { /* rules 2 and 5 */
  enum { PIPES = 6, ROUNDS = 60 };
  static const uint32_t read_ahead[] = {65536, 0};
  loop *l = loop_new();
  for (int round = 0; round < ROUNDS; round++) {
    linked links[PIPES];
    nps_server_options options = server_options(NULL);
    options.read_ahead = read_ahead[round % 2];
    for (uint64_t i = 0; i < PIPES; i++) {
      links[i] = link_new_with(l, i, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT, options);
      REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(links[i].pipe));
      (void)write_until_full(links[i].pipe, i);
    }
    for (int i = 0; i < PIPES; i++) { /* both directions in flight, ended in every way, and their memory used again */
      REQUIRE(peer_send(links[i].peer, "x", 1));
      if (i % 2 == 0 && round % 3 == 0) {
        REQUIRE(nps_pipe_disconnect(links[i].pipe, 1) >= 0);
      }
      REQUIRE(round % 3 == 1 ? nps_pipe_close(links[i].pipe, 0) == NPS_OK : nps_pipe_abort(links[i].pipe) == NPS_OK);
      nps_pipe_release(links[i].pipe);
      peer_close(links[i].peer);
    }
    if (round % 4 == 0) {
      loop_pump(l, 0);
    }
    memset(l->seen, 0, sizeof l->seen);
  }
  linked good = link_new(l, 1, OUR_SERVER);
  peer_stream *sender = peer_sender_start(good.peer, 1, 300000, false);
  loop_read_pattern(l, 1, good.pipe, 1, 300000, (read_way){65536, false});
  peer_stream_join(sender);
  link_end(good);
  loop_end(l);
}

typedef struct visitor {
  const char *name;
  int64_t rounds;
} visitor;

static void visit(void *context) {
  visitor *v = context;
  for (int64_t i = 0; i < v->rounds; i++) {
    peer *client = peer_open(v->name);
    (void)peer_send(client, "hello", 5);
    peer_close(client);
  }
}

typedef struct waiting_loop {
  nps_poll *poll;
  sys_atomic events;
} waiting_loop;

static void wait_until_closed(void *context) {
  waiting_loop *w = context;
  nps_result result = NPS_OK;
  while (result == NPS_OK) {
    nps_event events[8];
    uint32_t count = 0;
    result = nps_poll_wait(w->poll, events, 8, NPS_FOREVER, &count);
    sys_atomic_add(&w->events, count);
  }
  REQUIRE_STATUS(NPS_E_CLOSED, result);
}

/* The completion is on another thread before the starting call has returned; and the owner releases the pipe right
 * after. */
TEST(test_mio_1954_completion_before_the_reference) { /* rule 1 */
  enum { ROUNDS = 400 };
  loop *l = loop_new();
  visitor *v = test_new(sizeof *v);
  waiting_loop *w = test_new(sizeof *w);
  v->name = test_name();
  v->rounds = ROUNDS;
  w->poll = l->poll;
  nps_pipe *next = server_new(v->name);
  sys_thread *waiter = sys_thread_start(wait_until_closed, w);
  sys_thread *visitors = sys_thread_start(visit, v);
  for (int i = 0; i < ROUNDS; i++) {
    nps_pipe *pipe = next;
    uint64_t deadline = test_deadline();
    REQUIRE_OK(nps_pipe_register(pipe, l->poll, 1, BOTH_INTERESTS));
    nps_result result = nps_pipe_connect(pipe);
    while (nps_result_status(result) == NPS_WOULD_BLOCK) {
      REQUIRE(!test_expired(deadline));
      sys_yield();
      result = nps_pipe_connect(pipe);
    }
    REQUIRE_OK(result);
    (void)try_read(pipe);
    (void)try_write(pipe);
    next = server_new(v->name); /* before the old one goes, so that the name stays */
    nps_pipe_release(pipe);
  }
  sys_thread_join(visitors);
  nps_pipe_release(next);
  REQUIRE_OK(nps_poll_close(l->poll));
  sys_thread_join(waiter);
  nps_poll_release(l->poll);
}

/* An event that was ready is handed out after deregister, to a token whose owner is gone. */
TEST(test_cve_2024_27308_no_event_after_deregister) { /* rule 4 */
  for (int i = 0; i < 100; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT), b = link_new(l, 2, OUR_SERVER);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(b.pipe));
    loop_forget(l);
    REQUIRE(peer_send(a.peer, "x", 1));
    REQUIRE(peer_send(b.peer, "x", 1));
    loop_await(l, 2, NPS_READABLE); /* so the other's completion has come too, or will in the next wait */
    loop_reset(l, 1);
    REQUIRE_OK(nps_pipe_reregister(a.pipe, 1, BOTH_INTERESTS)); /* an event is queued ... */
    REQUIRE_OK(nps_pipe_deregister(a.pipe)); /* ... and its token belongs to nobody from now on */
    if (i % 3 == 0) {
      nps_pipe_release(a.pipe);
      a.pipe = NULL;
    }
    peer_close(a.peer);
    REQUIRE_OK(try_read(b.pipe));
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(b.pipe));
    REQUIRE(peer_send(b.peer, "x", 1));
    loop_await(l, 2, NPS_READABLE);
    loop_pump(l, 0);
    REQUIRE_EQUAL(0, l->ever[1]);
    if (a.pipe != NULL) {
      end_pipe(a.pipe);
    }
    link_end(b);
    loop_end(l);
  }
}

/* A pipe that is dropped with operations in flight keeps its handle, and with it the name. */
TEST(test_mio_1944_1838_a_dropped_pipe_frees_its_name) { /* X3 */
  const char *name = test_name();
  loop *l = loop_new();
  uint32_t handles = 0;
  for (int i = 0; i < 200; i++) {
    if (i == 20) {
      handles = sys_handle_count();
    }
    nps_pipe *server = server_new(name);
    peer *client = NULL;
    register_pipe(l, server, 1);
    if (i % 3 == 0) {
      REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server)); /* a connect in flight */
    } else {
      client = peer_open(name);
      loop_connect(l, 1, server);
      REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(server)); /* a read, and in some rounds a write */
      if (i % 3 == 1) {
        (void)write_until_full(server, 1);
      }
    }
    nps_pipe_release(server);
    if (client != NULL) {
      peer_close(client);
    }
    peer *nobody = NULL;
    REQUIRE_EQUAL(PEER_NOT_FOUND, peer_try_open(name, &nobody));
  }
  loop_pump(l, 0);
  REQUIRE_EQUAL(handles, sys_handle_count());
  loop_end(l);
}

TEST(test_mio_1461_a_write_does_not_hang_after_the_peer_left) { /* W2, W3, W4 */
  for (int i = 0; i < 40; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    (void)write_until_full(a.pipe, 1);
    loop_reset(l, 1);
    peer_close(a.peer);
    loop_await(l, 1, NPS_WRITABLE | NPS_CLOSED | NPS_ERROR);
    uint64_t deadline = test_deadline();
    nps_result result = try_write(a.pipe);
    while (nps_result_status(result) == NPS_WOULD_BLOCK) {
      REQUIRE(!test_expired(deadline));
      loop_await(l, 1, NPS_WRITABLE | NPS_CLOSED | NPS_ERROR);
      result = try_write(a.pipe);
    }
    REQUIRE_STATUS(NPS_E_BROKEN_PIPE, result);
    end_pipe(a.pipe);
    loop_end(l);
  }
}

typedef struct late_close {
  nps_pipe *pipe;
  nps_result result;
} late_close;

static void close_the_pipe(void *context) {
  late_close *c = context;
  c->result = nps_pipe_close(c->pipe, 0);
}

/* Closing the listener waits for the accept, which waits for a client that never comes. */
TEST(test_go_winio_85_281_357_close_does_not_wait_for_a_client) { /* X2, P7 */
  for (int i = 0; i < 40; i++) {
    loop *l = loop_new();
    waiting_loop *w = test_new(sizeof *w);
    late_close *c = test_new(sizeof *c);
    w->poll = l->poll;
    c->pipe = server_new(test_name());
    register_pipe(l, c->pipe, 1);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(c->pipe));
    sys_thread *waiter = sys_thread_start(wait_until_closed, w);
    if (i % 2 == 0) {
      sys_thread *closer = sys_thread_start(close_the_pipe, c);
      sys_thread_join(closer);
      REQUIRE_OK(c->result);
    }
    REQUIRE_OK(nps_poll_close(l->poll)); /* also with the connect still in flight */
    sys_thread_join(waiter);
    REQUIRE_EQUAL(0, sys_atomic_get(&w->events));
    nps_pipe_release(c->pipe);
    nps_poll_release(l->poll);
  }
}

TEST(test_go_winio_70_no_data_does_not_kill_accept) { /* C6 */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  for (int i = 0; i < 50; i++) {
    peer_close(peer_open(name)); /* came and left, before connect is called */
    REQUIRE_OK(nps_pipe_connect(server));
    loop_expect_end(l, 1, server);
    nps_pipe *next = server_new(name);
    end_pipe(server);
    server = next;
    loop_reset(l, 1);
    register_pipe(l, server, 1);
  }
  peer *client = peer_open(name);
  REQUIRE_OK(nps_pipe_connect(server));
  loop_write_pattern(l, 1, server, 1, 10);
  char got[10];
  peer_receive_exactly(client, got, 10);
  peer_close(client);
  end_pipe(server);
  loop_end(l);
}

TEST(test_dotnet_40289_40674_a_pending_connect_can_be_cancelled) { /* C7, C5 */
  for (int i = 0; i < 60; i++) {
    const char *name = test_name();
    loop *l = loop_new();
    nps_result error = -1;
    nps_pipe *server = server_new(name);
    register_pipe(l, server, 1);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
    REQUIRE_OK(nps_pipe_disconnect(server, 0));
    REQUIRE_EQUAL(0, loop_pump(l, 1));
    REQUIRE_OK(nps_pipe_take_error(server, &error));
    REQUIRE_OK(error);
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, try_read(server));
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server)); /* a new one, which works */
    peer *client = peer_open(name);
    loop_connect(l, 1, server);
    peer_close(client);
    end_pipe(server);
    loop_end(l);
  }
}
