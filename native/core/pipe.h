/* pipe.h - one end of a pipe: its state, what is ready, what is to be reported.
 *
 * connection.c connects and disconnects, reader.c reads, writer.c writes; pipe.c makes, registers, closes, reports.
 *
 * THREADS. `lock` guards every field, except: the list nodes, guarded by the poll's lock; `lock` itself; `poll`, which is set once
 * under the lock and read under it. The lock is held while an operation starts (starts never block). Lock order: a pipe's lock,
 * then its poll's; never two pipes' at once.
 *
 * REFERENCES are counted under the lock: one of the owner (until release), one of the poll (from the first register until
 * the pipe is shut), one of each pending operation (rule 1), one while queued for hand-out. pipe_leave frees at zero. */
#ifndef NPS_CORE_PIPE_H
#define NPS_CORE_PIPE_H

#include "base.h"
#include "list.h"
#include "op.h"

struct delivery;

typedef enum pipe_state {
  PIPE_IDLE, /* a server without a client, and not waiting for one */
  PIPE_CONNECTING, /* `in` is a pending CONNECT */
  PIPE_CONNECTED,
  PIPE_LINGERING, /* closed by its owner; `out` is a pending WRITE that is given time */
  PIPE_CLOSED /* os is null */
} pipe_state;

struct nps_pipe {
  os_lock lock;
  os_pipe *os;
  nps_poll *poll; /* bound for ever by the first register; holds a reference to it */
  uint64_t token;
  uint32_t refs;
  uint32_t generation; /* of the connection; raised by disconnect and close (rule 3) */

  uint8_t state; /* pipe_state */
  uint8_t direction; /* nps_direction bits: 1 = this end reads, 2 = this end writes */
  bool server;
  bool message; /* nps_mode */
  bool retired; /* a server that will not listen again */
  bool registered;
  uint8_t interest; /* nps_interest bits */
  uint8_t ready; /* NPS_READABLE, NPS_WRITABLE: a call makes sense now */
  uint8_t armed; /* the same bits: becoming ready yields an event */
  uint8_t events; /* nps_readiness bits that the next hand-out reports */
  bool queued; /* in the poll's ready list */
  bool wake_owed; /* the wait that sleeps could not be woken: pipe_leave will */
  bool peer_closed; /* reported as NPS_CLOSED */
  bool write_again; /* write_end is to be told once: nothing that was accepted is lost */
  bool on_demand; /* the system watches nothing of a connection before a call has answered would-block ... */
  bool watched; /* ... which one has, in this connection or while it was waited for. Unless os_direct_io: a read is under way, or what it
                   brought is still here */

  uint32_t read_ahead;
  uint32_t write_limit;
  op *in; /* connect and read side: idle, pending, or with data that were read ahead */
  op *out; /* write side */
  nps_result read_end; /* NPS_OK, or what every further read answers (rule 6) */
  nps_result write_end; /* likewise for writes */
  nps_result error; /* of the background, for take_error */

  uint64_t turn; /* the wait that reported this pipe last ... */
  uint32_t slot; /* ... and where in its array: one event a pipe and wait */

  list_node bound_node; /* poll->bound; holds the poll's reference */
  list_node ready_node; /* poll->ready */
  list_node linger_node; /* poll->lingering */
  uint64_t linger_until; /* ms, UINT64_MAX = without end; guarded by the poll's lock */
};

/* What is known of an end when it is made. */
typedef struct pipe_traits {
  uint32_t direction;
  uint32_t read_ahead;
  uint32_t write_limit;
  bool server;
  bool connected;
  bool message;
} pipe_traits;

/* Takes over `os` on success; null when memory is out. These are entered with no lock held. */
nps_pipe *pipe_new(os_pipe *os, const pipe_traits *traits);
void pipe_release(nps_pipe *pipe);
nps_result pipe_register(nps_pipe *pipe, nps_poll *poll, uint64_t token, uint32_t interest);
nps_result pipe_reregister(nps_pipe *pipe, uint64_t token, uint32_t interest);
nps_result pipe_deregister(nps_pipe *pipe);
nps_result pipe_close(nps_pipe *pipe, int64_t linger_ms);
nps_result pipe_abort(nps_pipe *pipe);
nps_result pipe_export(nps_pipe *pipe, intptr_t *os_handle);
nps_result pipe_info(nps_pipe *pipe, nps_info *info);

/* Every use of a pipe is between these two. Leaving publishes the events that have gathered: into `to` when a wait is
 * under way in this thread, else onto the poll's ready list; and frees the pipe with the last reference. */
void pipe_enter(nps_pipe *pipe);
void pipe_leave(nps_pipe *pipe, struct delivery *to);

/* A completion came out of the port. */
void pipe_complete(const os_completion *completion, struct delivery *to);

/* ---- for connection.c, reader.c, writer.c: the lock is held ---- */

/* NPS_OK if the pipe has a peer; else what a question about it answers. */
nps_result pipe_connected(const nps_pipe *pipe);

/* What a read or a write answers while a client is waited for: would-block, which the connection to come must make good, on demand too. */
nps_result pipe_not_yet(nps_pipe *pipe);

/* NPS_OK if I/O may go on; else what the call answers: closed, or would-block before register (P0). */
nps_result pipe_usable(const nps_pipe *pipe);

/* Adds events; those that nobody is interested in are dropped. */
void pipe_report(nps_pipe *pipe, uint32_t events);

/* A direction became ready: if it was armed, that is an event, and disarms it. */
void pipe_became_ready(nps_pipe *pipe, uint32_t direction);

/* A call emptied or filled the pipe: arms the direction, or reports it at once if it is ready again. */
void pipe_arm(nps_pipe *pipe, uint32_t direction);

/* Readiness is taken for granted, without an event: nothing is watched yet in this connection, nor shall be. */
static inline bool pipe_lets_be(const nps_pipe *pipe) {
  return os_direct_io && pipe->on_demand && !pipe->watched;
}

/* The same of reading alone, where reads are operations: none is under way, and none is to begin before a call wants bytes. */
static inline bool pipe_read_rests(const nps_pipe *pipe) {
  return !os_direct_io && pipe->on_demand && !pipe->watched;
}

/* The peer will send no more: NPS_CLOSED, once for each connection. */
void pipe_peer_closed(nps_pipe *pipe);

/* Something failed in the background: take_error and NPS_ERROR. */
void pipe_background_error(nps_pipe *pipe, nps_result error);

/* Ends the connection's operations: what comes back is made idle, what does not is left to its completion and replaced when
 * needed. Raises the generation. `closing`: the pipe is closed next. */
void pipe_drop_ops(nps_pipe *pipe, bool closing);

/* Closes the end and leaves the poll's lists. */
void pipe_shut(nps_pipe *pipe);

#endif
