/* Questions about a pipe while it is read, written and closed: F1, W8, I1, X2. */
#include <string.h>

#include "race.h"

enum { PIECES = 120, MOST_BYTES = 3000, PAUSE = 8 };

typedef struct asked {
  hub *h;
  duo both;
  nps_info info; /* as it was before the race */
  char user[NPS_USER_SIZE];
  bool closes; /* somebody closes the server in the middle */
  uint64_t seed;
  sys_atomic sent; /* bytes that the server was told OK for */
  sys_atomic received; /* bytes that the client has read */
  sys_atomic over; /* close has returned, or the stream is through */
} asked;

static bool is_closed(nps_result result) {
  return nps_result_status(result) == NPS_E_CLOSED;
}

/* All that was written has been read: that is what the drain state says, whoever asks for whatever beside. */
static bool await_drained(asked *a) {
  uint64_t unread = 77;
  const uint64_t deadline = test_deadline();
  while (sys_atomic_get(&a->received) < sys_atomic_get(&a->sent)) {
    if (is_closed(nps_pipe_drain_state(a->both.server, &unread)))
      return false;
    REQUIRE(!test_expired(deadline));
    sys_yield();
  }
  nps_result result = nps_pipe_drain_state(a->both.server, &unread);
  if (is_closed(result))
    return false;
  REQUIRE_STATUS(sys_is_windows() ? NPS_E_NOT_SUPPORTED : NPS_OK, result); /* W8 */
  REQUIRE(sys_is_windows() || unread == 0);
  return true;
}

static void write_and_drain(void *context, chance *random) {
  asked *a = context;
  char memory[MOST_BYTES];
  for (int i = 0; i < PIECES;) {
    const size_t size = 1 + chance_below(random, sizeof memory);
    size_t count;
    pattern_fill(memory, size, a->seed, (uint64_t)sys_atomic_get(&a->sent));
    nps_result result = write_pipe(a->both.server, memory, size, &count);
    if (is_closed(result))
      return;
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK);
    (void)sys_atomic_add(&a->sent, (int64_t)count);
    i += result == NPS_OK;
    if (result != NPS_OK)
      sys_yield(); /* no event comes if it is closed now */
    if (result == NPS_OK && i % PAUSE == 0 && !await_drained(a))
      return;
  }
  if (!a->closes)
    sys_atomic_set(&a->over, 1);
}

static void read_all(void *context, chance *random) {
  asked *a = context;
  char memory[MOST_BYTES];
  nps_result result = NPS_OK;
  while (nps_result_status(result) != NPS_END_OF_STREAM) {
    size_t count;
    result = read_pipe(a->both.client, memory, 1 + chance_below(random, sizeof memory), &count);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK, NPS_END_OF_STREAM, NPS_MORE_DATA);
    pattern_require(memory, count, a->seed, (uint64_t)sys_atomic_get(&a->received));
    (void)sys_atomic_add(&a->received, (int64_t)count);
    if (count == 0 && !a->closes && sys_atomic_get(&a->over) != 0 &&
        sys_atomic_get(&a->received) == sys_atomic_get(&a->sent))
      return;
    if (count == 0)
      sys_yield();
  }
}

static nps_result ask_info(asked *a) {
  nps_info info = {.size = sizeof info};
  nps_result result = nps_pipe_info(a->both.server, &info);
  if (result == NPS_OK)
    REQUIRE(info.direction == a->info.direction && info.mode == a->info.mode && info.end == NPS_END_SERVER &&
            info.out_buffer_size == a->info.out_buffer_size && info.max_message == a->info.max_message);
  return result;
}

static nps_result ask_who(asked *a, bool process) {
  char user[NPS_USER_SIZE];
  uint32_t id = 0;
  nps_result result =
      process ? nps_pipe_peer_process(a->both.server, &id) : nps_pipe_peer_user(a->both.server, user, sizeof user);
  if (result == NPS_OK && process)
    REQUIRE_EQUAL(sys_process_id(), id);
  if (result == NPS_OK && !process)
    REQUIRE(strcmp(user, a->user) == 0);
  return result;
}

static nps_result ask_something(asked *a, chance *random) {
  size_t count = 0;
  uint64_t number = 0;
  intptr_t handle = 0;
  switch (chance_below(random, 7)) {
  case 0:
    return ask_info(a);
  case 1:
    return ask_who(a, true);
  case 2:
    return ask_who(a, false);
  case 3:
    return nps_pipe_drain_state(a->both.server, &number);
  case 4:
    return nps_pipe_peek(a->both.server, NULL, 0, &count, &number); /* nobody writes to it */
  case 5:
    return nps_pipe_os_handle(a->both.server, &handle);
  default:
    return nps_pipe_flush_state(a->both.server, &number);
  }
}

static void ask_on(void *context, chance *random) {
  asked *a = context;
  for (bool over = false; !over;) {
    over = sys_atomic_get(&a->over) != 0;
    nps_result result = ask_something(a, random);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK, NPS_E_NOT_SUPPORTED, a->closes ? NPS_E_CLOSED : NPS_OK);
    if (over && a->closes)
      REQUIRE_STATUS(NPS_E_CLOSED, result); /* X2 */
    if (chance_is(random, 10))
      jitter(random);
  }
}

static void close_in_the_middle(void *context, chance *random) {
  asked *a = context;
  if (!a->closes)
    return;
  for (uint32_t i = chance_below(random, 200); i > 0; i--)
    jitter(random);
  REQUIRE_OK(nps_pipe_abort(a->both.server));
  sys_atomic_set(&a->over, 1);
}

/* A word from the client, so that its user is known on Windows too; and what the questions are to answer. */
static void asked_begin(asked *a, const char *name, uint32_t round) {
  nps_server_options options = server_options(NULL);
  char byte;
  a->both = duo_new(a->h, name, options);
  a->closes = round % 2 == 0;
  a->seed = round;
  sys_atomic_set(&a->sent, 0);
  sys_atomic_set(&a->received, 0);
  sys_atomic_set(&a->over, 0);
  REQUIRE_EQUAL(1, hub_write(a->h, 2, a->both.client, "!", 1));
  REQUIRE_EQUAL(1, loop_read(a->h->l, 1, a->both.server, &byte, 1));
  a->info = (nps_info){.size = sizeof a->info};
  REQUIRE_OK(nps_pipe_info(a->both.server, &a->info));
  REQUIRE_OK(nps_pipe_peer_user(a->both.server, a->user, sizeof a->user));
}

TEST(test_questions_beside_writes_and_a_close) { /* F1, W8, I1, X2 */
  race *r = race_new();
  asked *a = test_new(sizeof *a);
  const char *name = test_name();
  a->h = hub_new();
  hub_open(a->h);
  race_add(r, write_and_drain, a);
  race_add(r, read_all, a);
  race_add(r, ask_on, a);
  race_add(r, ask_on, a);
  race_add(r, close_in_the_middle, a);
  const uint32_t rounds = race_rounds(200, 30);
  for (uint32_t round = 0; round < rounds; round++) {
    asked_begin(a, name, round);
    race_start(r, a->h->l->poll);
    hub_serve(a->h, r);
    REQUIRE(sys_atomic_get(&a->received) <= sys_atomic_get(&a->sent));
    REQUIRE(a->closes || sys_atomic_get(&a->received) == sys_atomic_get(&a->sent));
    end_pipe(a->both.client);
    (void)nps_pipe_abort(a->both.server); /* it may be closed */
    nps_pipe_release(a->both.server);
  }
  hub_close(a->h);
  race_end(r);
}
