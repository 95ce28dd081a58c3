/* kill.h - one kill: a plan drawn from a seed, a child process that carries out its part until it is killed, and a board in
 * shared memory on which it says how far it came. Afterwards the board tells what the survivor must have seen:
 *
 *     safe <= bytes seen by the survivor <= offered, and those are the first bytes of the stream
 *
 * `offered` is raised before each write, `safe` after it: all that the system took. Linux: what send accepted. Windows: what a
 * write that has completed put into the pipe; what our library accepted but still holds (nps_pipe_flush_state) dies with it.
 *
 * A seed is one round: NPS_KILL_SEED=N in the environment makes N the seed of the first round of each case. */
#ifndef NPS_TEST_KILL_H
#define NPS_TEST_KILL_H

#include "loop.h"
#include "sys.h"
#include "test.h"

typedef enum kill_activity {
  KILL_WRITING, /* what the child is at when it is killed */
  KILL_READING,
  KILL_BOTH,
  KILL_IDLE, /* connected; it wrote something, and waits */
  KILL_LINGERING, /* it wrote until would-block, closed with linger, and waits on its poll */
  KILL_CONNECTING, /* server: creates, waits for a client, and again; client: opens and closes again and again */
  KILL_CREATING /* creates the name and lets it go, again and again */
} kill_activity;

typedef struct kill_plan {
  uint64_t seed;
  char name[80];
  kill_activity activity;
  bool child_serves;
  bool child_ours; /* it uses the library, else plain system calls */
  bool survivor_ours;
  bool survivor_looks_on; /* touches the pipe only after the kill: the child fills it, or starves */
  bool death_first; /* waits for the process's end before it looks at the pipe again */
  size_t child_chunk;
  size_t survivor_chunk;
  uint64_t moment_us; /* the kill comes so long after connecting, */
  uint64_t moment_bytes; /* or when the survivor has moved so much */
} kill_plan;

typedef struct kill_board {
  kill_plan plan;
  sys_atomic phase; /* kill_phase */
  sys_atomic offered;
  sys_atomic safe;
  sys_atomic received; /* and found right */
} kill_board;

typedef enum kill_phase { KILL_STARTED = 1, KILL_SERVING, KILL_CONNECTED, KILL_AT_REST } kill_phase;

/* The child's stream, and the survivor's. */
#define KILL_CHILDS_SEED(plan) ((plan)->seed * 2)
#define KILL_SURVIVORS_SEED(plan) ((plan)->seed * 2 + 1)

enum { KILL_BUFFER = 65536 };

/* ---- kill.c: many rounds, by several threads, each with a loop of its own ---- */

typedef struct kill_round {
  kill_plan plan;
  kill_board *board;
  loop *loop;
  sys_shared shared;
  sys_process *child;
  nps_pipe *pipe; /* the survivor's end: ours, */
  peer *peer; /* or a plain one */
  bool in_use; /* the plan is being carried out; stays true when a check failed */
  char memory[KILL_BUFFER];
} kill_round;

uint64_t kill_draw(uint64_t *state, uint64_t below);

/* Rounds: on Linux, on Windows. `draw` fills in what the case fixes, after the rest was drawn. */
void kill_rounds(
    int on_linux, int on_windows, void (*draw)(kill_plan *plan, uint64_t *state), void (*run)(kill_round *));

/* The child is on its way. */
void kill_start_child(kill_round *round);
/* Waits until the moment of the plan; `since` in us. */
bool kill_moment_has_come(const kill_round *round, uint64_t since, uint64_t moved);
/* Waits for the end of the killed child. */
void kill_bury(kill_round *round);

/* ---- child.c ---- */

int kill_child_run(const char *id);

/* ---- temp_*.c: Linux: a folder for the names of a case, which must be gone at its end ---- */

void kill_temp_begin(void);
void kill_temp_end(void);

/* ---- serve.c: the name can be served again at once ---- */

/* pre: the survivor's end is closed, the child dead. By us, to a plain client and to one of ours. */
void kill_serve_again(kill_round *round);

#endif
