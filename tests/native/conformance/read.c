/* Reading: R1 to R3. */
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

#define N ((size_t)65536) /* the read-ahead buffer, and the usual size of a kernel buffer */

static const size_t s_sizes[] = {1, N - 1, N, N + 1, 3 * N};
static const read_way s_ways[] = {{3 * N, false}, {N, true}, {N, false}, {4097, true}, {1000, false}};

enum { SIZES = sizeof s_sizes / sizeof s_sizes[0], WAYS = sizeof s_ways / sizeof s_ways[0] };

/* How reading is set up: the pipe's read-ahead, the poll's pool. */
typedef struct setup {
  uint32_t read_ahead;
  uint32_t pool_buffers;
  uint32_t pool_buffer_size;
} setup;

static loop *setup_loop(const setup *how) {
  nps_poll_options options;
  REQUIRE_OK(nps_poll_options_init(&options, sizeof options));
  options.pool_buffers = how->pool_buffers;
  options.pool_buffer_size = how->pool_buffer_size;
  return loop_new_with(&options);
}

static linked setup_link(const setup *how, loop *l, uint64_t token, side ours) {
  nps_server_options options = server_options(NULL);
  options.read_ahead = how->read_ahead;
  return link_new_with(l, token, ours, options);
}

/* The peer sends `size` bytes, before or after the read was issued, and closes; all must come, then the end. */
static void one_stream(const setup *how, side ours, size_t size, read_way way, bool before) {
  loop *l = setup_loop(how);
  linked a = setup_link(how, l, 1, ours);
  if (!before) {
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
  }
  peer_stream *sender = peer_sender_start(a.peer, size, size, true);
  if (before) { /* what the kernel takes has been sent, and perhaps the close too, when the first read is made */
    loop_await(l, 1, NPS_READABLE);
  }
  loop_read_pattern(l, 1, a.pipe, size, size, way);
  loop_expect_end(l, 1, a.pipe);
  for (int i = 0; i < 10; i++) { /* R3: for ever */
    REQUIRE_STATUS(NPS_END_OF_STREAM, try_read(a.pipe));
    loop_pump(l, 0);
  }
  peer_stream_join(sender);
  REQUIRE_EQUAL(size, sender->moved);
  end_pipe(a.pipe);
  loop_end(l);
}

static void all_sizes(setup how) {
  for (int size = 0; size < SIZES; size++) {
    for (int way = 0; way < WAYS; way++) {
      for (int variant = 0; variant < 4; variant++) {
        one_stream(&how, variant % 2 == 0 ? OUR_SERVER : OUR_CLIENT, s_sizes[size], s_ways[way], variant < 2);
      }
    }
  }
}

TEST(test_bytes_arrive_with_default_options) {
  all_sizes((setup){65536, 256, 65536});
} /* R1, R3 */

TEST(test_bytes_arrive_with_probes_only) {
  all_sizes((setup){0, 256, 65536});
} /* R1, R3 */

TEST(test_bytes_arrive_with_a_small_read_ahead) {
  all_sizes((setup){1000, 256, 4096});
} /* R1, R3 */

TEST(test_bytes_arrive_with_a_pool_without_buffers) {
  all_sizes((setup){65536, 0, 65536});
} /* R1, R3 */

/* Several pipes share a pool that has fewer buffers than there are pipes, and are read turn by turn. */
static void shared_pool(uint32_t buffers) {
  enum { PIPES = 5 };
  setup how = {65536, buffers, 4096};
  for (int way = 0; way < WAYS; way++) {
    loop *l = setup_loop(&how);
    linked links[PIPES];
    peer_stream *senders[PIPES];
    size_t have[PIPES] = {0}, size = 3 * N + 1;
    int left = PIPES;
    char *memory = malloc(s_ways[way].chunk);
    for (uint64_t i = 0; i < PIPES; i++) {
      links[i] = setup_link(&how, l, i, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
      REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(links[i].pipe));
    }
    for (uint64_t i = 0; i < PIPES; i++) {
      senders[i] = peer_sender_start(links[i].peer, i, size, true);
    }
    uint64_t deadline = test_deadline();
    while (left > 0) {
      REQUIRE(!test_expired(deadline));
      loop_pump(l, 1000);
      for (uint64_t i = 0; i < PIPES; i++) {
        if ((l->seen[i] & (NPS_READABLE | NPS_CLOSED)) == 0 || have[i] > size) {
          continue;
        }
        l->seen[i] = 0;
        nps_result result = NPS_OK;
        size_t count = s_ways[way].chunk;
        while (result == NPS_OK && !(s_ways[way].trust_short && count < s_ways[way].chunk)) {
          result = read_pipe(links[i].pipe, memory, s_ways[way].chunk, &count);
          pattern_require(memory, count, i, have[i]);
          have[i] += count;
        }
        if (nps_result_status(result) == NPS_END_OF_STREAM) {
          REQUIRE_EQUAL(size, have[i]);
          have[i]++; /* done */
          left--;
        }
      }
    }
    free(memory);
    for (int i = 0; i < PIPES; i++) {
      peer_stream_join(senders[i]);
      end_pipe(links[i].pipe);
    }
    loop_end(l);
  }
}

TEST(test_pipes_share_a_pool_of_one_buffer) {
  shared_pool(1);
} /* R1 */

TEST(test_pipes_share_a_pool_of_two_buffers) {
  shared_pool(2);
} /* R1 */

TEST(test_bytes_arrive_between_two_pipes_of_ours) { /* R1, W1 */
  for (int size = 0; size < SIZES; size++) {
    for (int polls = 1; polls <= 2; polls++) {
      const char *name = test_name();
      loop *l = loop_new(), *other = polls == 2 ? loop_new() : l;
      nps_pipe *server = server_new(name), *client = client_new(name);
      char *out = malloc(s_sizes[size]), *in = malloc(s_sizes[size]);
      register_pipe(l, server, 1);
      register_pipe(other, client, 2);
      loop_connect(l, 1, server);
      pattern_fill(out, s_sizes[size], 7, 0);
      size_t sent = 0, have = 0, count;
      uint64_t deadline = test_deadline();
      while (have < s_sizes[size]) { /* one thread, one poll, neither end may wait for the other */
        REQUIRE(!test_expired(deadline));
        if (sent < s_sizes[size] && write_pipe(client, out + sent, s_sizes[size] - sent, &count) == NPS_OK) {
          sent += count;
        }
        while (read_pipe(server, in + have, s_sizes[size] - have, &count) == NPS_OK && count > 0) {
          have += count;
        }
        loop_pump(l, have == s_sizes[size] ? 0 : 1);
        loop_pump(other, 0);
      }
      pattern_require(in, have, 7, 0);
      free(in);
      free(out);
      end_pipe(client);
      loop_expect_end(l, 1, server);
      end_pipe(server);
      loop_end(l);
      if (other != l) {
        loop_end(other);
      }
    }
  }
}

TEST(test_small_pieces_arrive_one_by_one) { /* R1, P2 */
  enum { PIECES = 300 };
  static const setup ways[] = {{65536, 256, 65536}, {0, 256, 65536}};
  for (int way = 0; way < 2; way++) {
    loop *l = setup_loop(&ways[way]);
    linked a = setup_link(&ways[way], l, 1, OUR_SERVER);
    size_t offset = 0;
    for (size_t i = 1; i <= PIECES; i++) {
      char memory[PIECES], got[PIECES];
      size_t have = 0;
      pattern_fill(memory, i, 1, offset);
      REQUIRE(peer_send(a.peer, memory, i));
      while (have < i) {
        have += loop_read(l, 1, a.pipe, got + have, i - have);
      }
      pattern_require(got, i, 1, offset);
      offset += i;
    }
    link_end(a);
    loop_end(l);
  }
}

TEST(test_read_with_nothing_there_would_block) { /* R2 */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  REQUIRE_STATUS(NPS_E_NOT_CONNECTED, try_read(server)); /* nobody was asked for yet */
  REQUIRE_STATUS(NPS_E_NOT_CONNECTED, try_write(server));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(server)); /* still listening */
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_write(server));
  peer *client = peer_open(name);
  loop_connect(l, 1, server);
  for (int round = 0; round < 3; round++) {
    char byte;
    uint32_t before = l->events;
    for (int i = 0; i < 100; i++) {
      REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(server));
      loop_pump(l, 0);
    }
    REQUIRE(l->events - before <= 3); /* a needless event is allowed; one each time would keep the loop spinning */
    REQUIRE(peer_send(client, "x", 1));
    REQUIRE_EQUAL(1, loop_read(l, 1, server, &byte, 1));
  }
  peer_close(client);
  end_pipe(server);
  loop_end(l);
}

TEST(test_a_read_of_no_bytes_is_ok_and_not_the_end) { /* R2 */
  loop *l = loop_new();
  for (int i = 0; i < 2; i++) {
    linked a = link_new(l, 1, i == 0 ? OUR_SERVER : OUR_CLIENT);
    size_t count = 9;
    char byte = 0;
    REQUIRE_OK(nps_pipe_read(a.pipe, &byte, 0, &count));
    REQUIRE_EQUAL(0, count);
    count = 9;
    REQUIRE_OK(nps_pipe_read(a.pipe, NULL, 0, &count));
    REQUIRE_EQUAL(0, count);
    REQUIRE(peer_send(a.peer, "a", 1));
    loop_await(l, 1, NPS_READABLE);
    REQUIRE_OK(nps_pipe_read(a.pipe, &byte, 0, &count));
    REQUIRE_EQUAL(0, count);
    REQUIRE_EQUAL(1, loop_read(l, 1, a.pipe, &byte, 1)); /* it consumed nothing */
    REQUIRE_EQUAL('a', byte);
    link_end(a);
  }
  loop_end(l);
}

TEST(test_data_and_close_together_come_in_that_order) { /* R3 */
  static const setup ways[] = {{65536, 256, 65536}, {0, 256, 65536}, {65536, 0, 65536}};
  static const size_t sizes[] = {0, 1, 100, 4096, 30000};
  for (size_t i = 0; i < (size_t)3 * 5 * 4; i++) {
    const setup *how = &ways[i % 3];
    size_t size = sizes[i % 5];
    loop *l = setup_loop(how);
    linked a = setup_link(how, l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    char *memory = malloc(size + 1);
    if (i >= 30) {
      REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe)); /* armed: both arrive as one edge */
    }
    pattern_fill(memory, size, i, 0);
    REQUIRE(peer_send(a.peer, memory, size));
    peer_close(a.peer);
    loop_await(l, 1, NPS_READABLE | NPS_CLOSED);
    loop_read_pattern(l, 1, a.pipe, i, size, (read_way){size + 100, true});
    loop_expect_end(l, 1, a.pipe);
    loop_await_ever(l, 1, NPS_CLOSED);
    REQUIRE_STATUS(NPS_END_OF_STREAM, try_read(a.pipe));
    free(memory);
    end_pipe(a.pipe);
    loop_end(l);
  }
}

TEST(test_end_of_stream_stays_until_disconnect) { /* R3 */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  for (int round = 0; round < 20; round++) {
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
    peer *client = peer_open(name);
    loop_connect(l, 1, server);
    peer_close(client);
    loop_expect_end(l, 1, server);
    uint32_t before = l->events;
    for (int i = 0; i < 20; i++) {
      REQUIRE_STATUS(NPS_END_OF_STREAM, try_read(server));
      loop_pump(l, 0);
      if (i == 10) {
        REQUIRE_OK(nps_pipe_reregister(server, 1, BOTH_INTERESTS));
      }
    }
    REQUIRE(l->events - before <= 5); /* it is told, not repeated for ever */
    REQUIRE_OK(nps_pipe_disconnect(server, 0));
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, try_read(server));
    l->seen[1] = 0;
  }
  end_pipe(server);
  loop_end(l);
}
