/* op.h - ONE operation: connect, read, write or probe alike. idle -> pending -> (cancelling ->) idle.
 *
 * An operation is an object of its own, not a slot inside the pipe: after a disconnect the system may still own the old one,
 * and the new connection must not wait for it. Ops come from the poll's free list and go back to it.
 *
 * RULES upheld here: 1 (the pipe is referenced before the call that may complete, and let go only by its completion), 2 (once
 * pending, only the completion decides), 3 (an operation carries the connection's generation, stamped under the same hold of
 * the pipe's lock that starts it), 5 (its buffer stays until the completion was dequeued).
 *
 * THREADS: fields of an op that is not pending are guarded by the lock of its pipe; of a pending one `generation` and `state`
 * likewise, the rest is the backend's. */
#ifndef NPS_CORE_OP_H
#define NPS_CORE_OP_H

#include "base.h"

typedef enum op_state {
  OP_IDLE,
  OP_PENDING, /* the backend owns os, memory and length */
  OP_CANCELLING /* likewise; its end was asked for */
} op_state;

typedef enum op_memory {
  OP_MEMORY_NONE,
  OP_MEMORY_POOL, /* a buffer of the poll's pool */
  OP_MEMORY_HEAP /* from os_alloc */
} op_memory;

typedef struct op {
  os_op os; /* first: an os_op* of ours is an op* */
  nps_pipe *pipe; /* whose reference it holds while pending */
  struct op *next_free;
  uint32_t generation; /* of the connection it was started for */
  uint32_t filled; /* bytes in memory that a read brought */
  uint32_t taken; /* of these, how many the caller has had */
  uint8_t state; /* op_state */
  uint8_t memory_kind; /* op_memory */
  bool held; /* a read's bytes, or an empty message, that the caller has not had whole */
  bool more; /* the message goes on behind them */
} op;

static inline op *op_of(os_op *os) {
  return CONTAINER_OF(os, op, os);
}

static inline bool op_is_pending(const op *o) {
  return o != NULL && o->state != OP_IDLE;
}

/* An idle op for a pipe; null when memory is out. */
op *op_acquire(nps_pipe *pipe);

/* pre: idle. Gives op and buffer back to the poll. Null is allowed. */
void op_release(op *o, nps_poll *poll);

/* Makes sure that there are at least `size` bytes at os.memory: from the pool, or (`heap`) from the heap if the pool has
 * none. */
bool op_take_memory(op *o, nps_poll *poll, uint32_t size, bool heap);
void op_give_memory(op *o, nps_poll *poll);

/* What the system said of an operation of a pipe that is not closed. Somebody else cancelled it, on a handle that was lent: an error.
 * (Reads are just started again.) */
nps_result op_result(os_op_kind kind, nps_result result);

/* pre: idle, the pipe's lock held. OS_DONE leaves it idle. */
os_start op_start(op *o, os_op_kind kind, uint32_t length, os_completion *done);

/* Asks for the end of a pending op; the pipe's lock is held. true: it is idle now. `closing`: the pipe is closed next. */
bool op_cancel(op *o, bool closing);

/* Its completion has come; the pipe's lock is held. Makes it idle and drops the reference (the caller holds the lock, so the pipe
 * stays until pipe_leave). true if it belongs to the current connection (rule 3). */
bool op_finish(op *o);

#endif
