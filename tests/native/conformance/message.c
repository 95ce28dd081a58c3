/* Message pipes: R4, W5, W6. A boundary is neither lost nor invented, whatever the sizes, and whether a call finds its message there
 * or waits for it. Both ends are ours. */
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

#define BOUND 256u /* a small buffer of each kind */

typedef struct both_ends {
  nps_pipe *server, *client;
} both_ends;

/* Connected; the server has token 1, the client 2. */
static both_ends ends_with(loop *l, uint32_t read_ahead, uint32_t quota) {
  nps_server_options serving = server_options(test_name());
  nps_client_options opening = client_options(serving.name);
  both_ends made = {NULL, NULL};
  serving.mode = opening.mode = NPS_MODE_MESSAGE;
  serving.read_ahead = opening.read_ahead = read_ahead;
  serving.in_buffer_size = serving.out_buffer_size = quota;
  REQUIRE_OK(nps_pipe_create(&serving, &made.server));
  REQUIRE_OK(nps_pipe_open(&opening, &made.client));
  register_pipe(l, made.server, 1);
  register_pipe(l, made.client, 2);
  loop_connect(l, 1, made.server);
  return made;
}

static void ends_end(both_ends ends) {
  end_pipe(ends.client);
  end_pipe(ends.server);
}

/* One message, or its part; waits where it would block. */
static nps_result read_part(loop *l, uint64_t token, nps_pipe *pipe, void *memory, size_t size, size_t *count) {
  for (;;) {
    *count = 0xDEAD;
    nps_result result = nps_pipe_read(pipe, memory, size, count);
    REQUIRE(*count <= size);
    if (nps_result_status(result) != NPS_WOULD_BLOCK) {
      return result;
    }
    REQUIRE_EQUAL(0, *count);
    loop_await(l, token, NPS_READABLE | NPS_CLOSED);
  }
}

/* The next message, in parts of at most `chunk` bytes, is `size` bytes of the pattern. */
static void read_message(loop *l, uint64_t token, nps_pipe *pipe, uint64_t seed, size_t size, size_t chunk) {
  char *memory = test_new(chunk);
  size_t have = 0, count;
  nps_result result;
  do {
    result = read_part(l, token, pipe, memory, chunk, &count);
    if (result != NPS_OK) {
      REQUIRE_STATUS(NPS_MORE_DATA, result);
      REQUIRE(count > 0);
    }
    pattern_require(memory, count, seed, have);
    have += count;
    REQUIRE(have <= size);
  } while (result != NPS_OK);
  REQUIRE_EQUAL(size, have);
}

static void write_message(loop *l, uint64_t token, nps_pipe *pipe, uint64_t seed, size_t size) {
  char *memory = test_new(size + 1);
  size_t count;
  pattern_fill(memory, size, seed, 0);
  for (;;) {
    nps_result result = nps_pipe_write(pipe, memory, size, &count);
    if (result == NPS_OK) {
      REQUIRE_EQUAL(size, count); /* W5: whole */
      return;
    }
    REQUIRE_STATUS(NPS_WOULD_BLOCK, result);
    REQUIRE_EQUAL(0, count);
    loop_await(l, token, NPS_WRITABLE);
  }
}

static const size_t s_sizes[] = {
    0, 1, BOUND - 1, BOUND, BOUND + 1, 3 * BOUND, 0, 4096, 65535, 65536, 65537, 3 * 65536, 0};
enum { SIZES = sizeof s_sizes / sizeof s_sizes[0] };

/* `pending`: the read is asked for before the message is sent. */
static void sizes_through(uint32_t read_ahead, uint32_t quota, size_t chunk, bool pending) {
  loop *l = loop_new();
  both_ends ends = ends_with(l, read_ahead, quota);
  for (uint64_t i = 0; i < SIZES; i++) {
    if (pending) {
      char byte;
      size_t count;
      REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_read(ends.client, &byte, 1, &count));
    }
    write_message(l, 1, ends.server, i, s_sizes[i]);
    read_message(l, 2, ends.client, i, s_sizes[i], chunk);
    write_message(l, 2, ends.client, i + 50, s_sizes[i]);
    read_message(l, 1, ends.server, i + 50, s_sizes[i], chunk);
  }
  ends_end(ends);
  loop_end(l);
}

TEST(test_messages_of_all_sizes_come_whole) { /* R4, W5, W6 */
  static const uint32_t aheads[] = {0, BOUND, 65536};
  static const uint32_t quotas[] = {0, BOUND};
  static const size_t chunks[] = {1000000, 65536, BOUND + 1, BOUND, BOUND - 1};
  for (size_t a = 0; a < sizeof aheads / sizeof aheads[0]; a++) {
    for (size_t q = 0; q < sizeof quotas / sizeof quotas[0]; q++) {
      for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
        test_note("read ahead %u, quota %u, chunk %zu", aheads[a], quotas[q], chunks[c]);
        sizes_through(aheads[a], quotas[q], chunks[c], false);
        sizes_through(aheads[a], quotas[q], chunks[c], true);
      }
    }
  }
}

TEST(test_messages_that_queue_up_keep_their_boundaries) { /* R4, W5, W6 */
  for (uint32_t ahead = 0; ahead <= 65536; ahead += 65536) {
    loop *l = loop_new();
    both_ends ends = ends_with(l, ahead, 65536);
    for (uint64_t i = 0; i < 40; i++) {
      write_message(l, 1, ends.server, i, i % 4 == 0 ? 0 : i * 7); /* empty ones first, last, and in a row */
      if (i % 8 == 0) {
        write_message(l, 1, ends.server, 99, 0);
      }
    }
    for (uint64_t i = 0; i < 40; i++) {
      read_message(l, 2, ends.client, i, i % 4 == 0 ? 0 : i * 7, 100);
      if (i % 8 == 0) {
        read_message(l, 2, ends.client, 99, 0, 100);
      }
    }
    char byte;
    size_t count;
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_read(ends.client, &byte, 1, &count));
    ends_end(ends);
    loop_end(l);
  }
}

TEST(test_an_empty_message_is_neither_would_block_nor_the_end) { /* R4, W6 */
  for (uint32_t ahead = 0; ahead <= 65536; ahead += 65536) {
    loop *l = loop_new();
    both_ends ends = ends_with(l, ahead, 0);
    char memory[10];
    size_t count;
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_read(ends.client, memory, sizeof memory, &count));
    for (int i = 0; i < 3; i++) {
      write_message(l, 1, ends.server, 1, 0);
    }
    REQUIRE(nps_pipe_close(ends.server, NPS_FOREVER) >= 0);
    nps_pipe_release(ends.server);
    for (int i = 0; i < 3; i++) {
      REQUIRE_OK(read_part(l, 2, ends.client, memory, sizeof memory, &count));
      REQUIRE_EQUAL(0, count);
    }
    for (int i = 0; i < 2; i++) {
      REQUIRE_STATUS(NPS_END_OF_STREAM, read_part(l, 2, ends.client, memory, sizeof memory, &count));
      REQUIRE_EQUAL(0, count);
    }
    end_pipe(ends.client);
    loop_end(l);
  }
}

TEST(test_a_read_of_no_room_takes_nothing_but_an_empty_message) { /* R2, R4 */
  for (uint32_t ahead = 0; ahead <= 65536; ahead += 65536) {
    loop *l = loop_new();
    both_ends ends = ends_with(l, ahead, 0);
    char memory[10];
    size_t count;
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_read(ends.client, NULL, 0, &count));
    write_message(l, 1, ends.server, 5, 4);
    for (int i = 0; i < 3; i++) {
      REQUIRE_STATUS(NPS_MORE_DATA, read_part(l, 2, ends.client, NULL, 0, &count));
      REQUIRE_EQUAL(0, count);
    }
    read_message(l, 2, ends.client, 5, 4, sizeof memory);
    write_message(l, 1, ends.server, 5, 0);
    write_message(l, 1, ends.server, 6, 3);
    REQUIRE_OK(read_part(l, 2, ends.client, NULL, 0, &count));
    read_message(l, 2, ends.client, 6, 3, sizeof memory);
    ends_end(ends);
    loop_end(l);
  }
}

TEST(test_a_peer_that_leaves_in_the_middle_of_a_message) { /* R3, R4 */
  loop *l = loop_new();
  both_ends ends = ends_with(l, 65536, 0);
  char memory[10];
  size_t count;
  write_message(l, 1, ends.server, 5, 25);
  REQUIRE_STATUS(NPS_MORE_DATA, read_part(l, 2, ends.client, memory, 10, &count));
  REQUIRE_EQUAL(10, count);
  end_pipe(ends.server);
  REQUIRE_STATUS(NPS_MORE_DATA, read_part(l, 2, ends.client, memory, 10, &count));
  REQUIRE_OK(read_part(l, 2, ends.client, memory, 10, &count));
  REQUIRE_EQUAL(5, count);
  pattern_require(memory, 5, 5, 20);
  REQUIRE_STATUS(NPS_END_OF_STREAM, read_part(l, 2, ends.client, memory, 10, &count));
  end_pipe(ends.client);
  loop_end(l);
}

TEST(test_the_rest_of_a_message_does_not_reach_the_next_connection) { /* C7, R4 */
  loop *l = loop_new();
  nps_server_options serving = server_options(test_name());
  nps_client_options opening = client_options(serving.name);
  serving.mode = opening.mode = NPS_MODE_MESSAGE;
  nps_pipe *server = NULL;
  REQUIRE_OK(nps_pipe_create(&serving, &server));
  register_pipe(l, server, 1);
  for (uint64_t round = 0; round < 20; round++) {
    nps_pipe *client = NULL;
    char memory[10];
    size_t count;
    REQUIRE_OK(nps_pipe_open(&opening, &client));
    register_pipe(l, client, 2);
    loop_connect(l, 1, server);
    write_message(l, 2, client, round, 30);
    write_message(l, 2, client, round, 0);
    REQUIRE_STATUS(NPS_MORE_DATA, read_part(l, 1, server, memory, 10, &count));
    pattern_require(memory, 10, round, 0);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_disconnect(server, 1));
    end_pipe(client);
  }
  end_pipe(server);
  loop_end(l);
}

TEST(test_a_full_message_pipe_would_block_and_takes_messages_again) { /* W2, W5 */
  loop *l = loop_new();
  both_ends ends = ends_with(l, 1000, 0);
  char *memory = test_new(30000);
  size_t count;
  uint64_t sent = 0;
  for (;; sent++) {
    pattern_fill(memory, 30000, sent, 0);
    nps_result result = nps_pipe_write(ends.server, memory, 30000, &count);
    if (nps_result_status(result) == NPS_WOULD_BLOCK) {
      REQUIRE_EQUAL(0, count);
      break;
    }
    REQUIRE_OK(result);
    REQUIRE(count == 30000 && sent < 100000);
  }
  loop_reset(l, 1);
  for (uint64_t i = 0; i < sent; i++) {
    read_message(l, 2, ends.client, i, 30000, 4096);
  }
  loop_await_ever(l, 1, NPS_WRITABLE);
  write_message(l, 1, ends.server, 7, 10);
  read_message(l, 2, ends.client, 7, 10, 100);
  ends_end(ends);
  loop_end(l);
}

TEST(test_a_message_that_is_too_long_is_refused_and_nothing_else) { /* W5 */
  loop *l = loop_new();
  both_ends ends = ends_with(l, 65536, 0);
  nps_info info = {.size = sizeof info};
  REQUIRE_OK(nps_pipe_info(ends.server, &info));
  REQUIRE_EQUAL(NPS_MODE_MESSAGE, info.mode);
  REQUIRE(info.max_message >= 3 * 65536);
  char *memory = calloc(1, (size_t)info.max_message + 1);
  size_t count;
  REQUIRE(memory != NULL);
  REQUIRE_INVALID(NPS_ARGUMENT_MESSAGE, nps_pipe_write(ends.server, memory, (size_t)info.max_message + 1, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_MESSAGE, nps_pipe_write(ends.server, memory, SIZE_MAX, &count));
  write_message(l, 1, ends.server, 3, info.max_message);
  read_message(l, 2, ends.client, 3, info.max_message, 1000000);
  free(memory);
  ends_end(ends);
  loop_end(l);
}

TEST(test_accepted_messages_arrive_after_close) { /* W1, X1 */
  for (size_t size = 0; size <= 150000; size += 50000) {
    loop *l = loop_new();
    both_ends ends = ends_with(l, 65536, BOUND);
    write_message(l, 1, ends.server, 1, 20);
    write_message(l, 1, ends.server, 2, size); /* also an empty one that waits for room */
    nps_result closed = nps_pipe_close(ends.server, NPS_FOREVER);
    REQUIRE(closed == NPS_OK || nps_result_status(closed) == NPS_WOULD_BLOCK);
    nps_pipe_release(ends.server);
    read_message(l, 2, ends.client, 1, 20, 100000);
    read_message(l, 2, ends.client, 2, size, 100000);
    char byte;
    size_t count;
    REQUIRE_STATUS(NPS_END_OF_STREAM, read_part(l, 2, ends.client, &byte, 1, &count));
    end_pipe(ends.client);
    loop_end(l);
  }
}

TEST(test_both_ends_must_agree_on_the_mode) { /* K1 */
  for (uint32_t mode = NPS_MODE_BYTE; mode <= NPS_MODE_MESSAGE; mode++) {
    nps_server_options serving = server_options(test_name());
    nps_client_options opening = client_options(serving.name);
    nps_pipe *server = NULL, *client = NULL;
    serving.mode = mode;
    opening.mode = NPS_MODE_MESSAGE - mode;
    REQUIRE_OK(nps_pipe_create(&serving, &server));
    nps_result result = nps_pipe_open(&opening, &client);
    if (!sys_is_windows()) {
      REQUIRE_STATUS(NPS_E_NOT_FOUND, result); /* another file */
    } else if (mode == NPS_MODE_BYTE) {
      REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, result);
    } else {
      REQUIRE_OK(result); /* Windows lets it read messages as bytes */
    }
    nps_pipe_release(client);
    nps_pipe_release(server);
  }
}

TEST(test_peek_sees_one_message) { /* F1, R4 */
  for (uint32_t ahead = 0; ahead <= 65536; ahead += 65536) {
    loop *l = loop_new();
    both_ends ends = ends_with(l, ahead, 0);
    char memory[10];
    size_t count;
    uint64_t available = 0, deadline = test_deadline();
    write_message(l, 1, ends.server, 5, 8);
    write_message(l, 1, ends.server, 6, 3);
    while (nps_pipe_peek(ends.client, memory, sizeof memory, &count, &available) != NPS_OK) {
      REQUIRE(sys_now_ms() < deadline);
      loop_pump(l, 1);
    }
    REQUIRE_EQUAL(8, available);
    REQUIRE_EQUAL(8, count);
    pattern_require(memory, 8, 5, 0);
    REQUIRE_STATUS(NPS_MORE_DATA, read_part(l, 2, ends.client, memory, 5, &count));
    REQUIRE_OK(nps_pipe_peek(ends.client, memory, 2, &count, &available));
    REQUIRE_EQUAL(3, available); /* what is left of it */
    REQUIRE_EQUAL(2, count);
    pattern_require(memory, 2, 5, 5);
    REQUIRE_OK(read_part(l, 2, ends.client, memory, 5, &count));
    read_message(l, 2, ends.client, 6, 3, 10);
    ends_end(ends);
    loop_end(l);
  }
}

TEST(test_half_close_of_a_message_pipe) { /* W7 */
  loop *l = loop_new();
  both_ends ends = ends_with(l, 65536, 0);
  char byte;
  size_t count;
  write_message(l, 1, ends.server, 5, 8);
  nps_result result = nps_pipe_shutdown(ends.server);
  while (nps_result_status(result) == NPS_WOULD_BLOCK) {
    loop_await(l, 1, NPS_WRITABLE);
    result = nps_pipe_shutdown(ends.server);
  }
  REQUIRE_OK(result);
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_write(ends.server, "x", 1, &count));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_shutdown(ends.server));
  read_message(l, 2, ends.client, 5, 8, 10);
  if (sys_is_windows()) {
    read_message(l, 2, ends.client, 5, 0, 10);
  } else {
    REQUIRE_STATUS(NPS_END_OF_STREAM, read_part(l, 2, ends.client, &byte, 1, &count));
  }
  write_message(l, 2, ends.client, 9, 100);
  read_message(l, 1, ends.server, 9, 100, 1000);
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_write(ends.server, "x", 1, &count));
  ends_end(ends);
  loop_end(l);
}

/* ---- one way ---- */

TEST(test_messages_flow_one_way) { /* K1: one-way message clients need rights beyond their direction */
  for (uint32_t direction = NPS_DIRECTION_IN; direction <= NPS_DIRECTION_OUT; direction++) {
    loop *l = loop_new();
    nps_server_options serving = server_options(test_name());
    nps_client_options opening = client_options(serving.name);
    serving.mode = opening.mode = NPS_MODE_MESSAGE;
    serving.direction = direction;
    opening.direction = NPS_DIRECTION_DUPLEX - direction;
    nps_pipe *server = NULL, *client = NULL;
    REQUIRE_OK(nps_pipe_create(&serving, &server));
    REQUIRE_OK(nps_pipe_open(&opening, &client));
    register_pipe(l, server, 1);
    register_pipe(l, client, 2);
    loop_connect(l, 1, server);
    nps_info info = {.size = sizeof info};
    REQUIRE_OK(nps_pipe_info(client, &info));
    for (uint64_t i = 0; i < SIZES; i++) {
      if (direction == NPS_DIRECTION_OUT) {
        write_message(l, 1, server, i, s_sizes[i]);
        read_message(l, 2, client, i, s_sizes[i], 1000);
      } else {
        write_message(l, 2, client, i, s_sizes[i]);
        read_message(l, 1, server, i, s_sizes[i], 1000);
      }
    }
    end_pipe(client);
    end_pipe(server);
    loop_end(l);
  }
}

/* ---- export and adopt ---- */

TEST(test_adopted_ends_read_messages) { /* R4 */
  loop *l = loop_new();
  nps_server_options serving = server_options(test_name());
  nps_client_options opening = client_options(serving.name);
  serving.mode = opening.mode = NPS_MODE_MESSAGE;
  nps_pipe *server = NULL, *client = NULL, *adopted = NULL;
  intptr_t handle = -1;
  REQUIRE_OK(nps_pipe_create(&serving, &server));
  REQUIRE_OK(nps_pipe_open(&opening, &client));
  REQUIRE_OK(nps_pipe_export(client, &handle));
  nps_pipe_release(client);
  REQUIRE_OK(nps_pipe_adopt(handle, NULL, &adopted));
  register_pipe(l, server, 1);
  register_pipe(l, adopted, 2);
  loop_connect(l, 1, server);
  nps_info info = {.size = sizeof info};
  REQUIRE_OK(nps_pipe_info(adopted, &info));
  REQUIRE_EQUAL(NPS_MODE_MESSAGE, info.mode);
  for (uint64_t i = 0; i < SIZES; i++) {
    write_message(l, 1, server, i, s_sizes[i]);
    read_message(l, 2, adopted, i, s_sizes[i], 1000);
    write_message(l, 2, adopted, i, s_sizes[i]);
    read_message(l, 1, server, i, s_sizes[i], 100000);
  }
  end_pipe(adopted);
  end_pipe(server);
  loop_end(l);
}
