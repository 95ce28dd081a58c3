/* race.h - several threads that do something at once, round after round.
 *
 * A race has racers: threads that live from race_add to race_end, so that I/O which they start never outlives its thread (Wine
 * would lose it). A round begins for all of them at one moment; what each does before and between its calls is varied by jitter,
 * which a seed decides. The seed is printed when the case fails; NPS_STRESS_SEED takes it.
 *
 * race_end also looks whether the handles and the memory of the process are back to what they were at race_new.
 */
#ifndef NPS_STRESS_RACE_H
#define NPS_STRESS_RACE_H

#include "chance.h"
#include "loop.h"
#include "sys.h"
#include "test.h"

/* ---- races ---- */

/* Lets some time pass, or none: nothing, a few spins, many, or a turn for another thread. */
void jitter(chance *one);

enum { MOST_RACERS = 8 };

typedef struct race race;
typedef void racer_run(void *context, chance *random);

race *race_new(void);

/* A thread that does `run` in each round. Its context belongs to the case, see test_new. */
void race_add(race *one, racer_run *run, void *context);

/* The case's own. */
chance *race_chance(race *one);

/* `rounds` on Linux, `wine_rounds` under Wine and on Windows, fewer of both where a sanitizer slows everything down. */
uint32_t race_rounds(uint32_t rounds, uint32_t wine_rounds);

/* All racers run once; returns when all have done. */
void race_round(race *one);

/* The same in two parts: for a case whose own thread has something to do meanwhile. `waker` is woken with WAKE_FINISHED when the
 * last racer is through, if it is not null. */
#define WAKE_FINISHED UINT64_MAX
void race_start(race *one, nps_poll *waker);
bool race_is_over(race *one);
void race_join(race *one);

void race_end(race *one);

/* Lets others run until *what is `value`, or at least that; fails at the deadline. */
void await_value(sys_atomic *what, int64_t value);
void await_at_least(sys_atomic *what, int64_t value);

/* ---- a poll that the case's own thread waits on, for others ---- */

enum { HUB_TOKENS = 64 };

typedef struct hub {
  loop *l; /* for what loop.h does before and after a round */
  sys_atomic news[HUB_TOKENS]; /* how many events of this token there were */
  sys_atomic readiness[HUB_TOKENS][4]; /* how many of them had bit 1 << i */
  sys_atomic wakes;
} hub;

/* The hub's memory belongs to the case. */
hub *hub_new(void);
void hub_open(hub *one); /* a new poll */
void hub_close(hub *one); /* closes and releases it */

/* Waits without an end and counts events until the race's round is over; then joins it. */
void hub_serve(hub *one, race *until);

/* For racers: news of a token, read before a call; and, after a call that would block, until there were more. */
int64_t hub_news(hub *one, uint64_t token);
void hub_await(hub *one, uint64_t token, int64_t before);

/* Calls that go on until they move something: what they moved, 0 at the end of stream or where the peer is gone. */
size_t hub_read(hub *one, uint64_t token, nps_pipe *pipe, void *memory, size_t size);
size_t hub_write(hub *one, uint64_t token, nps_pipe *pipe, const void *memory, size_t size);

/* ---- both ends of a connection are ours ---- */

typedef struct duo {
  nps_pipe *server; /* token 1 */
  nps_pipe *client; /* token 2 */
} duo;

duo duo_new(hub *on, const char *name, nps_server_options options);
void duo_end(duo *both);

/* Shorthand: whether a result's status is one of these (ends with NPS_OK, which counts too). */
bool is_one_of(nps_result result, const int32_t *statuses);
#define REQUIRE_ONE_OF(result, ...)                                                                                    \
  require_one_of((result), (const int32_t[]){__VA_ARGS__, NPS_OK}, __FILE__, __LINE__, #result)
void require_one_of(nps_result result, const int32_t *statuses, const char *file, int line, const char *text);

#endif
