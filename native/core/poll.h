/* poll.h - one poll: its port, its bound pipes, its ready list, its operations and buffers.
 *
 * THREADS. `lock` guards every field but those marked. It is held for a few instructions and never while a pipe's lock is taken:
 * handing out pops with the ready list's reference, unlocks, then locks the pipe and checks again (rule 4). */
#ifndef NPS_CORE_POLL_H
#define NPS_CORE_POLL_H

#include "base.h"
#include "buffer_pool.h"
#include "list.h"
#include "op.h"

#define POLL_BATCH 64
#define POLL_LATE_LOOKS 64 /* at the port, once a wait's time is over, that brought completions and no event: those may never cease */

struct nps_poll {
  os_lock lock;
  os_signal changed; /* waiting became false, or closed became true */
  os_port *port; /* set once */
  uint32_t refs; /* the owner's, and one of each bound pipe */

  bool closing; /* no wait starts and no pipe is bound any more */
  bool closed;
  bool waiting; /* a thread is inside nps_poll_wait */
  bool blocked; /* ... and sleeps in os_port_wait, or is about to */
  bool woken; /* ... and was sent a wake already */
  list_node wake_node; /* in `ready`, at its turn: nps_poll_wake was called */
  uint64_t wake_token;

  list ready; /* pipes with events, each with a reference; and the wake */
  list bound; /* pipes bound and not shut; each holds a reference */
  list lingering; /* those of them that linger */

  op *free_ops;
  uint32_t ops_out; /* ops that pipes or the system hold: closing waits until it is 0 (rule 5) */
  buffer_pool pool;

  uint64_t turn; /* number of the wait; the waiting thread's alone, like batch */
  os_completion batch[POLL_BATCH];
};

/* Where a wait puts its events. */
typedef struct delivery {
  nps_event *events;
  uint32_t capacity;
  uint32_t count;
  uint64_t turn;
} delivery;

nps_result poll_new(const nps_poll_options *options, nps_poll **poll);
nps_result poll_wait(nps_poll *poll, nps_event *events, uint32_t capacity, int64_t timeout_ms, uint32_t *count);
nps_result poll_wake(nps_poll *poll, uint64_t token);

/* `linger`: lingering closes are carried to their end first. */
nps_result poll_close(nps_poll *poll, bool linger);
void poll_release(nps_poll *poll);

/* ---- for pipe.c; the pipe's lock is held ---- */

/* Binds: takes a reference to the poll, and one to the pipe for the poll. false: the poll is closing. */
bool poll_bind(nps_poll *poll, nps_pipe *pipe);

/* Takes the pipe from the bound and the lingering list, and drops the references that they held. false: it was not bound any
 * more, because the closing poll has taken it and will shut it. */
bool poll_unbind(nps_poll *poll, nps_pipe *pipe);

/* A pipe that was bound is gone. May free the poll. */
void poll_unref(nps_poll *poll);

/* There was no memory for a wake, and a missing event is not allowed: until there is some, or the wait returns for another reason. No lock
 * is held. Drops the reference to the poll that came with pipe->wake_owed. */
void poll_insist_on_wake(nps_poll *poll);

/* Queues the pipe for hand-out and wakes a sleeping wait, once. false: the poll is closing. */
bool poll_push(nps_poll *poll, nps_pipe *pipe);

/* Puts the pipe on the closing list for linger_ms at most; wakes a sleeping wait, whose time must be set anew. false: the poll
 * is closing and looks at lingering pipes no more. */
bool poll_linger(nps_poll *poll, nps_pipe *pipe, int64_t linger_ms);

#endif
