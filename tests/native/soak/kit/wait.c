/* Waits, and the whole life of a poll. */
#include "soak.h"

#include <stdlib.h>

/* Token: epoch << 16 | link << 1 | end. An event of an earlier registration of the end does no harm. */
void soak_wait(soak *s, uint32_t which, chance *random) {
  nps_event events[32];
  uint32_t count = 0;
  const uint32_t capacity = 1 + chance_below(random, 32);
  nps_result result =
      nps_poll_wait(s->polls[which], events, capacity, chance_is(random, 80) ? 0 : 1 + chance_below(random, 2), &count);
  soak_count(s, OP_WAIT);
  if (nps_result_status(result) == NPS_E_WAIT_BUSY) {
    soak_count(s, OP_BUSY);
    return;
  }
  REQUIRE_OK(result);
  REQUIRE(count <= capacity);
  for (uint32_t i = 0; i < count; i++) {
    if (events[i].readiness == NPS_WAKE)
      continue;
    soak_count(s, OP_EVENT);
    const uint32_t at = (uint32_t)(events[i].token & 0xFFFF);
    REQUIRE(at / 2 < s->link_count);
    end *of = &s->links[at / 2].ends[at % 2];
    if ((events[i].readiness & (NPS_READABLE | NPS_CLOSED | NPS_ERROR)) != 0)
      sys_atomic_set(&of->can_read, 1);
    if ((events[i].readiness & (NPS_WRITABLE | NPS_CLOSED | NPS_ERROR)) != 0)
      sys_atomic_set(&of->can_write, 1);
  }
}

void soak_poll_life(soak *s, const char *name, chance *random) {
  nps_poll *poll = NULL;
  char memory[20000], got[20000];
  const size_t size = 1 + chance_below(random, sizeof memory);
  const uint64_t seed = chance_next(random);
  size_t sent = 0, count = 1;
  soak_count(s, OP_POLL_LIFE);
  REQUIRE_OK(nps_poll_create(NULL, &poll));
  nps_pipe *pipe = server_new(name);
  REQUIRE_OK(nps_pipe_register(pipe, poll, 1, BOTH_INTERESTS));
  nps_result result = nps_pipe_connect(pipe);
  peer *client = peer_open(name);
  for (uint64_t deadline = test_deadline(); result != NPS_OK; result = nps_pipe_connect(pipe)) {
    nps_event event;
    uint32_t events = 0;
    REQUIRE_STATUS(NPS_WOULD_BLOCK, result);
    REQUIRE(!test_expired(deadline));
    REQUIRE_OK(nps_poll_wait(poll, &event, 1, TEST_DEADLINE_MS, &events));
  }
  pattern_fill(memory, size, seed, 0);
  while (sent < size && count > 0) { /* as many as are taken without anybody reading */
    REQUIRE(write_pipe(pipe, memory + sent, size - sent, &count) >= 0);
    sent += count;
  }
  const bool linger = chance_is(random, 50);
  REQUIRE(nps_pipe_close(pipe, linger ? NPS_FOREVER : 0) >= 0);
  if (chance_is(random, 50))
    nps_pipe_release(pipe), pipe = NULL;
  REQUIRE_OK(nps_poll_close(poll));
  nps_poll_release(poll);
  nps_pipe_release(pipe);
  size_t have = 0;
  for (ptrdiff_t one = 1; one > 0 && have < sizeof got; have += (size_t)one) {
    one = peer_receive(client, got + have, sizeof got - have);
    REQUIRE(one >= 0);
  }
  if (have > sent || (linger && have < sent))
    FAIL("%llu of %llu bytes came", (unsigned long long)have, (unsigned long long)sent);
  pattern_require(got, have, seed, 0);
  (void)sys_atomic_add(&s->bytes, (int64_t)have);
  peer_close(client);
}
