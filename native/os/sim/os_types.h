/* os_types.h (sim) - the types that os.h asks of a backend. */
#ifndef NPS_OS_TYPES_H
#define NPS_OS_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* One thread only: a lock that is entered twice, in the wrong order, or while sleeping is a fault of the caller. */
typedef struct os_lock {
  uint32_t magic;
  uint8_t rank; /* learned: 1 = another lock was taken under it, 2 = it was taken under another */
  bool held;
} os_lock;

typedef struct os_signal {
  uint32_t magic;
} os_signal;

typedef struct os_op_state {
  void *client; /* direct: the client of a completed CONNECT, until accept or discard */
} os_op_state;

#endif
