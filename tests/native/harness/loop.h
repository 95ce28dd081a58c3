/* loop.h - a poll and what it has said so far. Events of a token are gathered in `seen` until somebody waits for
 * them, so a needless event does no harm and a missing one ends the case at its deadline. Each wait checks what
 * holds for every wait: one event for each pipe, no time-out before its time, no undefined bit, the count within the
 * capacity. */
#ifndef NPS_TEST_LOOP_H
#define NPS_TEST_LOOP_H

#include "peer.h"
#include "test.h"

#define LOOP_TOKENS 256 /* tokens are 0 to LOOP_TOKENS - 1 */
#define ANY_READINESS (NPS_READABLE | NPS_WRITABLE | NPS_CLOSED | NPS_ERROR)
#define BOTH_INTERESTS (NPS_INTEREST_READABLE | NPS_INTEREST_WRITABLE)

typedef struct loop {
  nps_poll *poll;
  uint32_t seen[LOOP_TOKENS]; /* and nobody has waited for yet */
  uint32_t ever[LOOP_TOKENS]; /* since loop_reset */
  uint32_t events; /* of pipes, in all */
  uint32_t wakes;
  uint64_t wake_token; /* of the last wake */
} loop;

/* The loop's memory belongs to the case. */
loop *loop_new(void);
loop *loop_new_with(const nps_poll_options *options);
void loop_end(loop *one); /* closes and releases the poll */

/* One wait; how many events it gave. */
uint32_t loop_pump(loop *one, int64_t timeout_ms);
/* Waits until one of `bits` was seen for the token, and forgets those; which of them. */
uint32_t loop_await(loop *one, uint64_t token, uint32_t bits);
/* Waits until one of `bits` was seen since loop_reset, by whomever. */
void loop_await_ever(loop *one, uint64_t token, uint32_t bits);
/* Forgets all of a token. */
void loop_reset(loop *one, uint64_t token);
/* Hands out what is there now, and forgets all. */
void loop_forget(loop *one);

/* ---- pipes with default options; register them where a loop is given ---- */

nps_server_options server_options(const char *name);
nps_client_options client_options(const char *name);
nps_pipe *server_new(const char *name);
nps_pipe *client_new(const char *name); /* tries for as long as a case may take */
void register_pipe(loop *with, nps_pipe *pipe, uint64_t token);
void end_pipe(nps_pipe *pipe); /* abort and release */

/* ---- one of our pipes, connected to a peer that is not ours ---- */

typedef enum side { OUR_SERVER, OUR_CLIENT } side;

typedef struct linked {
  nps_pipe *pipe;
  peer *peer;
  uint64_t token;
} linked;

/* Registered with both interests. */
linked link_new(loop *with, uint64_t token, side ours);
/* With options: its name, and the side, are set here. `options` is a server's; for a client what both have is taken. */
linked link_new_with(loop *with, uint64_t token, side ours, nps_server_options options);
void link_end(linked one); /* both ends */

/* ---- I/O that waits on the loop where it would block; a failure ends the case ---- */

void loop_connect(loop *with, uint64_t token, nps_pipe *pipe);
/* Bytes read, at least 1; 0 = end of stream. */
size_t loop_read(loop *with, uint64_t token, nps_pipe *pipe, void *memory, size_t size);
/* Exactly these bytes of the pattern. Calls read with at most `chunk`. `trust_short`: waits after a short read
 * without another read, as the header's event rule allows. */
typedef struct read_way {
  size_t chunk;
  bool trust_short;
} read_way;
void loop_read_pattern(loop *with, uint64_t token, nps_pipe *pipe, uint64_t seed, size_t size, read_way way);
void loop_expect_end(loop *with, uint64_t token, nps_pipe *pipe);
void loop_write_pattern(loop *with, uint64_t token, nps_pipe *pipe, uint64_t seed, size_t size);
/* Writes until would-block; how many bytes were accepted. */
size_t write_until_full(nps_pipe *pipe, uint64_t seed);

/* Shorthands that check that a count comes only with NPS_OK. */
nps_result read_pipe(nps_pipe *pipe, void *memory, size_t size, size_t *count);
nps_result write_pipe(nps_pipe *pipe, const void *memory, size_t size, size_t *count);
/* The status of a one-byte read, of a one-byte write. */
nps_result try_read(nps_pipe *pipe);
nps_result try_write(nps_pipe *pipe);

#endif
