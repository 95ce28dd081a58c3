/* soak.h - what the threads of a soak share: polls, links, a count of each operation.
 *
 * A link is one name: a server instance of ours that lives through many connections, and a client that comes and goes, ours or
 * one that has never heard of the library. One thread at a time moves a link on (`held`), so that every byte can be checked; all
 * threads wait on all polls, so that calls on a pipe meet the waits that tell of it. A link acts on events alone: one that does
 * not come stops it, and a link that has not moved for STALL_MS fails the soak.
 */
#ifndef NPS_SOAK_H
#define NPS_SOAK_H

#include "chance.h"
#include "loop.h"
#include "sys.h"
#include "test.h"

enum { POLLS = 3, MOST_LINKS = 1000, STALL_MS = 30000 };

typedef enum op_kind {
  OP_CREATE,
  OP_OPEN,
  OP_PEER,
  OP_ADOPT,
  OP_EXPORT,
  OP_REGISTER,
  OP_REREGISTER,
  OP_DEREGISTER,
  OP_CONNECT,
  OP_DISCONNECT,
  OP_RELISTEN,
  OP_READ,
  OP_WRITE,
  OP_QUERY,
  OP_CLOSE,
  OP_LINGER,
  OP_ABORT,
  OP_WAIT,
  OP_BUSY,
  OP_EVENT,
  OP_WAKE,
  OP_POLL_LIFE,
  OP_CONNECTION,
  OP_CUT,
  OP_KINDS
} op_kind;

extern const char *const op_names[OP_KINDS];

/* One end of a link. Its flags are set by whoever gets its events, and cleared before the call that they are for. */
typedef struct end {
  nps_pipe *pipe; /* null: there is none, or it is `raw` */
  peer *raw;
  uint32_t poll;
  uint64_t epoch; /* of its registration, part of its token */
  sys_atomic can_read;
  sys_atomic can_write;
} end;

/* One direction of a connection. */
typedef struct flow {
  uint64_t seed;
  uint64_t planned;
  uint64_t sent;
  uint64_t received;
} flow;

typedef enum link_state {
  LINK_VACANT, /* no server */
  LINK_IDLE, /* not listening */
  LINK_LISTENING,
  LINK_TALKING,
  LINK_PARTING /* one end has left, the other reads to the end */
} link_state;

typedef enum leaving { LEAVE_ABRUPTLY, LEAVE_LINGERING } leaving;

typedef struct link {
  sys_atomic held;
  uint32_t index;
  const char *name;
  link_state state;
  end ends[2]; /* server, client */
  flow flows[2]; /* what each of them sends */
  int leaver; /* PARTING: 0 or 1 */
  leaving how;
  bool relisten; /* the leaver is a server that disconnected, and listens again */
  bool server_gone; /* ... that closed */
  uint64_t moved_at; /* ms */
} link;

typedef struct soak {
  nps_poll *polls[POLLS];
  link links[MOST_LINKS];
  uint32_t link_count;
  sys_atomic ops[OP_KINDS];
  sys_atomic bytes;
  sys_atomic connections;
} soak;

static inline void soak_count(soak *s, op_kind what) {
  (void)sys_atomic_add(&s->ops[what], 1);
}

/* One wait on a poll, and the flags of the events that it gave. */
void soak_wait(soak *s, uint32_t which, chance *random);

/* Moves a link on by a little. The caller holds it. */
void link_step(soak *s, link *one, chance *random);

/* Ends what a link has, wherever it stands. */
void link_clear(link *one);

/* Registers anew, with a new token. */
void end_register(soak *s, link *one, int which, chance *random);

/* Pipes that are made, used and ended with a poll of their own. */
void soak_poll_life(soak *s, const char *name, chance *random);

#endif
