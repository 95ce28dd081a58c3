/* Connections that end while they are used: disconnect, relisten and the peer's close against reads, writes and connects: C3, C6,
 * C7, C8, R3, W3, W4. A connection's bytes are the pattern of its number, so that a byte of another one shows. */
#include "race.h"

typedef struct meeting {
  hub *h;
  nps_pipe *server; /* token 1 */
  const char *name;
  peer *client;
  uint64_t number; /* of the connection */
  bool listen; /* disconnect listens again */
  size_t size; /* bytes that the client sends */
  sys_atomic over; /* disconnect has returned */
  sys_atomic accepted; /* bytes that the server's writes were told OK for */
  sys_atomic received;
  sys_atomic errors; /* that take_error gave */
  sys_atomic idle; /* threads that will not touch the connection any more */
} meeting;

static meeting *meeting_new(void) {
  meeting *made = test_new(sizeof *made);
  made->h = hub_new();
  made->name = test_name();
  hub_open(made->h);
  made->server = server_new(made->name);
  register_pipe(made->h->l, made->server, 1);
  return made;
}

static void meeting_begin(meeting *m, uint64_t number) {
  m->number = number;
  m->size = 20000;
  sys_atomic_set(&m->over, 0);
  sys_atomic_set(&m->accepted, 0);
  sys_atomic_set(&m->received, 0);
  sys_atomic_set(&m->errors, 0);
  sys_atomic_set(&m->idle, 0);
}

static void meeting_connect(meeting *m) {
  REQUIRE_ONE_OF(nps_pipe_connect(m->server), NPS_WOULD_BLOCK);
  m->client = peer_open(m->name);
  loop_reset(m->h->l, 1);
  loop_connect(m->h->l, 1, m->server);
}

static void meeting_end(meeting *m, race *r) {
  end_pipe(m->server);
  hub_close(m->h);
  race_end(r);
}

static void disconnect_it(void *context, chance *random) {
  meeting *m = context;
  for (uint32_t i = chance_below(random, 6); i > 0; i--)
    jitter(random);
  REQUIRE_ONE_OF(nps_pipe_disconnect(m->server, m->listen), NPS_WOULD_BLOCK);
  sys_atomic_set(&m->over, 1);
}

/* ---- C7: reads ---- */

static void client_sends(void *context, chance *random) {
  meeting *m = context;
  char memory[3000];
  for (size_t sent = 0; sent < m->size && sys_atomic_get(&m->over) == 0;) {
    size_t part = 1 + chance_below(random, sizeof memory);
    part = part < m->size - sent ? part : m->size - sent;
    pattern_fill(memory, part, m->number, sent);
    if (!peer_send(m->client, memory, part))
      return;
    sent += part;
    if (chance_is(random, 30))
      jitter(random);
  }
}

static void read_until_disconnected(void *context, chance *random) {
  meeting *m = context;
  char memory[4000];
  size_t have = 0;
  bool over = false;
  while (!over) {
    size_t count;
    over = sys_atomic_get(&m->over) != 0;
    nps_result result = read_pipe(m->server, memory, 1 + chance_below(random, sizeof memory), &count);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK, NPS_E_NOT_CONNECTED);
    REQUIRE(!over || count == 0);
    pattern_require(memory, count, m->number, have);
    have += count;
    if (count == 0)
      sys_yield();
  }
}

TEST(test_no_byte_of_a_connection_is_read_after_disconnect) { /* C7, rule 3 */
  race *r = race_new();
  meeting *m = meeting_new();
  race_add(r, client_sends, m);
  race_add(r, read_until_disconnected, m);
  race_add(r, disconnect_it, m);
  const uint32_t rounds = race_rounds(1500, 250);
  for (uint32_t round = 0; round < rounds; round++) {
    meeting_begin(m, round);
    m->listen = round % 2 == 0;
    meeting_connect(m);
    race_start(r, m->h->l->poll);
    hub_serve(m->h, r);
    peer_close(m->client);
  }
  meeting_end(m, r);
}

/* ---- C7: writes ---- */

static void client_receives(void *context, chance *random) {
  meeting *m = context;
  char memory[4000];
  for (;;) {
    ptrdiff_t got = peer_receive(m->client, memory, 1 + chance_below(random, sizeof memory));
    REQUIRE(got >= 0);
    if (got == 0)
      return;
    pattern_require(memory, (size_t)got, m->number, (uint64_t)sys_atomic_get(&m->received));
    (void)sys_atomic_add(&m->received, got);
    if (chance_is(random, 10))
      jitter(random);
  }
}

static void write_until_disconnected(void *context, chance *random) {
  meeting *m = context;
  char memory[4000];
  bool over = false;
  while (!over) {
    size_t count;
    const size_t part = 1 + chance_below(random, sizeof memory);
    pattern_fill(memory, part, m->number, (uint64_t)sys_atomic_get(&m->accepted));
    over = sys_atomic_get(&m->over) != 0;
    nps_result result = write_pipe(m->server, memory, part, &count);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK, NPS_E_NOT_CONNECTED);
    REQUIRE(!over || count == 0); /* nobody has connected since */
    (void)sys_atomic_add(&m->accepted, (int64_t)count);
    if (count == 0)
      sys_yield();
  }
}

TEST(test_no_byte_for_a_connection_is_written_after_disconnect) { /* C7, rule 3 */
  race *r = race_new();
  meeting *m = meeting_new();
  race_add(r, client_receives, m);
  race_add(r, write_until_disconnected, m);
  race_add(r, disconnect_it, m);
  const uint32_t rounds = race_rounds(600, 200);
  for (uint32_t round = 0; round < rounds; round++) {
    meeting_begin(m, round);
    m->listen = round % 2 == 0;
    meeting_connect(m);
    race_start(r, m->h->l->poll);
    hub_serve(m->h, r);
    REQUIRE(sys_atomic_get(&m->received) <= sys_atomic_get(&m->accepted));
    peer_close(m->client);
  }
  meeting_end(m, r);
}

/* ---- C8: the next client is there already ---- */

enum { GREETING = 64 };

static void greet(peer *by, uint64_t number, chance *random) {
  char memory[GREETING];
  pattern_fill(memory, GREETING, number, 0);
  const size_t first = chance_below(random, GREETING + 1);
  if (first > 0 && !peer_send(by, memory, first))
    return;
  jitter(random);
  (void)(first < GREETING && peer_send(by, memory + first, GREETING - first));
}

static void old_client_greets(void *context, chance *random) {
  meeting *m = context;
  greet(m->client, m->number, random);
  sys_atomic_set(&m->idle, 1);
}

static void new_client_comes(void *context, chance *random) {
  meeting *m = context;
  peer *next = NULL;
  uint64_t deadline = test_deadline();
  for (peer_open_status status = PEER_BUSY; status != PEER_OPENED;) {
    status = peer_try_open(m->name, &next);
    REQUIRE(status == PEER_OPENED || status == PEER_BUSY); /* C8: never not found */
    REQUIRE(!test_expired(deadline));
    if (status == PEER_BUSY)
      sys_yield();
  }
  greet(next, m->number + 1, random);
  await_value(&m->over, 1);
  await_value(&m->received, GREETING);
  await_value(&m->idle, 1);
  peer_close(m->client);
  m->client = next;
}

static void read_both_greetings(void *context, chance *random) {
  meeting *m = context;
  char memory[GREETING];
  size_t old = 0, next = 0;
  uint64_t deadline = test_deadline();
  while (next < GREETING) {
    size_t count;
    const bool over = sys_atomic_get(&m->over) != 0;
    nps_result result = read_pipe(m->server, memory, 1 + chance_below(random, GREETING), &count);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK);
    REQUIRE(!test_expired(deadline));
    if (count > 0 && !over && next == 0 && pattern_matches(memory, count, m->number, old)) {
      old += count;
    } else if (count > 0) {
      pattern_require(memory, count, m->number + 1, next);
      next += count;
    } else {
      sys_yield();
    }
  }
  sys_atomic_set(&m->received, GREETING);
}

TEST(test_the_next_client_gets_a_clean_connection_at_once) { /* C7, C8 */
  race *r = race_new();
  meeting *m = meeting_new();
  race_add(r, old_client_greets, m);
  race_add(r, new_client_comes, m);
  race_add(r, read_both_greetings, m);
  race_add(r, disconnect_it, m);
  const uint32_t rounds = race_rounds(1500, 200);
  meeting_connect(m);
  for (uint32_t round = 0; round < rounds; round++) {
    meeting_begin(m, round);
    m->listen = true;
    race_start(r, m->h->l->poll);
    hub_serve(m->h, r);
  }
  peer_close(m->client);
  meeting_end(m, r);
}

/* ---- C3, C8: connect against disconnect ---- */

static void connect_often(void *context, chance *random) {
  meeting *m = context;
  for (int i = 0; i < 3; i++) {
    jitter(random);
    REQUIRE_ONE_OF(nps_pipe_connect(m->server), NPS_WOULD_BLOCK);
  }
  (void)sys_atomic_add(&m->idle, 1);
  REQUIRE_OK(nps_poll_wake(m->h->l->poll, 1));
}

static void disconnect_often(void *context, chance *random) {
  meeting *m = context;
  for (int i = 0; i < 3; i++) {
    jitter(random);
    REQUIRE_ONE_OF(nps_pipe_disconnect(m->server, (int32_t)chance_below(random, 2)), NPS_WOULD_BLOCK);
  }
  (void)sys_atomic_add(&m->idle, 1);
  REQUIRE_OK(nps_poll_wake(m->h->l->poll, 1));
}

static void come_and_be_served_or_cut_off(void *context, chance *random) {
  meeting *m = context;
  char byte = 0;
  jitter(random);
  peer *client = peer_open(m->name); /* tries again while busy: the server ends by listening */
  ptrdiff_t got = peer_receive(client, &byte, 1);
  REQUIRE(got == 0 || (got == 1 && byte == 'x')); /* no hang: -1 */
  peer_close(client);
}

/* Once the others leave it alone, the server serves whoever is there. */
static void serve_when_left_alone(meeting *m, race *until, int64_t others) {
  bool over = false, served = false;
  while (!over) {
    nps_event events[4];
    uint32_t count = 0;
    if (!served && sys_atomic_get(&m->idle) == others) {
      nps_result result = nps_pipe_connect(m->server);
      REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK);
      served = result == NPS_OK;
      if (served)
        (void)try_write(m->server); /* or the client is gone */
    }
    REQUIRE_OK(nps_poll_wait(m->h->l->poll, events, 4, TEST_DEADLINE_MS, &count));
    REQUIRE(count > 0);
    for (uint32_t i = 0; i < count; i++)
      over = over || (events[i].readiness == NPS_WAKE && events[i].token == WAKE_FINISHED);
  }
  race_join(until);
}

TEST(test_a_client_is_served_or_cut_off_while_connects_are_cancelled) { /* C3, C4, C8 */
  race *r = race_new();
  meeting *m = meeting_new();
  race_add(r, connect_often, m);
  race_add(r, disconnect_often, m);
  race_add(r, disconnect_often, m);
  race_add(r, come_and_be_served_or_cut_off, m);
  const uint32_t rounds = race_rounds(1500, 200);
  for (uint32_t round = 0; round < rounds; round++) {
    meeting_begin(m, round);
    race_start(r, m->h->l->poll);
    serve_when_left_alone(m, r, 3);
    REQUIRE_OK(nps_pipe_disconnect(m->server, 0));
  }
  meeting_end(m, r);
}

/* ---- the peer closes ---- */

static void client_sends_and_closes(void *context, chance *random) {
  meeting *m = context;
  client_sends(m, random);
  jitter(random);
  peer_close(m->client);
}

static void read_all_and_the_end(void *context, chance *random) {
  meeting *m = context;
  char memory[4000];
  size_t have = 0, count = 1;
  while (count > 0) {
    count = hub_read(m->h, 1, m->server, memory, 1 + chance_below(random, sizeof memory));
    pattern_require(memory, count, m->number, have);
    have += count;
  }
  REQUIRE_EQUAL(m->size, have);
  REQUIRE_STATUS(NPS_END_OF_STREAM, try_read(m->server));
  await_at_least(&m->h->readiness[1][2], (int64_t)m->number + 1); /* NPS_CLOSED, once for each connection */
  REQUIRE_ONE_OF(nps_pipe_disconnect(m->server, 1), NPS_WOULD_BLOCK);
}

TEST(test_all_is_read_although_the_peer_closes) { /* R3, P8 */
  race *r = race_new();
  meeting *m = meeting_new();
  race_add(r, client_sends_and_closes, m);
  race_add(r, read_all_and_the_end, m);
  const uint32_t rounds = race_rounds(1000, 150);
  for (uint32_t round = 0; round < rounds; round++) {
    meeting_begin(m, round);
    m->size = chance_below(race_chance(r), 10000);
    meeting_connect(m);
    REQUIRE_OK(nps_pipe_reregister(m->server, 1, BOTH_INTERESTS)); /* what the connect took from the hub */
    race_start(r, m->h->l->poll);
    hub_serve(m->h, r);
  }
  meeting_end(m, r);
}

static void client_closes(void *context, chance *random) {
  meeting *m = context;
  for (uint32_t i = chance_below(random, 10); i > 0; i--)
    jitter(random);
  peer_close(m->client);
}

static void write_until_broken(void *context, chance *random) {
  meeting *m = context;
  static char s_memory[30000];
  while (hub_write(m->h, 1, m->server, s_memory, 1 + chance_below(random, sizeof s_memory)) > 0) {}
  REQUIRE_STATUS(NPS_E_BROKEN_PIPE, try_write(m->server)); /* W3: and goes on failing */
  sys_atomic_set(&m->over, 1);
}

static void take_errors(void *context, chance *random) {
  meeting *m = context;
  bool over = false;
  while (!over) {
    nps_result error = 1;
    over = sys_atomic_get(&m->over) != 0;
    REQUIRE_OK(nps_pipe_take_error(m->server, &error));
    REQUIRE_ONE_OF(error, NPS_E_BROKEN_PIPE);
    (void)sys_atomic_add(&m->errors, error != NPS_OK);
    if (chance_is(random, 50))
      sys_yield();
  }
}

TEST(test_an_error_is_taken_once) { /* W3, W4 */
  race *r = race_new();
  meeting *m = meeting_new();
  race_add(r, client_closes, m);
  race_add(r, write_until_broken, m);
  race_add(r, take_errors, m);
  race_add(r, take_errors, m);
  const uint32_t rounds = race_rounds(1000, 150);
  for (uint32_t round = 0; round < rounds; round++) {
    meeting_begin(m, round);
    meeting_connect(m);
    const int64_t reported = sys_atomic_get(&m->h->readiness[1][3]);
    race_start(r, m->h->l->poll);
    hub_serve(m->h, r);
    (void)loop_pump(m->h->l, 0); /* what came with the last write */
    const bool told = sys_atomic_get(&m->h->readiness[1][3]) > reported || (m->h->l->seen[1] & NPS_ERROR) != 0;
    REQUIRE(sys_atomic_get(&m->errors) == 1 ||
            (sys_atomic_get(&m->errors) == 0 && !told)); /* taken before it was told: no event */
    REQUIRE_OK(nps_pipe_disconnect(m->server, 0));
  }
  meeting_end(m, r);
}

static void write_until_anything(void *context, chance *random) {
  meeting *m = context;
  static char s_memory[30000];
  while (sys_atomic_get(&m->over) == 0) {
    size_t count;
    REQUIRE_ONE_OF(write_pipe(m->server, s_memory, 1 + chance_below(random, sizeof s_memory), &count), NPS_WOULD_BLOCK,
        NPS_E_BROKEN_PIPE, NPS_E_NOT_CONNECTED);
    if (count == 0)
      sys_yield();
  }
}

static void disconnect_and_look_for_errors(void *context, chance *random) {
  meeting *m = context;
  nps_result error = 1;
  disconnect_it(m, random);
  REQUIRE_OK(nps_pipe_take_error(m->server, &error));
  REQUIRE_OK(error);
}

TEST(test_no_error_of_a_connection_is_taken_after_disconnect) { /* C7 */
  race *r = race_new();
  meeting *m = meeting_new();
  race_add(r, client_closes, m);
  race_add(r, write_until_anything, m);
  race_add(r, disconnect_and_look_for_errors, m);
  const uint32_t rounds = race_rounds(1500, 200);
  for (uint32_t round = 0; round < rounds; round++) {
    nps_result error = 1;
    meeting_begin(m, round);
    m->listen = round % 2 == 0;
    meeting_connect(m);
    race_start(r, m->h->l->poll);
    hub_serve(m->h, r);
    loop_pump(m->h->l, 0); /* what is on its way of the old connection */
    REQUIRE_OK(nps_pipe_take_error(m->server, &error));
    REQUIRE_OK(error);
  }
  meeting_end(m, r);
}
