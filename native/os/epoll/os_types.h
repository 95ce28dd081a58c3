/* os_types.h (epoll) - the types that os.h asks of a backend. */
#ifndef NPS_OS_TYPES_H
#define NPS_OS_TYPES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "nps.h"

/* A lock of four bytes: ten thousand pipes have one each, and a round trip takes some fourteen of them, which the compiler
 * can inline as it could not a mutex of the C library (lock.c). */
typedef struct os_lock {
  atomic_uint word; /* 0: free, 1: held, 2: held, and somebody may sleep */
} os_lock;

typedef struct os_signal {
  atomic_uint count; /* of the times it was signalled */
} os_signal;

/* What the backend keeps in an operation. An operation is in at most one list at a time: the listener's waiting
 * instances (CONNECT only), or its port's queue of completions. All zero is a valid idle state. */
typedef struct os_op_state {
  struct os_op *next; /* either list: guarded by that list's lock */
  struct os_op *previous; /* waiting instances only: listener lock */
  struct os_pipe *pipe; /* while `waiting`: listener lock */
  struct ep_listener *listener; /* of a connect that brought a client: a reference, core's until accept or discard */
  nps_result result; /* in the port's queue: port lock */
  int fd; /* with `listener`: the client that was accepted */
  uint32_t flags; /* in the port's queue: port lock */
  bool waiting; /* listener lock */
} os_op_state;

#endif
