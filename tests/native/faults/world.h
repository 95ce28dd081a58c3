/* world.h - what the scenarios call instead of nps.h: a failure that an injected fault explains is tolerated, once for each time that
 * it struck, and the call is made again; any other ends the case, with the fault that was planned. So every helper here shows two
 * things: the status and the raw code of the failure, and that the next call works.
 *
 * A connection may be lost to a fault. Then the session is over (world_lost) and the scenario begins a new one on the same server. */
#ifndef NPS_TEST_WORLD_H
#define NPS_TEST_WORLD_H

#include "fault.h"
#include "loop.h"

#define WORLD_TOKENS 16
#define WORLD_DEADLINE_MS TEST_DEADLINE_MS

typedef struct world {
  nps_poll *poll;
  nps_poll *other; /* a second one, or null */
  uint64_t rival; /* token of another instance that may get the client, or 0 */
  uint32_t seen[WORLD_TOKENS]; /* events that nobody has waited for yet */
  uint32_t excuses; /* failures so far that a fault explains */
  uint32_t losses; /* sessions lost so far */
} world;

/* A bad thing has happened: prints the plan, ends the case. */
_Noreturn void world_fail(const char *file, int line, const char *format, ...);
#define WORLD_FAIL(...) world_fail(__FILE__, __LINE__, __VA_ARGS__)
#define WORLD_REQUIRE(condition) ((condition) ? (void)0 : WORLD_FAIL("%s", #condition))

/* The call failed: whether to make it again. Ends the case if no fault explains it. */
void world_excuse(world *w, nps_result result, const char *file, int line, const char *text);

/* Makes a call until it gives NPS_OK or `other`; `variable` has its result. */
#define WORLD_TRY(w, variable, other, call)                                                                            \
  do {                                                                                                                 \
    (variable) = (call);                                                                                               \
    if (nps_result_status(variable) == NPS_OK || nps_result_status(variable) == (other))                               \
      break;                                                                                                           \
    world_excuse((w), (variable), __FILE__, __LINE__, #call);                                                          \
  } while (true)

#define WORLD_OK(w, call)                                                                                              \
  do {                                                                                                                 \
    nps_result world_result;                                                                                           \
    WORLD_TRY(w, world_result, NPS_OK, call);                                                                          \
  } while (false)

/* The same, for a call that must end with an error of its own. */
#define WORLD_EXPECT(w, status, call)                                                                                  \
  do {                                                                                                                 \
    nps_result world_result = (call);                                                                                  \
    if (nps_result_status(world_result) == (status)) {                                                                 \
      (void)fault_explains(world_result);                                                                              \
      break;                                                                                                           \
    }                                                                                                                  \
    world_excuse((w), world_result, __FILE__, __LINE__, #call);                                                        \
  } while (true)

/* ---- making and ending ---- */

void world_open(world *w, const nps_poll_options *options); /* w->poll */
void world_close(world *w); /* and what it gives back is counted by the caller of the scenario */
nps_pipe *world_server(world *w, const nps_server_options *options);
/* Null: the session was lost. */
nps_pipe *world_client(world *w, const nps_client_options *options);
void world_register(world *w, nps_pipe *pipe, nps_poll *poll, uint64_t token, uint32_t interest);
void world_disconnect(world *w, nps_pipe *pipe);
/* After a loss: lets all clients go that still queue for this one instance; it listens then. */
void world_drain(world *w, nps_pipe *pipe);
/* Hears what a read that was posted ahead, or anything else in the background, may have to tell before it is forgotten. */
void world_last_look(nps_pipe *pipe);
/* Aborts and releases; null is allowed. */
void world_end(nps_pipe *pipe);

/* ---- waiting ---- */

/* One wait on any poll; how many events it gave. */
uint32_t world_pump(world *w, nps_poll *poll, int64_t timeout_ms);
/* Until one of `bits` was seen for the token; forgets those. Which of them. Two polls: looks at both in turn. */
uint32_t world_await(world *w, uint64_t token, uint32_t bits);
uint32_t world_await_on(world *w, nps_poll *poll, uint64_t token, uint32_t bits);
/* Takes the background error if there is one: it must be one that a fault explains. */
void world_take_error(world *w, nps_pipe *pipe);

/* ---- I/O; false: the session was lost ---- */

/* The server's instance gets its client, whose end is registered with w->poll. */
bool world_connect(world *w, uint64_t token, nps_pipe *pipe, uint64_t client_token);
/* `size` bytes of the pattern from one end to the other. */
typedef struct world_way {
  nps_pipe *from;
  nps_pipe *to;
  uint64_t from_token;
  uint64_t to_token;
  uint64_t seed;
  size_t size;
  size_t chunk;
} world_way;
bool world_transfer(world *w, const world_way *way);
/* Reads until the end of the stream; nothing more may come. */
bool world_expect_end(world *w, uint64_t token, nps_pipe *pipe);

/* A session was lost: true if a fault explains it, else the case ends. */
bool world_lost(world *w, const char *file, int line);
#define WORLD_LOST(w) world_lost((w), __FILE__, __LINE__)

#endif
