/* Ends: W1 and X1 (lingering close, abort), X3 (nothing is left behind). */
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

/* Who drives the lingering close. */
typedef enum driver { DRIVER_WAIT, DRIVER_POLL_CLOSE } driver;

static void accepted_bytes_arrive(driver by, side ours, size_t size, bool full, bool release_first) {
  loop *l = loop_new();
  linked a = link_new(l, 1, ours);
  if (full) {
    size = write_until_full(a.pipe, 9);
  } else {
    char *memory = malloc(size);
    size_t sent = 0, count = 1;
    pattern_fill(memory, size, 9, 0);
    while (sent < size && count > 0) { /* as many as are accepted without anybody reading */
      REQUIRE(write_pipe(a.pipe, memory + sent, size - sent, &count) >= 0);
      sent += count;
    }
    free(memory);
    size = sent;
  }
  nps_result closed = nps_pipe_close(a.pipe, NPS_FOREVER);
  REQUIRE(closed == NPS_OK || nps_result_status(closed) == NPS_WOULD_BLOCK);
  REQUIRE_STATUS(NPS_E_CLOSED, try_write(a.pipe));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_close(a.pipe, 0));
  if (release_first) {
    nps_pipe_release(a.pipe);
  }
  peer_stream *receiver = peer_receiver_start(a.peer, 9, SIZE_MAX, true); /* it starts to read only now */
  if (by == DRIVER_POLL_CLOSE) {
    REQUIRE_OK(nps_poll_close(l->poll)); /* nobody waited */
    peer_stream_join(receiver);
  } else {
    uint64_t deadline = test_deadline();
    while (sys_atomic_get(&receiver->ended) == 0) {
      REQUIRE(!test_expired(deadline));
      REQUIRE_EQUAL(0, loop_pump(l, 5)); /* no event of a closed pipe */
    }
    peer_stream_join(receiver);
    REQUIRE_OK(nps_poll_close(l->poll));
  }
  REQUIRE_EQUAL(size, receiver->moved);
  if (!release_first) {
    nps_pipe_release(a.pipe);
  }
  nps_poll_release(l->poll);
}

static void accepted_bytes_arrive_in_all_ways(driver by) {
  static const size_t sizes[] = {1, 65536, 65537, 1000000};
  for (int i = 0; i < 16; i++) {
    accepted_bytes_arrive(by, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT, sizes[i / 4], false, i % 4 < 2);
  }
  accepted_bytes_arrive(by, OUR_SERVER, 0, true, false);
  accepted_bytes_arrive(by, OUR_CLIENT, 0, true, true);
}

TEST(test_accepted_bytes_arrive_when_a_wait_drives_the_close) {
  accepted_bytes_arrive_in_all_ways(DRIVER_WAIT);
} /* W1, X1 */

TEST(test_accepted_bytes_arrive_when_the_poll_is_closed_right_after) { /* W1, X1 */
  accepted_bytes_arrive_in_all_ways(DRIVER_POLL_CLOSE);
}

TEST(test_a_linger_time_ends_the_close) { /* X1 */
  for (int i = 0; i < 4; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    size_t accepted = write_until_full(a.pipe, 1);
    uint64_t start = sys_now_ms();
    nps_result closed = nps_pipe_close(a.pipe, 200);
    if (i < 2) { /* the peer never reads: a wait ends it, or the poll's close does */
      loop_pump(l, 400);
      REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_abort(a.pipe)); /* it is over */
    }
    REQUIRE_OK(nps_poll_close(l->poll));
    REQUIRE(sys_now_ms() - start < 10000);
    REQUIRE(nps_result_status(closed) != NPS_WOULD_BLOCK || sys_now_ms() - start >= 170); /* not before its time */
    peer_stream *receiver = peer_receiver_start(a.peer, 1, SIZE_MAX, true);
    peer_stream_join(receiver); /* what was delivered is in order, and ends */
    REQUIRE(receiver->moved <= accepted);
    nps_pipe_release(a.pipe);
    nps_poll_release(l->poll);
  }
}

TEST(test_abort_ends_at_once_also_a_lingering_close) { /* X1 */
  for (int i = 0; i < 6; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    size_t accepted = write_until_full(a.pipe, 1);
    if (i < 3) {
      nps_result closed = nps_pipe_close(a.pipe, NPS_FOREVER);
      nps_result aborted = nps_pipe_abort(a.pipe);
      REQUIRE(nps_result_status(aborted) == (nps_result_status(closed) == NPS_WOULD_BLOCK ? NPS_OK : NPS_E_CLOSED));
    } else {
      REQUIRE_OK(nps_pipe_abort(a.pipe));
    }
    REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_abort(a.pipe));
    peer_stream *receiver = peer_receiver_start(a.peer, 1, SIZE_MAX, true);
    peer_stream_join(receiver); /* nobody waits on the poll, the peer sees the end all the same */
    REQUIRE(receiver->moved <= accepted);
    nps_pipe_release(a.pipe);
    loop_end(l);
  }
}

TEST(test_no_event_after_close) { /* X1, rule 4 */
  for (int i = 0; i < 60; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
    loop_forget(l);
    REQUIRE(peer_send(a.peer, "x", 1)); /* events are due ... */
    REQUIRE_OK(nps_pipe_reregister(a.pipe, 1, BOTH_INTERESTS));
    REQUIRE_OK(i % 3 == 0 ? nps_pipe_abort(a.pipe) : nps_pipe_close(a.pipe, i % 3 == 1 ? 0 : 1000));
    REQUIRE_EQUAL(0, loop_pump(l, 0)); /* ... and are not */
    REQUIRE_EQUAL(0, loop_pump(l, 3));
    nps_pipe_release(a.pipe);
    peer_close(a.peer);
    loop_end(l);
  }
}

TEST(test_a_released_pipe_is_closed) {
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  char byte;
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
  loop_forget(l);
  nps_pipe_release(a.pipe);
  REQUIRE_EQUAL(0, peer_receive(a.peer, &byte, 1));
  REQUIRE_EQUAL(0, loop_pump(l, 0));
  peer_close(a.peer);
  loop_end(l);
}

/* ---- X3 ---- */

/* The name is free: nobody serves it, and a first instance can be made. */
static void require_free(const char *name) {
  nps_server_options options = server_options(name);
  peer *client = NULL;
  nps_pipe *pipe = NULL;
  REQUIRE_EQUAL(PEER_NOT_FOUND, peer_try_open(name, &client));
  options.flags = NPS_SERVER_FIRST_INSTANCE;
  REQUIRE_OK(nps_pipe_create(&options, &pipe));
  nps_pipe_release(pipe);
}

static void create_and_close(loop *l, const char *name, int round) {
  nps_server_options options = server_options(name);
  nps_pipe *server = NULL, *client = NULL;
  if (round % 4 != 2) {
    options.flags = NPS_SERVER_FIRST_INSTANCE; /* so the round before has left nothing */
  }
  REQUIRE_OK(nps_pipe_create(&options, &server));
  if (round % 4 > 0) {
    register_pipe(l, server, 1);
    (void)nps_pipe_connect(server);
  }
  if (round % 4 > 1) {
    nps_client_options opening = client_options(name);
    REQUIRE_OK(nps_pipe_open(&opening, &client));
    register_pipe(l, client, 2);
    loop_connect(l, 1, server);
    REQUIRE_OK(try_write(server));
    (void)try_read(client);
  }
  if (client != NULL) {
    REQUIRE_OK(nps_pipe_close(client, 0));
    nps_pipe_release(client);
  }
  REQUIRE_OK(nps_pipe_close(server, 0));
  nps_pipe_release(server);
  loop_pump(l, 0);
  loop_reset(l, 1);
  loop_reset(l, 2);
}

TEST(test_ten_thousand_rounds_leave_nothing) { /* X3 */
  enum { WARM_UP = 500, ROUNDS = 10000 };
  const char *name = test_name();
  loop *l = loop_new();
  for (int round = 0; round < WARM_UP; round++) {
    create_and_close(l, name, round);
  }
  uint32_t handles = sys_handle_count();
  uint64_t memory = sys_memory();
  for (int round = 0; round < ROUNDS; round++) {
    create_and_close(l, name, round);
  }
  REQUIRE_EQUAL(handles, sys_handle_count());
  uint64_t after = sys_memory();
  if (after > memory + 1000000) { /* 100 bytes a round would be this much */
    FAIL("%llu bytes more after %d rounds", (unsigned long long)(after - memory), ROUNDS);
  }
  require_free(name);
  loop_end(l);
  require_free(name);
}

TEST(test_a_thousand_polls_leave_nothing) { /* X3, P7 */
  enum { WARM_UP = 100, ROUNDS = 1000 };
  uint32_t handles = 0;
  uint64_t memory = 0;
  const char *name = test_name();
  nps_server_options options = server_options(name);
  for (int round = 0; round < WARM_UP + ROUNDS; round++) {
    if (round == WARM_UP) {
      handles = sys_handle_count();
      memory = sys_memory();
    }
    nps_poll *poll = NULL;
    nps_pipe *server = NULL, *client = NULL;
    REQUIRE_OK(nps_poll_create(NULL, &poll));
    REQUIRE_OK(nps_pipe_create(&options, &server));
    client = client_new(name);
    REQUIRE_OK(nps_pipe_register(server, poll, 1, BOTH_INTERESTS));
    REQUIRE_OK(nps_pipe_register(client, poll, 2, BOTH_INTERESTS));
    REQUIRE_OK(nps_pipe_connect(server));
    REQUIRE_OK(try_write(client));
    (void)try_read(server);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(client));
    if (round % 2 == 0) {
      REQUIRE_OK(nps_poll_close(poll));
    }
    if (round % 3 == 0) {
      nps_poll_release(poll);
    }
    nps_pipe_release(server);
    nps_pipe_release(client);
    if (round % 3 != 0) {
      nps_poll_release(poll);
    }
  }
  REQUIRE_EQUAL(handles, sys_handle_count());
  uint64_t after = sys_memory();
  if (after > memory + 1000000) {
    FAIL("%llu bytes more after %d rounds", (unsigned long long)(after - memory), ROUNDS);
  }
  require_free(name);
}

TEST(test_failed_calls_leave_nothing) { /* X3 */
  enum { ROUNDS = 2000 };
  const char *name = test_name();
  nps_server_options first = server_options(name);
  nps_client_options nobody = client_options(test_name());
  nps_pipe *server = server_new(name), *pipe = NULL;
  first.write_limit = 0;
  uint32_t handles = 0;
  for (int round = 0; round < ROUNDS; round++) {
    if (round == 10) {
      handles = sys_handle_count();
    }
    REQUIRE_STATUS(NPS_E_INVALID_ARGUMENT, nps_pipe_create(&first, &pipe));
    REQUIRE_STATUS(NPS_E_NOT_FOUND, nps_pipe_open(&nobody, &pipe));
    REQUIRE(pipe == NULL);
  }
  REQUIRE_EQUAL(handles, sys_handle_count());
  nps_pipe_release(server);
}
