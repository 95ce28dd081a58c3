/* NPS_INTEREST_ON_DEMAND: P10, with P2, P6 and P8. No event before a call has answered would-block, and none is missing after it. Where reads are
 * operations writing is as without the bit, so what must not come is asked for on Linux alone. */
#include "loop.h"
#include "sys.h"

#define ON_DEMAND (BOTH_INTERESTS | NPS_INTEREST_ON_DEMAND)
#define WAY ((read_way){4096, false})

static linked link_on_demand(loop *l, side ours) {
  const char *name = test_name();
  linked made = {.token = 1};
  loop_reset(l, 1);
  if (ours == OUR_CLIENT) {
    peer_server *server = peer_listen(name, 4);
    made.pipe = client_new(name);
    made.peer = peer_accept(server);
    peer_server_close(server);
    REQUIRE_OK(nps_pipe_register(made.pipe, l->poll, 1, ON_DEMAND));
  } else {
    made.pipe = server_new(name);
    REQUIRE_OK(nps_pipe_register(made.pipe, l->poll, 1, ON_DEMAND));
    made.peer = peer_open(name);
    loop_connect(l, 1, made.pipe);
  }
  return made;
}

typedef struct both_ends {
  nps_pipe *server, *client;
} both_ends;

/* Both registered on demand, the client with token 2. */
static both_ends ends_on_demand(loop *l) {
  const char *name = test_name();
  both_ends made = {server_new(name), client_new(name)};
  loop_reset(l, 1);
  loop_reset(l, 2);
  REQUIRE_OK(nps_pipe_register(made.server, l->poll, 1, ON_DEMAND));
  REQUIRE_OK(nps_pipe_register(made.client, l->poll, 2, ON_DEMAND));
  loop_connect(l, 1, made.server);
  return made;
}

static void ends_end(both_ends ends) {
  end_pipe(ends.client);
  end_pipe(ends.server);
}

/* A write of one end that the other has, without a wait where none is needed. */
static void pass_byte(loop *l, uint64_t to_token, nps_pipe *from, nps_pipe *to) {
  char got = 0;
  size_t count;
  REQUIRE_OK(write_pipe(from, "x", 1, &count));
  REQUIRE_EQUAL(1, loop_read(l, to_token, to, &got, 1));
  REQUIRE_EQUAL('x', got);
}

TEST(test_on_demand_register_yields_no_event) { /* P2 */
  loop *l = loop_new();
  both_ends ends = ends_on_demand(l);
  loop_pump(l, 0);
  if (!sys_is_windows()) {
    REQUIRE_EQUAL(0, l->events);
  }
  for (int i = 0; i < 100; i++) {
    pass_byte(l, 2, ends.server, ends.client);
    pass_byte(l, 1, ends.client, ends.server);
  }
  if (!sys_is_windows()) { /* data were always there: nothing was waited for, nothing is to be told */
    REQUIRE_EQUAL(0, loop_pump(l, 0));
    REQUIRE_EQUAL(0, l->events);
  }
  ends_end(ends);
  loop_end(l);
}

TEST(test_on_demand_a_pending_connect_is_an_event) { /* C3 */
  loop *l = loop_new();
  const char *name = test_name();
  nps_pipe *server = server_new(name);
  REQUIRE_OK(nps_pipe_register(server, l->poll, 1, ON_DEMAND));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  nps_pipe *client = client_new(name);
  loop_await(l, 1, NPS_WRITABLE);
  REQUIRE_OK(nps_pipe_connect(server));
  end_pipe(client);
  end_pipe(server);
  loop_end(l);
}

TEST(test_on_demand_a_read_that_would_block_is_followed_by_an_event) { /* P2 */
  loop *l = loop_new();
  both_ends ends = ends_on_demand(l);
  for (uint32_t round = 0; round < 50; round++) {
    loop_pump(l, 0);
    loop_reset(l, 2);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(ends.client));
    pass_byte(l, 1, ends.client, ends.server); /* the other direction is of no matter */
    size_t count;
    char got;
    REQUIRE_OK(write_pipe(ends.server, "y", 1, &count));
    loop_await(l, 2, NPS_READABLE);
    REQUIRE_OK(read_pipe(ends.client, &got, 1, &count));
    REQUIRE_EQUAL('y', got);
  }
  ends_end(ends);
  loop_end(l);
}

TEST(test_on_demand_a_short_read_arms_once_the_system_watches) { /* more than P10 promises */
  if (sys_is_windows()) return; /* there only a call that found nothing waits */
  loop *l = loop_new();
  both_ends ends = ends_on_demand(l);
  char memory[100];
  size_t count;
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(ends.client));
  for (int round = 0; round < 50; round++) {
    REQUIRE_OK(write_pipe(ends.server, "abc", 3, &count));
    loop_await(l, 2, NPS_READABLE);
    loop_reset(l, 2);
    REQUIRE_OK(read_pipe(ends.client, memory, sizeof memory, &count));
    REQUIRE_EQUAL(3, count); /* short, and no other read */
  }
  ends_end(ends);
  loop_end(l);
}

TEST(test_on_demand_after_every_read_that_found_nothing_comes_an_event) { /* P2 */
  loop *l = loop_new();
  both_ends ends = ends_on_demand(l);
  char memory[100];
  size_t count;
  for (int round = 0; round < 50; round++) {
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(ends.client));
    loop_pump(l, 0);
    loop_reset(l, 2);
    REQUIRE_OK(write_pipe(ends.server, "abc", 3, &count));
    loop_await(l, 2, NPS_READABLE);
    REQUIRE_OK(read_pipe(ends.client, memory, sizeof memory, &count));
    REQUIRE_EQUAL(3, count);
  }
  ends_end(ends);
  loop_end(l);
}

TEST(test_on_demand_a_full_pipe_becomes_writable) { /* W2 */
  loop *l = loop_new();
  linked one = link_on_demand(l, OUR_CLIENT);
  size_t sent = write_until_full(one.pipe, 5);
  loop_pump(l, 0);
  loop_reset(l, 1);
  peer_stream *receiver = peer_receiver_start(one.peer, 5, sent, false);
  loop_await(l, 1, NPS_WRITABLE);
  peer_stream_join(receiver);
  REQUIRE_EQUAL(sent, receiver->moved);
  link_end(one);
  loop_end(l);
}

TEST(test_on_demand_a_blocked_writer_learns_of_the_close) { /* P8 */
  loop *l = loop_new();
  linked one = link_on_demand(l, OUR_CLIENT);
  (void)write_until_full(one.pipe, 5);
  loop_pump(l, 0);
  loop_reset(l, 1);
  peer_close(one.peer);
  loop_await(l, 1, NPS_CLOSED | NPS_WRITABLE);
  end_pipe(one.pipe);
  loop_end(l);
}

TEST(test_on_demand_a_waiting_reader_learns_of_the_close) { /* P8, R3 */
  loop *l = loop_new();
  linked one = link_on_demand(l, OUR_SERVER);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(one.pipe));
  loop_pump(l, 0);
  loop_reset(l, 1);
  peer_close(one.peer);
  loop_await_ever(l, 1, NPS_CLOSED);
  loop_expect_end(l, 1, one.pipe);
  end_pipe(one.pipe);
  loop_end(l);
}

TEST(test_on_demand_the_end_of_the_stream_needs_no_wait) { /* R3 */
  loop *l = loop_new();
  both_ends ends = ends_on_demand(l);
  size_t count;
  char memory[10];
  REQUIRE_OK(write_pipe(ends.server, "end", 3, &count));
  REQUIRE_OK(nps_pipe_close(ends.server, NPS_FOREVER));
  loop_read(l, 2, ends.client, memory, sizeof memory);
  loop_expect_end(l, 2, ends.client);
  nps_pipe_release(ends.server);
  end_pipe(ends.client);
  loop_end(l);
}

TEST(test_on_demand_reregister_keeps_a_promised_event) { /* P2, P6 */
  loop *l = loop_new();
  both_ends ends = ends_on_demand(l);
  size_t count;
  for (int round = 0; round < 20; round++) {
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(ends.client));
    REQUIRE_OK(write_pipe(ends.server, "z", 1, &count));
    REQUIRE_OK(nps_pipe_reregister(ends.client, 2, ON_DEMAND)); /* before or after the system has told of it */
    loop_await(l, 2, NPS_READABLE);
    REQUIRE_OK(nps_pipe_reregister(ends.client, 2, ON_DEMAND));
    loop_await(l, 2, NPS_READABLE); /* P6: it is ready still */
    REQUIRE_OK(try_read(ends.client));
    loop_pump(l, 0);
    loop_reset(l, 2);
  }
  ends_end(ends);
  loop_end(l);
}

/* How a pipe that a read has asked for bytes is registered anew. */
typedef enum anew { REREGISTERED, REGISTERED, WITHOUT_AND_WITH, UNHEARD, WAYS } anew;

static void register_anew(loop *l, nps_pipe *pipe, uint64_t token, anew how) {
  switch (how) {
  case REREGISTERED:
    REQUIRE_OK(nps_pipe_reregister(pipe, token, ON_DEMAND));
    break;
  case REGISTERED:
    REQUIRE_OK(nps_pipe_deregister(pipe));
    loop_pump(l, 0);
    REQUIRE_OK(nps_pipe_register(pipe, l->poll, token, ON_DEMAND));
    break;
  case WITHOUT_AND_WITH:
    REQUIRE_OK(nps_pipe_reregister(pipe, token, BOTH_INTERESTS));
    REQUIRE_OK(nps_pipe_reregister(pipe, token, ON_DEMAND));
    break;
  case UNHEARD: /* what becomes readable meanwhile is told when somebody asks again */
  case WAYS:
    REQUIRE_OK(nps_pipe_reregister(pipe, token, NPS_INTEREST_WRITABLE | NPS_INTEREST_ON_DEMAND));
    loop_pump(l, 0);
    REQUIRE_OK(nps_pipe_reregister(pipe, token, ON_DEMAND));
    break;
  }
}

/* A read finds nothing; two bytes are sent, and one of them is read first; the pipe is registered anew before or after they come. */
static void register_between(loop *l, both_ends ends, anew how, bool after) {
  char got[2];
  size_t count;
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(ends.client));
  if (!after)
    register_anew(l, ends.client, 2, how);
  loop_forget(l);
  REQUIRE_OK(write_pipe(ends.server, "ab", 2, &count));
  if (after)
    register_anew(l, ends.client, 2, how);
  loop_await(l, 2, NPS_READABLE);
  REQUIRE_OK(read_pipe(ends.client, got, 1, &count));
  REQUIRE_EQUAL('a', got[0]);
  register_anew(l, ends.client, 2, how); /* with a byte left, and again with none */
  REQUIRE_EQUAL(1, loop_read(l, 2, ends.client, got, sizeof got));
  REQUIRE_EQUAL('b', got[0]);
  register_anew(l, ends.client, 2, how);
}

TEST(test_on_demand_no_way_to_register_anew_loses_an_event) { /* P2, P5, P6 */
  loop *l = loop_new();
  both_ends ends = ends_on_demand(l);
  for (int round = 0; round < 4 * WAYS; round++) {
    test_note("way %d, %s", round % WAYS, round / WAYS % 2 == 0 ? "before" : "after");
    register_between(l, ends, (anew)(round % WAYS), round / WAYS % 2 != 0);
  }
  REQUIRE_OK(nps_pipe_close(ends.server, NPS_FOREVER));
  loop_expect_end(l, 2, ends.client);
  nps_pipe_release(ends.server);
  end_pipe(ends.client);
  loop_end(l);
}

/* The next message, of `size` bytes of the pattern, in parts of at most `chunk`. Asks first without room: that takes nothing, but an empty
 * message. */
static void message_through(loop *l, both_ends ends, size_t size, size_t chunk, bool asks) {
  static char s_sent[9000], s_got[9000];
  size_t count, have = 0;
  nps_result result;
  pattern_fill(s_sent, size, size, 0);
  if (asks)
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_read(ends.client, NULL, 0, &count));
  while (nps_result_status(result = nps_pipe_write(ends.server, s_sent, size, &count)) == NPS_WOULD_BLOCK)
    loop_await(l, 1, NPS_WRITABLE); /* the packet of the one before */
  REQUIRE_OK(result);
  while (asks && nps_result_status(result = nps_pipe_read(ends.client, NULL, 0, &count)) == NPS_WOULD_BLOCK)
    loop_await(l, 2, NPS_READABLE);
  if (asks) {
    REQUIRE_STATUS(size == 0 ? NPS_OK : NPS_MORE_DATA, result);
    REQUIRE_EQUAL(0, count);
    if (size == 0)
      return;
  }
  do {
    result = nps_pipe_read(ends.client, s_got + have, chunk, &count);
    have += count;
    if (nps_result_status(result) == NPS_WOULD_BLOCK)
      loop_await(l, 2, NPS_READABLE);
    else
      REQUIRE(result == NPS_OK || (nps_result_status(result) == NPS_MORE_DATA && count > 0));
  } while (result != NPS_OK);
  REQUIRE_EQUAL(size, have);
  pattern_require(s_got, size, size, 0);
}

TEST(test_on_demand_messages_come_whole) { /* R4, rule 7, P2 */
  static const size_t s_sizes[] = {0, 1, 100, 101, 0, 0, 5000, 200, 1};
  static const uint32_t s_aheads[] = {0, 100, 65536};
  loop *l = loop_new();
  for (int way = 0; way < 12; way++) {
    const uint32_t ahead = s_aheads[way % 3];
    nps_server_options serving = server_options(test_name());
    nps_client_options opening = client_options(serving.name);
    both_ends ends;
    serving.mode = opening.mode = NPS_MODE_MESSAGE;
    opening.read_ahead = ahead;
    REQUIRE_OK(nps_pipe_create(&serving, &ends.server));
    REQUIRE_OK(nps_pipe_open(&opening, &ends.client));
    REQUIRE_OK(nps_pipe_register(ends.server, l->poll, 1, ON_DEMAND));
    REQUIRE_OK(nps_pipe_register(ends.client, l->poll, 2, ON_DEMAND));
    loop_connect(l, 1, ends.server);
    test_note("read ahead %u, way %d", ahead, way);
    for (size_t i = 0; i < sizeof s_sizes / sizeof s_sizes[0]; i++)
      message_through(l, ends, s_sizes[i], way / 3 % 2 == 0 ? 9000 : 100, way / 6 != 0);
    REQUIRE(nps_pipe_close(ends.server, NPS_FOREVER) >= 0); /* it may linger */
    loop_expect_end(l, 2, ends.client);
    nps_pipe_release(ends.server);
    end_pipe(ends.client);
  }
  loop_end(l);
}

TEST(test_reregister_without_on_demand_watches) { /* P6, P8 */
  loop *l = loop_new();
  both_ends ends = ends_on_demand(l);
  REQUIRE_OK(nps_pipe_reregister(ends.client, 2, BOTH_INTERESTS));
  REQUIRE_OK(nps_pipe_reregister(ends.server, 1, NPS_INTEREST_WRITABLE));
  loop_await(l, 2, NPS_WRITABLE);
  end_pipe(ends.client);
  loop_await_ever(l, 1, NPS_CLOSED);
  end_pipe(ends.server);
  loop_end(l);
}

TEST(test_on_demand_begins_anew_with_each_connection) { /* C7 */
  loop *l = loop_new();
  const char *name = test_name();
  nps_pipe *server = server_new(name);
  REQUIRE_OK(nps_pipe_register(server, l->poll, 1, ON_DEMAND));
  for (int round = 0; round < 20; round++) {
    nps_pipe *client = client_new(name);
    REQUIRE_OK(nps_pipe_register(client, l->poll, 2, ON_DEMAND));
    loop_connect(l, 1, server);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(server));
    pass_byte(l, 1, client, server);
    pass_byte(l, 2, server, client);
    end_pipe(client);
    loop_expect_end(l, 1, server);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_disconnect(server, 1));
  }
  end_pipe(server);
  loop_end(l);
}

TEST(test_on_demand_alone_is_no_interest) { /* O3 */
  loop *l = loop_new();
  nps_pipe *server = server_new(test_name());
  REQUIRE_INVALID(NPS_ARGUMENT_INTEREST, nps_pipe_register(server, l->poll, 1, NPS_INTEREST_ON_DEMAND));
  REQUIRE_INVALID(NPS_ARGUMENT_INTEREST, nps_pipe_register(server, l->poll, 1, BOTH_INTERESTS | 8));
  REQUIRE_OK(nps_pipe_register(server, l->poll, 1, NPS_INTEREST_READABLE | NPS_INTEREST_ON_DEMAND));
  REQUIRE_INVALID(NPS_ARGUMENT_INTEREST, nps_pipe_reregister(server, 1, NPS_INTEREST_ON_DEMAND));
  end_pipe(server);
  loop_end(l);
}

TEST(test_on_demand_streams_both_ways_lose_no_byte) { /* R1, W1 */
  loop *l = loop_new();
  linked one = link_on_demand(l, OUR_SERVER);
  const size_t size = 2000000;
  peer_stream *sender = peer_sender_start(one.peer, 7, size, false);
  loop_read_pattern(l, 1, one.pipe, 7, size, WAY);
  peer_stream_join(sender);
  peer_stream *receiver = peer_receiver_start(one.peer, 9, size, false);
  loop_write_pattern(l, 1, one.pipe, 9, size);
  peer_stream_join(receiver);
  REQUIRE_EQUAL(size, receiver->moved);
  link_end(one);
  loop_end(l);
}
