#include "flow.h"

enum { MOST_BYTES = 70000, MOST_RAW = 4096 };

uint64_t end_token(const link *one, int which) {
  return one->ends[which].epoch << 16 | one->index << 1 | (uint64_t)which;
}

static void flow__arrived(soak *s, link *one, flow *f, const char *memory, size_t count) {
  pattern_require(memory, count, f->seed, f->received);
  f->received += count;
  REQUIRE(f->received <= f->sent);
  (void)sys_atomic_add(&s->bytes, (int64_t)count);
  one->moved_at = sys_now_ms();
}

/* A raw peer's call may not block: it sends when all that it sent before has arrived, so that there is room. */
static void flow__raw_send(soak *s, link *one, int from, chance *random) {
  flow *f = &one->flows[from];
  char memory[MOST_RAW];
  uint64_t part = 1 + chance_below(random, MOST_RAW);
  if (f->sent > f->received || f->sent == f->planned)
    return;
  part = part < f->planned - f->sent ? part : f->planned - f->sent;
  pattern_fill(memory, (size_t)part, f->seed, f->sent);
  f->sent += part; /* before: who reads looks whether it was sent */
  REQUIRE(peer_send(one->ends[from].raw, memory, (size_t)part));
  soak_count(s, OP_WRITE);
}

static void flow__write(soak *s, link *one, int from, chance *random) {
  flow *f = &one->flows[from];
  end *e = &one->ends[from];
  char memory[MOST_BYTES];
  uint64_t part = 1 + chance_below(random, chance_is(random, 50) ? MOST_BYTES : 500);
  size_t count;
  if (f->sent == f->planned || sys_atomic_get(&e->can_write) == 0)
    return;
  part = part < f->planned - f->sent ? part : f->planned - f->sent;
  pattern_fill(memory, (size_t)part, f->seed, f->sent);
  sys_atomic_set(&e->can_write, 0);
  nps_result result = write_pipe(e->pipe, memory, (size_t)part, &count);
  soak_count(s, OP_WRITE);
  if (nps_result_status(result) == NPS_WOULD_BLOCK)
    return;
  REQUIRE_OK(result);
  f->sent += count;
  one->moved_at = sys_now_ms();
  if (count == part || chance_is(random, 50)) /* the event rule: fewer bytes than offered arm as a would-block does */
    sys_atomic_set(&e->can_write, 1);
}

/* One read of whatever kind; true: the end of the stream. */
static bool flow__read(soak *s, link *one, int to, chance *random) {
  flow *f = &one->flows[1 - to];
  end *e = &one->ends[to];
  char memory[MOST_BYTES];
  size_t size = 1 + chance_below(random, chance_is(random, 50) ? MOST_BYTES : 500), count;
  if (e->raw != NULL) {
    if (peer_nothing_there(e->raw))
      return false;
    ptrdiff_t got = peer_receive(e->raw, memory, size);
    REQUIRE(got >= 0);
    flow__arrived(s, one, f, memory, (size_t)got);
    soak_count(s, OP_READ);
    return got == 0;
  }
  if (sys_atomic_get(&e->can_read) == 0)
    return false;
  sys_atomic_set(&e->can_read, 0);
  nps_result result = read_pipe(e->pipe, memory, size, &count);
  soak_count(s, OP_READ);
  if (nps_result_status(result) == NPS_WOULD_BLOCK)
    return false;
  if (nps_result_status(result) == NPS_END_OF_STREAM)
    return true;
  REQUIRE_OK(result);
  flow__arrived(s, one, f, memory, count);
  if (count == size || chance_is(random, 50))
    sys_atomic_set(&e->can_read, 1);
  return false;
}

/* What changes nothing, or is made good at once. */
static void flow__ask(soak *s, link *one, int which, chance *random) {
  end *e = &one->ends[which];
  nps_result error = 1;
  uint64_t unsent;
  intptr_t handle;
  size_t count;
  if (e->pipe == NULL)
    return;
  switch (chance_below(random, 4)) {
  case 0:
    e->epoch++;
    REQUIRE_OK(nps_pipe_reregister(e->pipe, end_token(one, which), NPS_INTEREST_READABLE));
    REQUIRE_OK(nps_pipe_reregister(e->pipe, end_token(one, which), BOTH_INTERESTS));
    soak_count(s, OP_REREGISTER);
    break;
  case 1:
    REQUIRE_OK(nps_pipe_deregister(e->pipe));
    e->epoch++;
    REQUIRE_OK(nps_pipe_register(e->pipe, s->polls[e->poll], end_token(one, which), BOTH_INTERESTS));
    soak_count(s, OP_DEREGISTER);
    soak_count(s, OP_REGISTER);
    break;
  default:
    REQUIRE(nps_pipe_flush_state(e->pipe, &unsent) >= 0);
    REQUIRE_OK(nps_pipe_take_error(e->pipe, &error));
    REQUIRE_OK(error);
    REQUIRE_OK(nps_pipe_os_handle(e->pipe, &handle));
    REQUIRE_OK(nps_pipe_read(e->pipe, NULL, 0, &count));
    REQUIRE_OK(nps_pipe_connect(e->pipe));
    soak_count(s, OP_QUERY);
    break;
  }
}

bool flow_step(soak *s, link *one, chance *random) {
  for (int i = 0; i < 2; i++) {
    if (one->ends[i].raw != NULL)
      flow__raw_send(s, one, i, random);
    else
      flow__write(s, one, i, random);
    const bool over = flow__read(s, one, i, random);
    REQUIRE(!over); /* nobody has left */
  }
  if (chance_is(random, 3))
    flow__ask(s, one, (int)chance_below(random, 2), random);
  return one->flows[0].received < one->flows[0].planned || one->flows[1].received < one->flows[1].planned;
}

bool flow_read_to_the_end(soak *s, link *one, int which, chance *random) {
  return flow__read(s, one, which, random);
}
