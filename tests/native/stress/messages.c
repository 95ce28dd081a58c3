/* Message pipes that several threads use at once: each message is read once, whole, by one of them; a peek takes nothing and shows the
 * next one; a half-close comes behind all that was accepted. R4, R5, W5, W6, W7, F1. */
#include "letters.h"
#include "race.h"

enum { MOST_BLOCKS = 200, ROUND_LETTERS = 150, WRITERS = 2 };

/* ---- several readers, several writers ---- */

typedef struct post {
  hub *h;
  duo both;
  nps_pipe *from, *to;
  uint64_t from_token, to_token;
  uint32_t most; /* blocks of a letter */
  sys_atomic turn; /* writers take numbers: 0 and 1 */
  sys_atomic left; /* letters that nobody has read */
  sys_atomic empty; /* ... and how many of those read were */
  sys_atomic seen[WRITERS * ROUND_LETTERS]; /* how often each of the others was read */
} post;

static post *post_new(bool server_reads, uint32_t read_ahead) {
  post *p = test_new(sizeof *p);
  nps_server_options options = server_options(NULL);
  options.mode = NPS_MODE_MESSAGE;
  options.read_ahead = read_ahead;
  p->h = hub_new();
  hub_open(p->h);
  p->both = duo_new(p->h, test_name(), options);
  p->from = server_reads ? p->both.client : p->both.server;
  p->to = server_reads ? p->both.server : p->both.client;
  p->from_token = server_reads ? 2 : 1;
  p->to_token = server_reads ? 1 : 2;
  return p;
}

static void post_end(post *p, race *r) {
  duo_end(&p->both);
  hub_close(p->h);
  race_end(r);
}

/* Writer 0 has the even numbers. */
static void send_letters(void *context, chance *random) {
  post *p = context;
  char memory[LETTER_BLOCK * MOST_BLOCKS];
  const uint64_t mine = (uint64_t)sys_atomic_add(&p->turn, 1) % WRITERS;
  for (uint64_t i = 0; i < ROUND_LETTERS; i++) {
    const uint64_t number = WRITERS * i + mine;
    const size_t size = letter_size(number, p->most);
    letter_fill(memory, number, size);
    REQUIRE_EQUAL(size, hub_write(p->h, p->from_token, p->from, memory, size));
    if (chance_is(random, 20))
      jitter(random);
  }
}

/* One letter, with room for more than that. Each writer's come in their order. */
static void take_letter(post *p, const char *memory, size_t size, uint64_t *least) {
  if (size == 0) {
    (void)sys_atomic_add(&p->empty, 1);
    return;
  }
  const letter_place first = letter_place_of(memory);
  REQUIRE(first.block == 0 && first.number < (uint64_t)WRITERS * ROUND_LETTERS);
  REQUIRE_EQUAL(letter_size(first.number, p->most), size);
  letter_require(memory, size, first);
  REQUIRE(first.number >= least[first.number % WRITERS]);
  least[first.number % WRITERS] = first.number + 1;
  REQUIRE_EQUAL(1, sys_atomic_add(&p->seen[first.number], 1));
}

static void read_letters(void *context, chance *random) {
  post *p = context;
  char memory[LETTER_BLOCK * MOST_BLOCKS + 1];
  uint64_t least[WRITERS] = {0};
  while (sys_atomic_get(&p->left) > 0) {
    size_t count;
    const int64_t before = hub_news(p->h, p->to_token);
    nps_result result = nps_pipe_read(p->to, memory, sizeof memory, &count);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK); /* R4: never a part, there is room for all of it */
    if (result == NPS_OK) {
      take_letter(p, memory, count, least);
      (void)sys_atomic_add(&p->left, -1);
    }
    const uint64_t deadline = test_deadline();
    while (result != NPS_OK && sys_atomic_get(&p->left) > 0 && hub_news(p->h, p->to_token) == before) {
      REQUIRE(!test_expired(deadline)); /* P2: there is more to come, so there must be news */
      sys_yield();
    }
    if (chance_is(random, 10))
      jitter(random);
  }
}

static int64_t empty_letters(void) {
  int64_t count = 0;
  for (uint64_t number = 0; number < (uint64_t)WRITERS * ROUND_LETTERS; number++)
    count += letter_size(number, 1) == 0;
  return count;
}

static void many_readers(bool server_reads, uint32_t read_ahead, uint32_t most, uint32_t rounds) {
  race *r = race_new();
  post *p = post_new(server_reads, read_ahead);
  p->most = most;
  for (int i = 0; i < 4; i++)
    race_add(r, i % 2 == 0 ? send_letters : read_letters, p);
  for (uint32_t round = 0; round < rounds; round++) {
    sys_atomic_set(&p->left, WRITERS * ROUND_LETTERS);
    sys_atomic_set(&p->empty, 0);
    for (uint64_t i = 0; i < WRITERS * ROUND_LETTERS; i++)
      sys_atomic_set(&p->seen[i], 0);
    race_start(r, p->h->l->poll);
    hub_serve(p->h, r);
    REQUIRE_EQUAL(empty_letters(), sys_atomic_get(&p->empty));
    for (uint64_t i = 0; i < WRITERS * ROUND_LETTERS; i++)
      REQUIRE_EQUAL(letter_size(i, most) != 0, sys_atomic_get(&p->seen[i]));
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(p->to)); /* none twice, no empty one invented */
  }
  post_end(p, r);
}

TEST(test_of_two_readers_one_gets_each_message_whole) { /* R4, R5, W5, W6 */
  many_readers(true, 65536, MOST_BLOCKS, race_rounds(150, 6));
  many_readers(false, 65536, 2, race_rounds(150, 6)); /* the shorter, the more often they meet */
}

TEST(test_of_two_readers_without_a_buffer_one_gets_each_message_whole) { /* R4, R5, rule 7 */
  many_readers(true, 0, 2, race_rounds(100, 3));
  many_readers(false, 0, MOST_BLOCKS, race_rounds(100, 3));
}

/* ---- peek beside read ---- */

enum { PEEK_LETTERS = 400, PART_BLOCKS = 5 };

typedef struct watch {
  post *p;
  sys_atomic place; /* number * 65536 + block: what comes before was read */
} watch;

static void send_in_order(void *context, chance *random) {
  post *p = ((watch *)context)->p;
  char memory[LETTER_BLOCK * MOST_BLOCKS];
  for (uint64_t number = 0; number < PEEK_LETTERS; number++) {
    const size_t size = letter_size(number, p->most);
    letter_fill(memory, number, size);
    REQUIRE_EQUAL(size, hub_write(p->h, p->from_token, p->from, memory, size));
    if (chance_is(random, 20))
      jitter(random);
  }
}

/* Whole blocks, mostly parts of a message. */
static void read_in_parts(void *context, chance *random) {
  watch *w = context;
  post *p = w->p;
  char memory[LETTER_BLOCK * PART_BLOCKS];
  letter_place at = {0, 0};
  while (at.number < PEEK_LETTERS) {
    size_t count;
    const int64_t before = hub_news(p->h, p->to_token);
    const size_t room = LETTER_BLOCK * (1 + chance_below(random, PART_BLOCKS));
    nps_result result = nps_pipe_read(p->to, memory, room, &count);
    if (nps_result_status(result) == NPS_WOULD_BLOCK) {
      REQUIRE(at.block == 0 || sys_is_windows()); /* the rest of a message is there, whatever a peek does */
      hub_await(p->h, p->to_token, before);
      continue;
    }
    REQUIRE_ONE_OF(result, NPS_MORE_DATA);
    letter_require(memory, count, at);
    at.block += count / LETTER_BLOCK;
    REQUIRE_EQUAL(result == NPS_OK, at.block * LETTER_BLOCK == letter_size(at.number, p->most));
    if (result == NPS_OK)
      at = (letter_place){at.number + 1, 0};
    sys_atomic_set(&w->place, (int64_t)(at.number << 16 | at.block));
    if (chance_is(random, 10))
      jitter(random);
  }
}

static letter_place watch_place(watch *w) {
  const uint64_t now = (uint64_t)sys_atomic_get(&w->place);
  return (letter_place){now >> 16, now & 65535};
}

/* It shows the next block to be read: not one that was read before, and no other than what one read more would come to. */
static void peek_all_the_time(void *context, chance *random) {
  watch *w = context;
  post *p = w->p;
  char memory[3 * LETTER_BLOCK];
  while (watch_place(w).number < PEEK_LETTERS) {
    size_t count = 77;
    uint64_t available = 77;
    const letter_place before = watch_place(w);
    nps_result result = nps_pipe_peek(p->to, memory, chance_is(random, 20) ? 0 : sizeof memory, &count, &available);
    const letter_place after = watch_place(w);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK);
    REQUIRE(count <= available && count % LETTER_BLOCK == 0);
    REQUIRE(result == NPS_OK || available == 0);
    if (count > 0) {
      const letter_place seen = letter_place_of(memory);
      letter_require(memory, count, seen);
      REQUIRE_EQUAL(letter_size(seen.number, p->most) - seen.block * LETTER_BLOCK, available);
      REQUIRE(seen.number > before.number || (seen.number == before.number && seen.block >= before.block));
      REQUIRE(seen.number <= after.number + 1);
      REQUIRE(seen.number <= after.number || seen.block == 0);
      REQUIRE(seen.number < after.number || seen.block <= after.block + PART_BLOCKS);
    }
    jitter(random);
  }
}

static void peek_meets_read(bool server_reads, uint32_t read_ahead, uint32_t rounds) {
  race *r = race_new();
  watch *w = test_new(sizeof *w);
  w->p = post_new(server_reads, read_ahead);
  w->p->most = 20;
  race_add(r, send_in_order, w);
  race_add(r, read_in_parts, w);
  race_add(r, peek_all_the_time, w);
  for (uint32_t round = 0; round < rounds; round++) {
    sys_atomic_set(&w->place, 0);
    race_start(r, w->p->h->l->poll);
    hub_serve(w->p->h, r);
  }
  post_end(w->p, r);
}

TEST(test_a_peek_beside_a_read_takes_nothing_and_shows_what_is_next) { /* F1, R4 */
  peek_meets_read(true, 65536, race_rounds(60, 2));
  peek_meets_read(false, 0, race_rounds(60, 2));
  peek_meets_read(true, 64, race_rounds(60, 2)); /* less is read ahead than a message has */
}

/* ---- half-close beside write ---- */

typedef struct farewell {
  hub *h;
  duo both;
  bool message;
  uint64_t seed;
  uint64_t sent, received; /* bytes */
  uint64_t messages, messages_received;
  sys_atomic over; /* a half-close has returned */
  sys_atomic first; /* half-closes that were the first */
} farewell;

static size_t farewell_size(uint64_t number) {
  return 1 + (size_t)(number * 7919) % 9000; /* none is empty: that is the end on Windows */
}

static void write_until_shut(void *context, chance *random) {
  farewell *f = context;
  char memory[9000];
  nps_result result = NPS_OK;
  while (nps_result_status(result) != NPS_E_CLOSED) {
    size_t count;
    const size_t size = farewell_size(f->messages);
    const bool over = sys_atomic_get(&f->over) != 0;
    const int64_t before = hub_news(f->h, 1);
    pattern_fill(memory, size, f->seed, f->sent);
    result = write_pipe(f->both.server, memory, size, &count);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK, NPS_E_CLOSED);
    REQUIRE(!over || nps_result_status(result) == NPS_E_CLOSED); /* W7 */
    REQUIRE(count == 0 || count == size || !f->message);
    f->sent += count;
    f->messages += result == NPS_OK;
    if (nps_result_status(result) == NPS_WOULD_BLOCK)
      hub_await(f->h, 1, before); /* a half-close is news too: the write has an answer then */
    if (chance_is(random, 20))
      jitter(random);
  }
}

static void shut_it(void *context, chance *random) {
  farewell *f = context;
  for (uint32_t i = chance_below(random, 30); i > 0; i--)
    jitter(random);
  for (;;) {
    const int64_t before = hub_news(f->h, 1);
    nps_result result = nps_pipe_shutdown(f->both.server);
    REQUIRE_ONE_OF(result, NPS_WOULD_BLOCK, NPS_E_CLOSED);
    if (result == NPS_OK)
      (void)sys_atomic_add(&f->first, 1);
    if (nps_result_status(result) != NPS_WOULD_BLOCK)
      break;
    hub_await(f->h, 1, before);
  }
  sys_atomic_set(&f->over, 1);
}

static void read_until_shut(void *context, chance *random) {
  farewell *f = context;
  char memory[10000];
  for (;;) {
    size_t count;
    const int64_t before = hub_news(f->h, 2);
    const size_t room = f->message ? sizeof memory : 1 + chance_below(random, sizeof memory);
    nps_result result = nps_pipe_read(f->both.client, memory, room, &count);
    if (nps_result_status(result) == NPS_WOULD_BLOCK) {
      hub_await(f->h, 2, before);
      continue;
    }
    REQUIRE_ONE_OF(result, NPS_END_OF_STREAM);
    if (count == 0) { /* W7: the end, or the empty message that stands for it */
      REQUIRE_STATUS(sys_is_windows() ? NPS_OK : NPS_END_OF_STREAM, result);
      return;
    }
    pattern_require(memory, count, f->seed, f->received);
    f->received += count;
    if (f->message)
      REQUIRE_EQUAL(farewell_size(f->messages_received), count);
    f->messages_received++;
    if (chance_is(random, 20))
      jitter(random);
  }
}

static void shutdown_meets_write(bool message, uint32_t rounds) {
  race *r = race_new();
  farewell *f = test_new(sizeof *f);
  nps_server_options options = server_options(NULL);
  const char *name = test_name();
  options.mode = message ? NPS_MODE_MESSAGE : NPS_MODE_BYTE;
  f->h = hub_new();
  f->message = message;
  hub_open(f->h);
  race_add(r, write_until_shut, f);
  race_add(r, read_until_shut, f);
  race_add(r, shut_it, f);
  race_add(r, shut_it, f);
  for (uint32_t round = 0; round < rounds; round++) {
    f->seed = round;
    f->sent = f->received = f->messages = f->messages_received = 0;
    sys_atomic_set(&f->over, 0);
    sys_atomic_set(&f->first, 0);
    f->both = duo_new(f->h, name, options);
    race_start(r, f->h->l->poll);
    hub_serve(f->h, r);
    REQUIRE_EQUAL(1, sys_atomic_get(&f->first));
    REQUIRE_EQUAL(f->sent, f->received); /* what was accepted comes before the end, and nothing behind it */
    REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_shutdown(f->both.server));
    char answer[4];
    REQUIRE_EQUAL(4, hub_write(f->h, 2, f->both.client, "back", 4)); /* the other way is open */
    REQUIRE_EQUAL(4, loop_read(f->h->l, 1, f->both.server, answer, sizeof answer));
    duo_end(&f->both);
  }
  hub_close(f->h);
  race_end(r);
}

TEST(test_a_half_close_beside_writes_comes_behind_what_was_accepted) { /* W7, W5 */
  shutdown_meets_write(true, race_rounds(400, 200));
  if (!sys_is_windows()) /* byte pipes there have none */
    shutdown_meets_write(false, race_rounds(400, 0));
}
