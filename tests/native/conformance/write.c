/* Writing: W1 to W4, W6. */
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

static const size_t s_sizes[] = {1, 4096, 65535, 65536, 65537, (size_t)3 * 65536, 1000003};

enum { SIZES = sizeof s_sizes / sizeof s_sizes[0] };

TEST(test_written_bytes_arrive_in_order) { /* W1 */
  for (size_t i = 0; i < (size_t)2 * SIZES; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    size_t size = s_sizes[i / 2];
    peer_stream *receiver = peer_receiver_start(a.peer, i, size, false);
    loop_write_pattern(l, 1, a.pipe, i, size);
    uint64_t unsent;
    while (nps_result_status(nps_pipe_flush_state(a.pipe, &unsent)) == NPS_WOULD_BLOCK) {
      REQUIRE(unsent > 0);
      loop_await(l, 1, NPS_WRITABLE); /* the event that flush_state promises */
    }
    REQUIRE_EQUAL(0, unsent);
    peer_stream_join(receiver);
    REQUIRE_EQUAL(size, receiver->moved);
    link_end(a);
    loop_end(l);
  }
}

TEST(test_a_write_accepts_no_more_than_its_limit) { /* bounded writes */
  static const uint32_t limits[] = {1, 10, 4096, 65536, 100000};
  for (size_t i = 0; i < 2 * (sizeof limits / sizeof limits[0]); i++) {
    loop *l = loop_new();
    nps_server_options options = server_options(NULL);
    options.write_limit = limits[i / 2];
    linked a = link_new_with(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT, options);
    size_t size = 200000, count;
    char *memory = malloc(size);
    pattern_fill(memory, size, 1, 0);
    REQUIRE_OK(write_pipe(a.pipe, memory, size, &count));
    REQUIRE(count <= limits[i / 2]);
    peer_stream *receiver = peer_receiver_start(a.peer, 1, count, false);
    peer_stream_join(receiver);
    free(memory);
    link_end(a);
    loop_end(l);
  }
}

TEST(test_a_full_pipe_would_block_then_is_writable) { /* W2 */
  for (int i = 0; i < 4; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    size_t accepted = write_until_full(a.pipe, 1);
    for (int again = 0; again < 10; again++) {
      REQUIRE_STATUS(NPS_WOULD_BLOCK, try_write(a.pipe));
      REQUIRE(loop_pump(l, 0) <= 1);
    }
    loop_reset(l, 1);
    for (int round = 0; round < 20; round++) {
      peer_stream *receiver = peer_receiver_start(a.peer, 1, accepted, false);
      peer_stream_join(receiver); /* the peer has all: now there is room, and an event for it */
      REQUIRE_EQUAL(accepted, receiver->moved);
      loop_await(l, 1, NPS_WRITABLE);
      accepted = write_until_full(a.pipe, 1);
      REQUIRE(accepted > 0);
    }
    link_end(a);
    loop_end(l);
  }
}

TEST(test_a_short_write_arms_again) { /* P2, W2: the event rule of nps.h */
  enum { ROUNDS = 50 };
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  size_t size = 1u << 20, sent = 0, count, got = 0;
  char *memory = malloc(size);
  for (int round = 0; round < ROUNDS; round++) {
    count = size;
    pattern_fill(memory, size, 5, sent);
    REQUIRE_OK(write_pipe(a.pipe, memory, size, &count));
    sent += count;
    if (count < size) { /* no would-block was seen, yet an event must come */
      loop_reset(l, 1);
      peer_receive_exactly(a.peer, memory, sent - got);
      pattern_require(memory, sent - got, 5, got);
      got = sent;
      loop_await(l, 1, NPS_WRITABLE);
    }
  }
  free(memory);
  link_end(a);
  loop_end(l);
}

TEST(test_write_after_the_peer_closed_fails_and_goes_on_failing) { /* W3 */
  for (int i = 0; i < 8; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    if (i % 4 < 2) {
      REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
    }
    peer_close(a.peer);
    if (i < 4) {
      loop_await(l, 1, NPS_CLOSED); /* the flag comes by an event */
    }
    uint64_t deadline = test_deadline();
    nps_result result = NPS_OK;
    while (result >= 0) {
      REQUIRE(!test_expired(deadline));
      result = try_write(a.pipe);
      loop_pump(l, 0);
    }
    for (int again = 0; again < 20; again++) {
      REQUIRE_STATUS(NPS_E_BROKEN_PIPE, result);
      result = try_write(a.pipe);
      loop_pump(l, 0);
    }
    loop_expect_end(l, 1, a.pipe);
    loop_await_ever(l, 1, NPS_CLOSED);
    end_pipe(a.pipe);
    loop_end(l);
  }
}

TEST(test_a_broken_write_end_is_whole_again_after_disconnect) { /* W3 */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  for (int i = 0; i < 20; i++) {
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
    peer *client = peer_open(name);
    loop_connect(l, 1, server);
    loop_write_pattern(l, 1, server, 1, 10);
    char memory[10];
    peer_receive_exactly(client, memory, 10);
    peer_close(client);
    loop_expect_end(l, 1, server);
    REQUIRE_STATUS(NPS_E_BROKEN_PIPE, try_write(server));
    REQUIRE_OK(nps_pipe_disconnect(server, 0));
    loop_reset(l, 1);
  }
  end_pipe(server);
  loop_end(l);
}

TEST(test_a_failed_background_write_is_never_swallowed) { /* W4 */
  for (int i = 0; i < 20; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    uint64_t unsent = 0;
    nps_result error = -1;
    (void)write_until_full(a.pipe, 1);
    nps_result flush = nps_pipe_flush_state(a.pipe, &unsent);
    REQUIRE(flush == NPS_OK ? unsent == 0 : nps_result_status(flush) == NPS_WOULD_BLOCK && unsent > 0);
    loop_reset(l, 1);
    peer_close(a.peer); /* it has read nothing: what we still hold is lost */
    if (unsent > 0) {
      loop_await_ever(l, 1, NPS_ERROR);
      REQUIRE_OK(nps_pipe_take_error(a.pipe, &error));
      REQUIRE_STATUS(NPS_E_BROKEN_PIPE, error);
    } else { /* all of it was the system's: the next write tells */
      loop_await(l, 1, NPS_WRITABLE | NPS_CLOSED);
      REQUIRE_OK(nps_pipe_take_error(a.pipe, &error));
    }
    REQUIRE_OK(nps_pipe_take_error(a.pipe, &error)); /* once */
    REQUIRE_OK(error);
    nps_result broken = try_write(a.pipe);
    while (nps_result_status(broken) == NPS_WOULD_BLOCK) { /* the end of the other direction was seen first */
      loop_await(l, 1, NPS_WRITABLE);
      broken = try_write(a.pipe);
    }
    REQUIRE_STATUS(NPS_E_BROKEN_PIPE, broken);
    REQUIRE_OK(nps_pipe_flush_state(a.pipe, &unsent));
    end_pipe(a.pipe);
    loop_end(l);
  }
}

TEST(test_an_error_that_was_not_taken_is_reported_again) { /* W4, P6 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  uint64_t unsent = 0;
  (void)write_until_full(a.pipe, 1);
  (void)nps_pipe_flush_state(a.pipe, &unsent);
  peer_close(a.peer);
  if (unsent > 0) {
    loop_await(l, 1, NPS_ERROR);
    REQUIRE_OK(nps_pipe_reregister(a.pipe, 2, NPS_INTEREST_READABLE));
    loop_await(l, 2, NPS_ERROR);
  }
  end_pipe(a.pipe);
  loop_end(l);
}

TEST(test_a_write_of_no_bytes_is_a_no_op) { /* W6 */
  for (int i = 0; i < 2; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i == 0 ? OUR_SERVER : OUR_CLIENT);
    size_t count = 9;
    REQUIRE_OK(nps_pipe_write(a.pipe, "x", 0, &count));
    REQUIRE_EQUAL(0, count);
    count = 9;
    REQUIRE_OK(nps_pipe_write(a.pipe, NULL, 0, &count));
    REQUIRE_EQUAL(0, count);
    loop_pump(l, 0);
    REQUIRE(peer_nothing_there(a.peer));
    REQUIRE_OK(nps_pipe_write(a.pipe, "abc", 3, &count));
    REQUIRE_OK(nps_pipe_write(a.pipe, "", 0, &count));
    char got[3];
    peer_receive_exactly(a.peer, got, 3);
    REQUIRE(memcmp(got, "abc", 3) == 0);
    (void)write_until_full(a.pipe, 1);
    REQUIRE_OK(nps_pipe_write(a.pipe, "", 0, &count)); /* also while a write is under way */
    REQUIRE_EQUAL(0, count);
    link_end(a);
    loop_end(l);
  }
}

TEST(test_the_callers_buffer_is_its_own_again_after_write) { /* OWNERSHIP of nps.h */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  size_t size = 65536, sent = 0, count;
  char *memory = malloc(size);
  nps_result result = NPS_OK;
  while (result == NPS_OK) {
    pattern_fill(memory, size, 8, sent);
    result = write_pipe(a.pipe, memory, size, &count);
    sent += count;
    memset(memory, 0xEE, size); /* what is still under way must not be this */
  }
  REQUIRE_STATUS(NPS_WOULD_BLOCK, result);
  peer_stream_join(peer_receiver_start(a.peer, 8, sent, false));
  free(memory);
  link_end(a);
  loop_end(l);
}
