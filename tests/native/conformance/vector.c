/* Reads and writes with several buffers: W5, R1. */
#include <string.h>

#include "loop.h"
#include "sys.h"

static nps_result write_vector(nps_pipe *pipe, const nps_buffer *buffers, uint32_t buffer_count, size_t *count) {
  *count = 0xDEAD;
  return nps_pipe_write_vector(pipe, buffers, buffer_count, count);
}

/* `parts` buffers over `memory`, of sizes 0, 1, 2, ... in turn up to `size` bytes; how many. */
static uint32_t cut(char *memory, size_t size, nps_buffer *buffers, uint32_t parts) {
  uint32_t used = 0;
  size_t at = 0;
  while (at < size && used < parts) {
    const size_t part = used + 1 == parts ? size - at : used % 50 < size - at ? used % 50 : size - at;
    buffers[used++] = (nps_buffer){part == 0 ? NULL : memory + at, part};
    at += part;
  }
  return used;
}

TEST(test_a_vectored_write_is_one_contiguous_run) { /* W5 */
  loop *l = loop_new();
  for (side ours = OUR_SERVER; ours <= OUR_CLIENT; ours++) {
    linked one = link_new(l, 1, ours);
    char memory[3000], got[3000];
    nps_buffer buffers[60];
    size_t count;
    pattern_fill(memory, sizeof memory, 4, 0);
    uint32_t used = cut(memory, sizeof memory, buffers, 60);
    REQUIRE_OK(write_vector(one.pipe, buffers, used, &count));
    REQUIRE_EQUAL(sizeof memory, count);
    peer_receive_exactly(one.peer, got, sizeof got);
    pattern_require(got, sizeof got, 4, 0);
    link_end(one);
  }
  loop_end(l);
}

TEST(test_a_vectored_read_fills_its_buffers_in_order) { /* R1 */
  for (uint32_t ahead = 0; ahead <= 65536; ahead += 65536) {
    loop *l = loop_new();
    nps_server_options options = server_options(NULL);
    options.read_ahead = ahead;
    linked one = link_new_with(l, 1, OUR_SERVER, options);
    char memory[2000], got[2000];
    nps_buffer buffers[70];
    uint32_t used = cut(got, sizeof got, buffers, 70);
    pattern_fill(memory, sizeof memory, 8, 0);
    REQUIRE(peer_send(one.peer, memory, sizeof memory));
    size_t have = 0, count;
    while (have < sizeof got) { /* on, with what is left */
      nps_result result = nps_pipe_read_vector(one.pipe, buffers, used, &count);
      if (nps_result_status(result) == NPS_WOULD_BLOCK) {
        loop_await(l, 1, NPS_READABLE);
        continue;
      }
      REQUIRE_OK(result);
      have += count;
      used = cut(got + have, sizeof got - have, buffers, 70);
    }
    pattern_require(got, sizeof got, 8, 0);
    link_end(one);
    loop_end(l);
  }
}

TEST(test_a_vectored_write_beyond_the_limit_takes_the_first_bytes) { /* W1 */
  loop *l = loop_new();
  static const uint32_t limits[] = {1, 9, 10, 11, 25, 30};
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    nps_server_options options = server_options(NULL);
    options.write_limit = limits[i];
    linked one = link_new_with(l, 1, OUR_SERVER, options);
    char memory[30], got[30];
    pattern_fill(memory, sizeof memory, 3, 0);
    size_t sent = 0, count;
    while (sent < sizeof memory) {
      nps_buffer buffers[4] = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
      for (size_t at = sent, part = 1; at < sizeof memory && part < 4; part++) {
        const size_t left = sizeof memory - at, size = part == 3 || left < 10 ? left : 10;
        buffers[part] = (nps_buffer){memory + at, size};
        at += size;
      }
      nps_result result = write_vector(one.pipe, buffers, 4, &count);
      if (nps_result_status(result) == NPS_WOULD_BLOCK) {
        loop_await(l, 1, NPS_WRITABLE);
        continue;
      }
      REQUIRE_OK(result);
      REQUIRE(count > 0 && count <= limits[i]);
      sent += count;
    }
    peer_receive_exactly(one.peer, got, sizeof got);
    pattern_require(got, sizeof got, 3, 0);
    link_end(one);
  }
  loop_end(l);
}

TEST(test_vectors_at_their_limits) { /* O3, R2 */
  loop *l = loop_new();
  linked one = link_new(l, 1, OUR_SERVER);
  static nps_buffer many[NPS_MAX_BUFFERS + 1];
  static char memory[NPS_MAX_BUFFERS + 1], got[NPS_MAX_BUFFERS];
  size_t count;
  pattern_fill(memory, sizeof memory, 2, 0);
  for (uint32_t i = 0; i <= NPS_MAX_BUFFERS; i++) {
    many[i] = (nps_buffer){&memory[i], 1};
  }
  REQUIRE_INVALID(NPS_ARGUMENT_BUFFER_COUNT, write_vector(one.pipe, many, NPS_MAX_BUFFERS + 1, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_BUFFER_COUNT, nps_pipe_read_vector(one.pipe, many, NPS_MAX_BUFFERS + 1, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_BUFFER, write_vector(one.pipe, NULL, 1, &count));
  REQUIRE_INVALID(NPS_ARGUMENT_RESULT, nps_pipe_write_vector(one.pipe, many, 1, NULL));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, write_vector(NULL, many, 1, &count));
  many[7].data = NULL;
  REQUIRE_INVALID(NPS_ARGUMENT_BUFFER, write_vector(one.pipe, many, 8, &count));
  many[7].data = &memory[7];
  REQUIRE_OK(write_vector(one.pipe, NULL, 0, &count));
  REQUIRE_EQUAL(0, count);
  REQUIRE_OK(nps_pipe_read_vector(one.pipe, NULL, 0, &count));
  REQUIRE_OK(write_vector(one.pipe, many, NPS_MAX_BUFFERS, &count));
  REQUIRE_EQUAL(NPS_MAX_BUFFERS, count);
  peer_receive_exactly(one.peer, got, sizeof got);
  pattern_require(got, sizeof got, 2, 0);
  link_end(one);
  loop_end(l);
}

TEST(test_a_vectored_write_is_one_message_and_a_vectored_read_reads_one) { /* W5, R4 */
  for (uint32_t ahead = 0; ahead <= 65536; ahead += 65536) {
    loop *l = loop_new();
    nps_server_options serving = server_options(test_name());
    nps_client_options opening = client_options(serving.name);
    serving.mode = opening.mode = NPS_MODE_MESSAGE;
    opening.read_ahead = ahead;
    nps_pipe *server = NULL, *client = NULL;
    REQUIRE_OK(nps_pipe_create(&serving, &server));
    REQUIRE_OK(nps_pipe_open(&opening, &client));
    register_pipe(l, server, 1);
    register_pipe(l, client, 2);
    loop_connect(l, 1, server);
    for (size_t size = 0; size <= 3000; size += 500) {
      char memory[3000], got[3000];
      nps_buffer buffers[60], into[3] = {{got, 100}, {NULL, 0}, {got + 100, 2000}};
      size_t count, have = 0;
      pattern_fill(memory, sizeof memory, size, 0);
      REQUIRE_OK(write_vector(server, buffers, cut(memory, size, buffers, 60), &count));
      REQUIRE_EQUAL(size, count);
      loop_await(l, 2, NPS_READABLE);
      nps_result result = nps_pipe_read_vector(client, into, 3, &have);
      while (nps_result_status(result) == NPS_WOULD_BLOCK) {
        loop_await(l, 2, NPS_READABLE);
        result = nps_pipe_read_vector(client, into, 3, &have);
      }
      REQUIRE_STATUS(size > 2100 ? NPS_MORE_DATA : NPS_OK, result);
      REQUIRE_EQUAL(size > 2100 ? 2100 : size, have);
      if (size > have) {
        REQUIRE_OK(nps_pipe_read(client, got + have, sizeof got - have, &count));
        REQUIRE_EQUAL(size - have, count);
      }
      pattern_require(got, size, size, 0);
      REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_read(client, got, 1, &count));
      loop_pump(l, 0);
      loop_reset(l, 2);
    }
    end_pipe(client);
    end_pipe(server);
    loop_end(l);
  }
}
