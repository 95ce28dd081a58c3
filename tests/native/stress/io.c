/* Reads and writes of one pipe by several threads, while another waits: R1, R5, W1, W2, P2. */
#include "pieces.h"
#include "race.h"

enum { ROUND_BYTES = 60000, MOST_PIECES = ROUND_BYTES };

typedef struct stream {
  hub *h;
  uint64_t token;
  nps_pipe *pipe;
  peer *end;
  uint64_t seed;
  size_t size; /* of one round, and of one thread */
  size_t most; /* bytes of one call */
  pieces *log;
  sys_atomic *left; /* of the round: bytes that nobody has read; writers that are not through */
} stream;

static stream *stream_new(hub *h, linked with, uint64_t seed, size_t most) {
  stream *made = test_new(sizeof *made);
  made->h = h;
  made->token = with.token;
  made->pipe = with.pipe;
  made->end = with.peer;
  made->seed = seed;
  made->size = ROUND_BYTES;
  made->most = most;
  return made;
}

static void read_some_of_it(void *context, chance *random) {
  stream *s = context;
  while (sys_atomic_get(s->left) > 0) {
    size_t count, want = 1 + chance_below(random, (uint32_t)s->most);
    const int64_t before = hub_news(s->h, s->token);
    want = want < s->log->room - s->log->have ? want : s->log->room - s->log->have;
    nps_result result = read_pipe(s->pipe, s->log->bytes + s->log->have, want, &count);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK);
    if (count > 0) {
      pieces_add(s->log, count);
      (void)sys_atomic_add(s->left, -(int64_t)count);
    }
    uint64_t deadline = test_deadline();
    while (count == 0 && want > 0 && sys_atomic_get(s->left) > 0 && hub_news(s->h, s->token) == before) {
      REQUIRE(!test_expired(deadline)); /* P2: there is more to come, so there must be news */
      sys_yield();
    }
    if (chance_is(random, 10))
      jitter(random);
  }
}

static void send_all_of_it(void *context, chance *random) {
  stream *s = context;
  char memory[5000];
  for (size_t sent = 0; sent < s->size;) {
    size_t part = 1 + chance_below(random, sizeof memory);
    part = part < s->size - sent ? part : s->size - sent;
    pattern_fill(memory, part, s->seed, sent);
    REQUIRE(peer_send(s->end, memory, part));
    sent += part;
    jitter(random);
  }
}

/* One pipe, `rounds` rounds: two threads read what a peer sends. */
static void two_readers(side ours, uint32_t read_ahead, size_t most, uint32_t rounds) {
  race *r = race_new();
  hub *h = hub_new();
  hub_open(h);
  nps_server_options options = server_options(NULL);
  options.read_ahead = read_ahead;
  linked a = link_new_with(h->l, 1, ours, options);
  stream *s[3];
  sys_atomic *left = test_new(sizeof *left);
  char *expected = test_new(ROUND_BYTES);
  for (int i = 0; i < 3; i++) {
    s[i] = stream_new(h, a, 0, most);
    s[i]->left = left;
    s[i]->log = pieces_new(ROUND_BYTES, MOST_PIECES);
    race_add(r, i < 2 ? read_some_of_it : send_all_of_it, s[i]);
  }
  for (uint32_t round = 0; round < rounds; round++) {
    for (int i = 0; i < 3; i++) {
      s[i]->seed = round;
      pieces_clear(s[i]->log);
    }
    sys_atomic_set(left, ROUND_BYTES);
    race_start(r, h->l->poll);
    hub_serve(h, r);
    pattern_fill(expected, ROUND_BYTES, round, 0);
    pieces_require_merge(expected, ROUND_BYTES, s[0]->log, s[1]->log);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe)); /* none twice */
  }
  link_end(a);
  hub_close(h);
  race_end(r);
}

TEST(test_two_readers_get_each_byte_once) { /* R5 */
  two_readers(OUR_SERVER, 65536, 3000, race_rounds(100, 30));
  two_readers(OUR_CLIENT, 65536, 40, race_rounds(50, 10)); /* the shorter, the more often they meet */
}

TEST(test_two_readers_without_a_buffer_get_each_byte_once) { /* R5 */
  two_readers(OUR_SERVER, 0, 3000, race_rounds(60, 20));
  two_readers(OUR_CLIENT, 0, 40, race_rounds(30, 2));
}

static void write_pieces(void *context, chance *random) {
  stream *s = context;
  while (s->log->have < s->size) {
    size_t part = 1 + chance_below(random, (uint32_t)s->most);
    part = part < s->size - s->log->have ? part : s->size - s->log->have;
    pattern_fill(s->log->bytes + s->log->have, part, s->seed, s->log->have);
    size_t count = hub_write(s->h, s->token, s->pipe, s->log->bytes + s->log->have, part);
    REQUIRE(count > 0);
    pieces_add(s->log, count);
    if (chance_is(random, 10))
      jitter(random);
  }
}

typedef struct receiving {
  peer *end;
  char *memory;
  size_t size;
} receiving;

static void receive_all_of_it(void *context, chance *random) {
  receiving *all = context;
  for (size_t have = 0; have < all->size;) {
    size_t part = 1 + chance_below(random, 9000);
    part = part < all->size - have ? part : all->size - have;
    ptrdiff_t got = peer_receive(all->end, all->memory + have, part);
    REQUIRE(got > 0);
    have += (size_t)got;
    if (chance_is(random, 30))
      jitter(random);
  }
}

TEST(test_what_two_writers_write_arrives_whole_and_in_order) { /* W1, W2: what one call accepted stays together */
  race *r = race_new();
  hub *h = hub_new();
  hub_open(h);
  nps_server_options options = server_options(NULL);
  options.write_limit = 20000;
  linked a = link_new_with(h->l, 1, chance_is(race_chance(r), 50) ? OUR_SERVER : OUR_CLIENT, options);
  stream *s[2];
  receiving *all = test_new(sizeof *all);
  *all = (receiving){a.peer, test_new(2 * ROUND_BYTES), 2 * ROUND_BYTES};
  for (int i = 0; i < 2; i++) {
    s[i] = stream_new(h, a, (uint64_t)i, 30000);
    s[i]->log = pieces_new(ROUND_BYTES, MOST_PIECES);
    race_add(r, write_pieces, s[i]);
  }
  race_add(r, receive_all_of_it, all);
  const uint32_t rounds = race_rounds(300, 40);
  for (uint32_t round = 0; round < rounds; round++) {
    for (int i = 0; i < 2; i++) {
      pieces_clear(s[i]->log);
      s[i]->seed = 2 * round + (uint64_t)i;
      s[i]->most = round % 2 == 0 ? 30000 : 300;
    }
    race_start(r, h->l->poll);
    hub_serve(h, r);
    pieces_require_merge(all->memory, all->size, s[0]->log, s[1]->log);
    REQUIRE(peer_nothing_there(a.peer));
  }
  link_end(a);
  hub_close(h);
  race_end(r);
}

static void read_stream(void *context, chance *random) {
  stream *s = context;
  char memory[9000];
  for (size_t have = 0; have < s->size;) {
    size_t part = 1 + chance_below(random, (uint32_t)s->most);
    part = part < s->size - have ? part : s->size - have;
    size_t count = hub_read(s->h, s->token, s->pipe, memory, part);
    REQUIRE(count > 0);
    pattern_require(memory, count, s->seed, have);
    have += count;
  }
}

static void write_stream(void *context, chance *random) {
  stream *s = context;
  char memory[9000];
  for (size_t sent = 0; sent < s->size;) {
    size_t part = 1 + chance_below(random, (uint32_t)s->most);
    part = part < s->size - sent ? part : s->size - sent;
    pattern_fill(memory, part, s->seed, sent);
    size_t count = hub_write(s->h, s->token, s->pipe, memory, part);
    REQUIRE(count > 0);
    sent += count;
  }
}

/* Readers and writers of both ends, and what one more thread does beside them. */
static void both_ways(racer_run *beside, uint32_t rounds) {
  race *r = race_new();
  hub *h = hub_new();
  hub_open(h);
  duo both = duo_new(h, test_name(), server_options(NULL));
  stream *s[4];
  for (int i = 0; i < 4; i++) { /* 0 writes to 1, 2 to 3 */
    const bool server = i == 0 || i == 3;
    s[i] = stream_new(h, (linked){server ? both.server : both.client, NULL, server ? 1 : 2}, 0, 9000);
    s[i]->size = 300000;
    race_add(r, i % 2 == 0 ? write_stream : read_stream, s[i]);
  }
  sys_atomic *left = test_new(sizeof *left);
  stream *queries = stream_new(h, (linked){both.server, NULL, 1}, 0, 0);
  queries->left = left;
  if (beside != NULL)
    race_add(r, beside, queries);
  for (uint32_t round = 0; round < rounds; round++) {
    for (int i = 0; i < 4; i++)
      s[i]->seed = 2 * round + (uint64_t)i / 2;
    race_start(r, h->l->poll);
    hub_serve(h, r);
  }
  duo_end(&both);
  hub_close(h);
  race_end(r);
}

TEST(test_both_ends_are_read_and_written_at_once) { /* R5 */
  both_ways(NULL, race_rounds(40, 10));
}

static void ask_everything(void *context, chance *random) {
  stream *s = context;
  for (int i = 0; i < 300; i++) {
    size_t count = 1;
    uint64_t unsent = 0;
    intptr_t handle = 0;
    nps_result error = 1;
    REQUIRE_OK(nps_pipe_read(s->pipe, NULL, 0, &count)); /* R2 */
    REQUIRE_EQUAL(0, count);
    REQUIRE_OK(nps_pipe_write(s->pipe, NULL, 0, &count)); /* W6 */
    REQUIRE_EQUAL(0, count);
    REQUIRE_ONE_OF(nps_pipe_flush_state(s->pipe, &unsent), NPS_WOULD_BLOCK);
    REQUIRE(unsent <= 65536);
    REQUIRE_OK(nps_pipe_take_error(s->pipe, &error));
    REQUIRE_OK(error);
    REQUIRE_OK(nps_pipe_os_handle(s->pipe, &handle));
    REQUIRE_OK(nps_pipe_connect(s->pipe)); /* C2: it is connected */
    REQUIRE_STATUS(NPS_E_ALREADY_REGISTERED, nps_pipe_export(s->pipe, &handle));
    jitter(random);
  }
}

TEST(test_questions_do_not_disturb_a_stream) { /* R2, W6, C2 */
  both_ways(ask_everything, race_rounds(30, 8));
}

/* ---- the edge: a byte that comes while the call is about to say would-block ---- */

static void send_one(void *context, chance *random) {
  stream *s = context;
  jitter(random);
  REQUIRE(peer_send(s->end, "x", 1));
}

static void read_one(void *context, chance *random) {
  stream *s = context;
  char byte = 0;
  (void)random;
  REQUIRE_EQUAL(1, hub_read(s->h, s->token, s->pipe, &byte, 1));
}

static void one_byte_races_with_would_block(side ours, uint32_t read_ahead, uint32_t rounds) {
  race *r = race_new();
  hub *h = hub_new();
  hub_open(h);
  nps_server_options options = server_options(NULL);
  options.read_ahead = read_ahead;
  linked a = link_new_with(h->l, 1, ours, options);
  race_add(r, send_one, stream_new(h, a, 0, 0));
  race_add(r, read_one, stream_new(h, a, 0, 0));
  for (uint32_t round = 0; round < rounds; round++) {
    race_start(r, h->l->poll);
    hub_serve(h, r);
  }
  link_end(a);
  hub_close(h);
  race_end(r);
}

TEST(test_data_that_comes_with_a_would_block_is_news) { /* P2: never a missing event */
  one_byte_races_with_would_block(OUR_SERVER, 65536, race_rounds(3000, 600));
  one_byte_races_with_would_block(OUR_CLIENT, 0, race_rounds(3000, 300));
}

typedef struct filling {
  stream *s;
  sys_atomic *full; /* bytes that the writer wrote, at least */
  sys_atomic *blocked; /* it got would-block, `full` is final */
} filling;

static void make_room(void *context, chance *random) {
  filling *f = context;
  char memory[65536];
  await_at_least(f->full, 1);
  jitter(random);
  size_t got = 0;
  while (sys_atomic_get(f->blocked) == 0 || got < (size_t)sys_atomic_get(f->full)) {
    if (got >= (size_t)sys_atomic_get(f->full)) {
      sys_yield();
      continue;
    }
    ptrdiff_t one = peer_receive(f->s->end, memory, sizeof memory);
    REQUIRE(one > 0);
    got += (size_t)one;
  }
}

static void fill_and_write_one_more(void *context, chance *random) {
  filling *f = context;
  static char s_memory[65536];
  size_t count = 1, written = 0;
  nps_result result = NPS_OK;
  int64_t announced = 0, before = 0;
  while (result == NPS_OK) {
    before = hub_news(f->s->h, f->s->token);
    result = write_pipe(f->s->pipe, s_memory, sizeof s_memory, &count);
    written += count;
    if (announced == 0 && written > 100000) { /* the peer begins to read somewhere near the would-block */
      announced = 1;
      sys_atomic_set(f->full, (int64_t)written);
    }
    if (chance_is(random, 30))
      jitter(random);
    REQUIRE(written < 64u * 1024u * 1024u);
  }
  REQUIRE_STATUS(NPS_WOULD_BLOCK, result);
  sys_atomic_set(f->full, (int64_t)written);
  sys_atomic_set(f->blocked, 1);
  hub_await(f->s->h, f->s->token, before);
}

TEST(test_room_that_comes_with_a_would_block_is_news) { /* P2, W2 */
  race *r = race_new();
  hub *h = hub_new();
  hub_open(h);
  linked a = link_new(h->l, 1, OUR_SERVER);
  filling *f = test_new(sizeof *f);
  f->s = stream_new(h, a, 0, 0);
  f->full = test_new(sizeof *f->full);
  f->blocked = test_new(sizeof *f->blocked);
  race_add(r, make_room, f);
  race_add(r, fill_and_write_one_more, f);
  const uint32_t rounds = race_rounds(1000, 100);
  char memory[65536];
  for (uint32_t round = 0; round < rounds; round++) {
    sys_atomic_set(f->full, 0);
    sys_atomic_set(f->blocked, 0);
    race_start(r, h->l->poll);
    hub_serve(h, r);
    uint64_t unsent = 1;
    while (nps_result_status(nps_pipe_flush_state(a.pipe, &unsent)) == NPS_WOULD_BLOCK)
      (void)loop_pump(h->l, 0);
    while (!peer_nothing_there(a.peer))
      REQUIRE(peer_receive(a.peer, memory, sizeof memory) > 0);
  }
  link_end(a);
  hub_close(h);
  race_end(r);
}
