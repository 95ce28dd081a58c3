/* Vectored reads and writes of both ends at once, while one end is closed: R1, R4, R5, W1, W5, X1. */
#include "race.h"

enum { MOST_PARTS = 6, MOST_BYTES = 6000 };

/* A call's memory in up to MOST_PARTS buffers, some of them of no byte. */
typedef struct parts {
  nps_buffer of[MOST_PARTS];
  uint32_t count;
} parts;

static parts parts_of(char *memory, size_t size, chance *random) {
  parts made = {.count = 0};
  const uint32_t most = 1 + chance_below(random, MOST_PARTS);
  while (made.count + 1 < most) {
    const size_t part = chance_is(random, 20) ? 0 : chance_below(random, (uint32_t)size + 1);
    made.of[made.count++] = (nps_buffer){part == 0 ? NULL : memory, part};
    memory += part;
    size -= part;
  }
  made.of[made.count++] = (nps_buffer){memory, size};
  return made;
}

typedef struct stream {
  uint64_t seed;
  uint64_t sent; /* bytes that were accepted */
  uint64_t received;
  uint64_t messages, messages_received;
} stream;

typedef struct leaving {
  hub *h;
  duo both;
  nps_pipe *goes, *stays; /* which end is closed, and which is not */
  uint64_t stays_token;
  bool message;
  stream away, back; /* from the end that goes, and to it */
  sys_atomic over; /* close has returned */
} leaving;

static size_t leaving_size(uint64_t number) {
  return 1 + (size_t)(number * 7919) % MOST_BYTES;
}

/* Sends the next piece; *count as nps_pipe_write_vector has it. */
static nps_result leaving_send(leaving *l, nps_pipe *pipe, stream *s, size_t *count, chance *random) {
  char memory[MOST_BYTES];
  const size_t size = leaving_size(s->messages);
  *count = 0;
  pattern_fill(memory, size, s->seed, s->sent);
  const parts offer = parts_of(memory, size, random);
  nps_result result = nps_pipe_write_vector(pipe, offer.of, offer.count, count);
  if (result == NPS_OK) {
    REQUIRE(*count > 0 && *count <= size && (*count == size || !l->message)); /* W5 */
    s->sent += *count;
    s->messages++;
  } else {
    REQUIRE_EQUAL(0, *count);
  }
  return result;
}

static nps_result leaving_receive(leaving *l, nps_pipe *pipe, stream *s, size_t *count, chance *random) {
  char memory[MOST_BYTES + 1];
  *count = 0;
  const parts room = parts_of(memory, l->message ? sizeof memory : 1 + chance_below(random, sizeof memory), random);
  nps_result result = nps_pipe_read_vector(pipe, room.of, room.count, count);
  if (result == NPS_OK) {
    REQUIRE(!l->message || *count == leaving_size(s->messages_received)); /* R4: whole, since there is room */
    pattern_require(memory, *count, s->seed, s->received);
    s->received += *count;
    s->messages_received++;
  } else {
    REQUIRE_EQUAL(0, *count);
  }
  return result;
}

/* On the end that goes: until it is closed, and no further. */
static void use_until_closed(leaving *l, stream *s, bool sends, chance *random) {
  nps_result result = NPS_OK;
  const uint64_t deadline = test_deadline();
  for (bool over = false; nps_result_status(result) != NPS_E_CLOSED;) {
    size_t count;
    REQUIRE(!over && !test_expired(deadline)); /* the call after the close has returned says closed */
    over = sys_atomic_get(&l->over) != 0;
    result = sends ? leaving_send(l, l->goes, s, &count, random) : leaving_receive(l, l->goes, s, &count, random);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK, NPS_E_CLOSED);
    if (count == 0)
      sys_yield();
  }
}

/* On the end that stays: until the other is gone. */
static void use_until_gone(leaving *l, stream *s, bool sends, chance *random) {
  const int32_t gone = sends ? NPS_E_BROKEN_PIPE : NPS_END_OF_STREAM;
  nps_result result = NPS_OK;
  while (nps_result_status(result) != gone) {
    size_t count;
    const int64_t before = hub_news(l->h, l->stays_token);
    result = sends ? leaving_send(l, l->stays, s, &count, random) : leaving_receive(l, l->stays, s, &count, random);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK, gone);
    if (nps_result_status(result) == NPS_WOULD_BLOCK)
      hub_await(l->h, l->stays_token, before);
    if (chance_is(random, 10))
      jitter(random);
  }
}

static void send_away(void *context, chance *random) {
  leaving *l = context;
  use_until_closed(l, &l->away, true, random);
}

static void receive_back(void *context, chance *random) {
  leaving *l = context;
  use_until_closed(l, &l->back, false, random);
}

static void receive_away(void *context, chance *random) {
  leaving *l = context;
  use_until_gone(l, &l->away, false, random);
}

static void send_back(void *context, chance *random) {
  leaving *l = context;
  use_until_gone(l, &l->back, true, random);
}

static void close_and_linger(void *context, chance *random) {
  leaving *l = context;
  for (uint32_t i = chance_below(random, 40); i > 0; i--)
    jitter(random);
  REQUIRE_ONE_OF(nps_pipe_close(l->goes, NPS_FOREVER), NPS_WOULD_BLOCK);
  sys_atomic_set(&l->over, 1);
}

static void leaving_begin(leaving *l, const char *name, uint32_t round) {
  nps_server_options options = server_options(NULL);
  options.mode = l->message ? NPS_MODE_MESSAGE : NPS_MODE_BYTE;
  options.read_ahead = round % 4 < 2 ? 65536 : 0;
  l->both = duo_new(l->h, name, options);
  l->goes = round % 2 == 0 ? l->both.server : l->both.client;
  l->stays = round % 2 == 0 ? l->both.client : l->both.server;
  l->stays_token = round % 2 == 0 ? 2 : 1;
  l->away = (stream){.seed = 2 * round};
  l->back = (stream){.seed = 2 * round + 1};
  sys_atomic_set(&l->over, 0);
}

static void vectors_meet_close(bool message, uint32_t rounds) {
  race *r = race_new();
  leaving *l = test_new(sizeof *l);
  const char *name = test_name();
  l->h = hub_new();
  l->message = message;
  hub_open(l->h);
  race_add(r, send_away, l);
  race_add(r, receive_away, l);
  race_add(r, send_back, l);
  race_add(r, receive_back, l);
  race_add(r, close_and_linger, l);
  for (uint32_t round = 0; round < rounds; round++) {
    leaving_begin(l, name, round);
    race_start(r, l->h->l->poll);
    hub_serve(l->h, r);
    REQUIRE_EQUAL(l->away.sent, l->away.received); /* W1, X1: what was accepted before the close arrives */
    REQUIRE(l->back.received <= l->back.sent);
    nps_pipe_release(l->goes);
    end_pipe(l->stays);
  }
  hub_close(l->h);
  race_end(r);
}

TEST(test_vectored_calls_of_both_ends_meet_a_close) { /* R5, W5, X1 */
  vectors_meet_close(false, race_rounds(400, 200));
}

TEST(test_vectored_messages_of_both_ends_meet_a_close) { /* R4, R5, W5, X1 */
  vectors_meet_close(true, race_rounds(400, 200));
}
