/* Message mode on the simulated kernel, with every chance that it takes: R4, W5, W6, C7. */
#include <string.h>

#include "script.h"

typedef struct flow {
  nps_poll *poll;
  nps_pipe *server, *client;
} flow;

static flow flow_begin(uint64_t seed, uint32_t read_ahead) {
  flow made = {0};
  sim_settings settings = sim_settings_plain();
  settings.seed = seed;
  settings.now_percent = settings.fire_percent = settings.deliver_percent = settings.whole_percent = 50;
  settings.lose_percent = settings.take_back_percent = 50;
  settings.spurious_percent = 10;
  settings.quarantine = 64;
  settings.fail = script_fail;
  sim_begin(&settings);
  nps_server_options serving;
  nps_client_options opening;
  (void)nps_server_options_init(&serving, sizeof serving);
  (void)nps_client_options_init(&opening, sizeof opening);
  serving.name = opening.name = "flow";
  serving.mode = opening.mode = NPS_MODE_MESSAGE;
  serving.in_buffer_size = serving.out_buffer_size = 100;
  serving.read_ahead = opening.read_ahead = read_ahead;
  REQUIRE_OK(nps_poll_create(NULL, &made.poll));
  REQUIRE_OK(nps_pipe_create(&serving, &made.server));
  REQUIRE_OK(nps_pipe_open(&opening, &made.client));
  REQUIRE_OK(nps_pipe_register(made.server, made.poll, 1, BOTH_INTERESTS));
  REQUIRE_OK(nps_pipe_register(made.client, made.poll, 2, BOTH_INTERESTS));
  return made;
}

static void flow_end(flow *f) {
  nps_pipe_release(f->server);
  nps_pipe_release(f->client);
  nps_poll_release(f->poll);
  sim_finish();
}

/* Waits for an event of anybody; the kernel fails a wait that would never end. */
static void flow_wait(const flow *f) {
  nps_event events[2];
  uint32_t count = 0;
  REQUIRE_OK(nps_poll_wait(f->poll, events, 2, NPS_FOREVER, &count));
}

#define MESSAGES 200u

static size_t flow_size(uint32_t message) {
  static const size_t sizes[] = {0, 1, 99, 100, 101, 300, 0, 0, 7};
  return sizes[message * 5 % (sizeof sizes / sizeof sizes[0])];
}

/* Sends what can be sent: true when all is. */
static bool flow_send(const flow *f, uint32_t *sent) {
  char bytes[300];
  size_t count;
  while (*sent < MESSAGES) {
    const size_t size = flow_size(*sent);
    pattern_fill(bytes, size, *sent, 0);
    const nps_buffer two[2] = {{bytes, size / 3}, {bytes + size / 3, size - size / 3}};
    nps_result result = *sent % 2 == 0 ? nps_pipe_write(f->client, bytes, size, &count)
                                       : nps_pipe_write_vector(f->client, two, 2, &count);
    if (nps_result_status(result) == NPS_WOULD_BLOCK) return false;
    REQUIRE_OK(result);
    REQUIRE_EQUAL(size, count);
    ++*sent;
  }
  return true;
}

/* Reads until would-block. */
static void flow_receive(const flow *f, uint32_t *received, size_t *have, size_t chunk) {
  char bytes[400];
  while (*received < MESSAGES) {
    size_t count = 0;
    nps_result result = nps_pipe_read(f->server, bytes, chunk, &count);
    if (nps_result_status(result) == NPS_WOULD_BLOCK) return;
    if (nps_result_status(result) != NPS_MORE_DATA) REQUIRE_OK(result);
    pattern_require(bytes, count, *received, *have);
    *have += count;
    REQUIRE(*have <= flow_size(*received));
    if (result != NPS_OK) continue;
    REQUIRE_EQUAL(flow_size(*received), *have); /* R4: the boundary is where it was */
    ++*received;
    *have = 0;
  }
}

TEST(test_no_boundary_is_lost_or_invented) { /* R4, W5, W6 */
  static const uint32_t aheads[] = {0, 1, 100, 65536};
  static const size_t chunks[] = {1, 99, 100, 101, 400};
  for (uint64_t seed = 1; seed <= 100; seed++) {
    test_note("seed %llu", (unsigned long long)seed);
    flow f = flow_begin(seed, aheads[seed % 4]);
    const size_t chunk = chunks[seed % 5];
    uint32_t sent = 0, received = 0;
    size_t have = 0;
    while (nps_pipe_connect(f.server) != NPS_OK) flow_wait(&f);
    while (received < MESSAGES) {
      (void)flow_send(&f, &sent);
      flow_receive(&f, &received, &have, chunk);
      if (received < MESSAGES) flow_wait(&f);
    }
    flow_end(&f);
  }
}

TEST(test_a_message_half_read_is_gone_with_its_connection) { /* C7 */
  for (uint64_t seed = 1; seed <= 100; seed++) {
    flow f = flow_begin(seed, seed % 2 == 0 ? 0 : 10);
    char bytes[10];
    size_t count = 0;
    while (nps_pipe_connect(f.server) != NPS_OK) flow_wait(&f);
    REQUIRE_OK(nps_pipe_write(f.client, "0123456789", 10, &count));
    nps_result result = nps_pipe_read(f.server, bytes, 1, &count);
    while (nps_result_status(result) == NPS_WOULD_BLOCK) {
      flow_wait(&f);
      result = nps_pipe_read(f.server, bytes, 1, &count);
    }
    REQUIRE_STATUS(NPS_MORE_DATA, result);
    (void)nps_pipe_disconnect(f.server, 0);
    (void)nps_pipe_connect(f.server);
    sim_file *next = sim_connect("flow", NPS_DIRECTION_DUPLEX);
    REQUIRE(next != NULL);
    while (nps_pipe_connect(f.server) != NPS_OK) flow_wait(&f);
    REQUIRE_EQUAL(2, sim_write(next, "ab", 2));
    size_t have = 0;
    do {
      result = nps_pipe_read(f.server, bytes + have, sizeof bytes - have, &count);
      have += count;
      if (nps_result_status(result) == NPS_WOULD_BLOCK) flow_wait(&f);
    } while (nps_result_status(result) == NPS_WOULD_BLOCK || nps_result_status(result) == NPS_MORE_DATA);
    REQUIRE_OK(result);
    REQUIRE(have == 2 && memcmp(bytes, "ab", 2) == 0);
    flow_end(&f);
  }
}

/* A server of messages whose client the script plays; everything happens at once. */
static flow plain_begin(uint32_t read_ahead, sim_file **client) {
  flow made = {0};
  sim_settings settings = sim_settings_plain();
  settings.fail = script_fail;
  sim_begin(&settings);
  nps_server_options serving;
  (void)nps_server_options_init(&serving, sizeof serving);
  serving.name = "plain";
  serving.mode = NPS_MODE_MESSAGE;
  serving.read_ahead = read_ahead;
  serving.in_buffer_size = serving.out_buffer_size = 100;
  REQUIRE_OK(nps_poll_create(NULL, &made.poll));
  REQUIRE_OK(nps_pipe_create(&serving, &made.server));
  REQUIRE_OK(nps_pipe_register(made.server, made.poll, 1, BOTH_INTERESTS));
  *client = sim_connect(serving.name, NPS_DIRECTION_DUPLEX);
  REQUIRE(*client != NULL);
  while (nps_pipe_connect(made.server) != NPS_OK) flow_wait(&made);
  return made;
}

TEST(test_a_peek_does_not_see_past_an_empty_message) { /* F1, rule 7 */
  for (uint32_t ahead = 0; ahead <= 100; ahead += 50) {
    sim_file *client;
    flow f = plain_begin(ahead, &client);
    nps_event event;
    char bytes[10] = {0};
    uint32_t events = 0;
    size_t count = 77;
    uint64_t available = 77;
    REQUIRE_OK(nps_poll_wait(f.poll, &event, 1, 0, &events)); /* the connection's */
    REQUIRE(sim_send(client, "", 0));
    REQUIRE(sim_send(client, "abc", 3));
    sim_step(true); /* buffered: the operation that is under way takes the empty one; nobody has heard of it */
    REQUIRE_STATUS(
        os_direct_io ? NPS_OK : NPS_WOULD_BLOCK, nps_pipe_peek(f.server, bytes, sizeof bytes, &count, &available));
    REQUIRE(count == 0 && available == 0);
    flow_wait(&f);
    for (int i = 0; i < 2; i++) { /* the first one takes nothing */
      REQUIRE_OK(nps_pipe_peek(f.server, bytes, sizeof bytes, &count, &available));
      REQUIRE(count == 0 && available == 0);
    }
    REQUIRE_OK(nps_pipe_read(f.server, bytes, sizeof bytes, &count));
    REQUIRE_EQUAL(0, count);
    REQUIRE_OK(nps_pipe_peek(f.server, bytes, sizeof bytes, &count, &available));
    REQUIRE(count == 3 && available == 3 && memcmp(bytes, "abc", 3) == 0);
    REQUIRE_OK(nps_pipe_read(f.server, bytes, sizeof bytes, &count));
    REQUIRE(count == 3 && memcmp(bytes, "abc", 3) == 0);
    sim_close(client);
    flow_end(&f);
  }
}

TEST(test_a_peek_counts_what_was_read_ahead) { /* F1 */
  script s = script_begin();
  sim_file *client = sim_connect(SCRIPT_NAME, NPS_DIRECTION_DUPLEX);
  char bytes[10];
  size_t count = 0;
  uint64_t available = 0;
  REQUIRE_EQUAL(4, sim_write(client, "abcd", 4));
  REQUIRE_OK(nps_pipe_connect(s.pipe));
  REQUIRE_EQUAL(2, sim_write(client, "ef", 2)); /* the first four are in the library where it reads ahead */
  REQUIRE_OK(nps_pipe_peek(s.pipe, bytes, sizeof bytes, &count, &available));
  REQUIRE_EQUAL(6, available);
  REQUIRE(count >= 4 && memcmp(bytes, "abcd", 4) == 0);
  REQUIRE_OK(nps_pipe_read(s.pipe, bytes, sizeof bytes, &count));
  REQUIRE(count == 6 && memcmp(bytes, "abcdef", 6) == 0);
  script_end(&s);
}
