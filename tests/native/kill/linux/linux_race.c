/* Several processes start at once to serve the name of a server that was killed: one wins, the others are denied; O4. On
 * Windows a killed server leaves nothing that they could race for. */
#include <errno.h>

#include "kill.h"

enum { RACERS = 4, ROUNDS = 40 };

typedef struct race_board {
  char name[80];
  sys_atomic numbers; /* of the racers that have begun */
  sys_atomic go;
  sys_atomic ended[RACERS];
  sys_atomic results[RACERS];
} race_board;

CHILD(kill_racer) {
  race_board *board = sys_shared_open(argument, sizeof *board);
  int64_t self = sys_atomic_add(&board->numbers, 1) - 1;
  nps_server_options options = server_options(board->name);
  nps_pipe *pipe = NULL;
  loop *l = loop_new();
  uint64_t deadline = test_deadline();
  while (sys_atomic_get(&board->go) == 0 && !test_expired(deadline)) {
    sys_yield();
  }
  sys_atomic_set(&board->results[self], nps_pipe_create(&options, &pipe));
  sys_atomic_set(&board->ended[self], 1);
  while (!test_expired(deadline)) { /* until it is killed */
    loop_pump(l, 1000);
  }
  return 5;
}

/* All are killed, so the winner's socket is the next round's dead one. */
static void race(race_board *board, const char *id) {
  sys_process *racers[RACERS];
  int winners = 0;
  sys_atomic_set(&board->numbers, 0);
  sys_atomic_set(&board->go, 0);
  for (int i = 0; i < RACERS; i++) {
    sys_atomic_set(&board->ended[i], 0);
    racers[i] = sys_spawn("kill_racer", id);
  }
  bool all = sys_shared_await(&board->numbers, RACERS, test_deadline());
  sys_atomic_set(&board->go, 1);
  for (int i = 0; i < RACERS; i++) {
    all = all && sys_shared_await(&board->ended[i], 1, test_deadline());
  }
  peer *client = NULL;
  peer_open_status opened = peer_try_open(board->name, &client);
  for (int i = 0; i < RACERS; i++) {
    sys_process_kill(racers[i]);
    REQUIRE_EQUAL(SYS_KILLED, sys_process_wait(racers[i]));
  }
  REQUIRE(all);
  REQUIRE_EQUAL(PEER_OPENED, opened);
  peer_close(client);
  for (int i = 0; i < RACERS; i++) {
    nps_result result = sys_atomic_get(&board->results[i]);
    winners += result == NPS_OK;
    if (result != NPS_OK) {
      REQUIRE_STATUS(NPS_E_ACCESS_DENIED, result);
      REQUIRE_EQUAL(EADDRINUSE, nps_result_detail(result));
    }
  }
  REQUIRE_EQUAL(1, winners);
}

TEST(test_kill_of_a_server_whose_name_many_want) {
  kill_temp_begin();
  sys_shared shared = sys_shared_new(sizeof(race_board));
  race_board *board = shared.memory;
  const char *name = test_name();
  for (size_t i = 0; name[i] != '\0'; i++) {
    board->name[i] = name[i];
  }
  for (int round = 0; round < ROUNDS; round++) {
    race(board, shared.id);
  }
  nps_pipe *last = server_new(name); /* takes the last one's socket away */
  end_pipe(last);
  sys_shared_free(&shared);
  kill_temp_end();
}
