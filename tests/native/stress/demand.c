/* Pipes on demand: one thread reads, and waits for the event only after a would-block; another writes; a third changes or takes away the
 * registration in between. No event that a would-block was promised is missing, and no byte: P2, P5, P6, P10, R1, R3, C7. */
#include "race.h"

#define ON_DEMAND (BOTH_INTERESTS | NPS_INTEREST_ON_DEMAND)

enum { READER = 1, WRITER = 2, LONGEST = 9000 };

typedef struct flow {
  hub *h;
  nps_pipe *from, *to; /* tokens WRITER and READER */
  const char *name;
  uint64_t seed;
  size_t size; /* bytes of one round */
  bool closes; /* the writer closes behind them */
} flow;

/* Bytes, 0 at the end of stream. After a would-block only a readable event counts: to register anew may tell of the other direction. */
static size_t read_some(flow *f, void *memory, size_t size) {
  sys_atomic *readable = &f->h->readiness[READER][0];
  for (;;) {
    size_t count;
    const int64_t before = sys_atomic_get(readable);
    const nps_result result = read_pipe(f->to, memory, size, &count);
    if (result == NPS_OK || nps_result_status(result) == NPS_END_OF_STREAM)
      return count;
    REQUIRE_STATUS(NPS_WOULD_BLOCK, result);
    await_at_least(readable, before + 1);
  }
}

static void read_on_demand(void *context, chance *random) {
  flow *f = context;
  char memory[LONGEST];
  size_t have = 0;
  while (have < f->size) {
    const size_t room = 1 + chance_below(random, chance_is(random, 50) ? 20 : LONGEST);
    const size_t count = read_some(f, memory, room);
    REQUIRE(count > 0 && count <= f->size - have);
    pattern_require(memory, count, f->seed, have);
    have += count;
    if (chance_is(random, 20))
      jitter(random);
  }
  if (f->closes)
    REQUIRE_EQUAL(0, read_some(f, memory, 1)); /* R3 */
}

static void write_in_parts(flow *f, chance *random) {
  char memory[LONGEST];
  for (size_t sent = 0; sent < f->size;) {
    size_t part = 1 + chance_below(random, chance_is(random, 50) ? 20 : LONGEST);
    part = part < f->size - sent ? part : f->size - sent;
    pattern_fill(memory, part, f->seed, sent);
    sent += hub_write(f->h, WRITER, f->from, memory, part);
    jitter(random);
  }
}

static void write_all(void *context, chance *random) {
  write_in_parts(context, random);
}

static void register_anew(void *context, chance *random) {
  flow *f = context;
  /* Few: then there is none that could stand in for a missing event. */
  for (uint32_t left = 1 + chance_below(random, 12); left > 0; left--) {
    const uint32_t interest = chance_is(random, 70) ? ON_DEMAND : BOTH_INTERESTS;
    if (chance_is(random, 50)) {
      REQUIRE_OK(nps_pipe_reregister(f->to, READER, interest));
    } else {
      REQUIRE_OK(nps_pipe_deregister(f->to));
      jitter(random);
      REQUIRE_OK(nps_pipe_register(f->to, f->h->l->poll, READER, interest));
    }
    jitter(random);
  }
}

static flow *flow_new(void) {
  flow *f = test_new(sizeof *f);
  f->h = hub_new();
  hub_open(f->h);
  return f;
}

/* One connection, a round for each stream. */
static void stream_on_demand(bool server_reads, uint32_t read_ahead, racer_run *beside, uint32_t rounds) {
  race *r = race_new();
  flow *f = flow_new();
  nps_server_options options = server_options(NULL);
  options.read_ahead = read_ahead;
  duo both = duo_new(f->h, test_name(), options);
  f->from = server_reads ? both.client : both.server;
  f->to = server_reads ? both.server : both.client;
  REQUIRE_OK(nps_pipe_reregister(f->from, WRITER, ON_DEMAND));
  REQUIRE_OK(nps_pipe_reregister(f->to, READER, ON_DEMAND));
  race_add(r, read_on_demand, f);
  race_add(r, write_all, f);
  if (beside != NULL)
    race_add(r, beside, f);
  for (uint32_t round = 0; round < rounds; round++) {
    f->seed = round;
    f->size = round % 3 == 0 ? 40000 : 1 + chance_below(race_chance(r), 30);
    race_start(r, f->h->l->poll);
    hub_serve(f->h, r);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(f->to)); /* none twice */
  }
  duo_end(&both);
  hub_close(f->h);
  race_end(r);
}

TEST(test_on_demand_data_that_comes_with_a_would_block_is_news) { /* P2, P10 */
  stream_on_demand(true, 65536, NULL, race_rounds(1500, 500));
  stream_on_demand(false, 64, NULL, race_rounds(500, 150));
  stream_on_demand(true, 0, NULL, race_rounds(500, 150));
}

TEST(test_on_demand_no_registration_between_loses_an_event) { /* P2, P5, P6, P10 */
  stream_on_demand(false, 65536, register_anew, race_rounds(500, 300));
  stream_on_demand(true, 0, register_anew, race_rounds(300, 150));
}

/* ---- a connection for each round ---- */

static void write_and_close(void *context, chance *random) {
  flow *f = context;
  nps_client_options options = client_options(f->name);
  options.timeout_ms = TEST_DEADLINE_MS;
  REQUIRE_OK(nps_pipe_open(&options, &f->from));
  REQUIRE_OK(nps_pipe_register(f->from, f->h->l->poll, WRITER, ON_DEMAND));
  write_in_parts(f, random);
  REQUIRE_ONE_OF(nps_pipe_close(f->from, NPS_FOREVER), NPS_WOULD_BLOCK);
  nps_pipe_release(f->from);
}

/* Now and then asks for bytes before there is a client. */
static void serve_and_read(void *context, chance *random) {
  flow *f = context;
  for (;;) {
    const int64_t before = hub_news(f->h, READER);
    const nps_result result = nps_pipe_connect(f->to);
    if (result == NPS_OK)
      break;
    REQUIRE_STATUS(NPS_WOULD_BLOCK, result);
    size_t count;
    if (chance_is(random, 30))
      REQUIRE_ONE_OF(
          read_pipe(f->to, NULL, 0, &count), NPS_WOULD_BLOCK); /* takes nothing, should the client have come */
    hub_await(f->h, READER, before);
  }
  read_on_demand(f, random);
  REQUIRE_OK(nps_pipe_disconnect(f->to, 0));
}

TEST(test_on_demand_each_connection_is_read_to_its_end) { /* R3, C7, P10 */
  race *r = race_new();
  flow *f = flow_new();
  f->name = test_name();
  f->to = server_new(f->name);
  f->closes = true;
  REQUIRE_OK(nps_pipe_register(f->to, f->h->l->poll, READER, ON_DEMAND));
  race_add(r, write_and_close, f);
  race_add(r, serve_and_read, f);
  const uint32_t rounds = race_rounds(600, 400);
  for (uint32_t round = 0; round < rounds; round++) {
    f->seed = round;
    f->size = round % 4 == 0 ? 30000 : chance_below(race_chance(r), 30);
    race_start(r, f->h->l->poll);
    hub_serve(f->h, r);
  }
  end_pipe(f->to);
  hub_close(f->h);
  race_end(r);
}
