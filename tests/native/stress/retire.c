/* Instances that are retired while others of the name come and go: C10. Whoever gets in is served or sees the end, and the name is free
 * afterwards. */
#include "race.h"

enum { SERVERS = 3, GUESTS = 2 };

typedef struct inn {
  const char *name;
  sys_atomic served;
  sys_atomic cut; /* clients that saw the end unserved */
  sys_atomic guests; /* threads of clients that still go on */
} inn;

/* One instance of its own poll: one client, a byte for it, and the end of the instance, retired before or not. */
static void host_one(void *context, chance *random) {
  inn *at = context;
  nps_poll *poll = NULL;
  nps_pipe *pipe = NULL;
  nps_server_options options = server_options(at->name);
  uint32_t count = 0;
  nps_event event;
  REQUIRE_OK(nps_poll_create(NULL, &poll));
  REQUIRE_OK(nps_pipe_create(&options, &pipe));
  REQUIRE_OK(nps_pipe_register(pipe, poll, 1, BOTH_INTERESTS));
  jitter(random);
  nps_result connected = nps_pipe_connect(pipe);
  const uint64_t deadline = test_deadline();
  while (
      nps_result_status(connected) == NPS_WOULD_BLOCK && sys_atomic_get(&at->guests) != 0 && !test_expired(deadline)) {
    REQUIRE_OK(nps_poll_wait(poll, &event, 1, 1, &count));
    connected = nps_pipe_connect(pipe);
  }
  jitter(random);
  if (connected == NPS_OK) {
    REQUIRE_OK(nps_pipe_retire(pipe));
    jitter(random);
    const nps_result written = try_write(pipe);
    REQUIRE_ONE_OF(written, NPS_E_BROKEN_PIPE);
    if (written == NPS_OK)
      (void)sys_atomic_add(&at->served, 1);
    const nps_result again = nps_pipe_disconnect(pipe, chance_below(random, 2) == 0);
    REQUIRE_ONE_OF(again, NPS_E_NOT_SUPPORTED);
  } else {
    REQUIRE_ONE_OF(connected, NPS_WOULD_BLOCK);
  }
  jitter(random);
  end_pipe(pipe);
  REQUIRE_OK(nps_poll_close(poll));
  nps_poll_release(poll);
}

static void visit(void *context, chance *random) {
  inn *at = context;
  for (int i = 0; i < 4; i++) {
    peer *client = NULL;
    char byte;
    jitter(random);
    if (peer_try_open(at->name, &client) != PEER_OPENED)
      continue;
    const ptrdiff_t count = peer_receive(client, &byte, 1);
    if (count < 0)
      FAIL("a client waits for nothing");
    if (count == 0)
      (void)sys_atomic_add(&at->cut, 1);
    peer_close(client);
  }
  (void)sys_atomic_add(&at->guests, -1);
}

TEST(test_instances_retire_while_others_take_the_name) { /* C10, X3 */
  race *r = race_new();
  inn *at = test_new(sizeof *at);
  at->name = test_name();
  for (int i = 0; i < SERVERS; i++)
    race_add(r, host_one, at);
  for (int i = 0; i < GUESTS; i++)
    race_add(r, visit, at);
  const uint32_t rounds = race_rounds(1500, 60);
  for (uint32_t round = 0; round < rounds; round++) {
    peer *nobody = NULL;
    sys_atomic_set(&at->guests, GUESTS);
    race_round(r);
    REQUIRE_EQUAL(PEER_NOT_FOUND, peer_try_open(at->name, &nobody));
  }
  REQUIRE(sys_atomic_get(&at->served) > 0);
  race_end(r);
}
