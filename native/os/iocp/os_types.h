/* os_types.h - what os.h needs to know of Windows: sizes, no <windows.h>. iocp.h checks them against the real types. */
#ifndef NPS_OS_TYPES_H
#define NPS_OS_TYPES_H

#include <stdint.h>

typedef struct os_lock {
  void *word; /* an SRWLOCK */
} os_lock;

typedef struct os_signal {
  void *word; /* a CONDITION_VARIABLE */
} os_signal;

/* The OVERLAPPED of an operation, opaque: the kernel writes it until the packet was dequeued. */
typedef struct os_overlapped {
  uintptr_t result[2];
  uint32_t offset[2];
  void *event;
} os_overlapped;

/* First member of os_op, whose first member is the OVERLAPPED: so the kernel's OVERLAPPED* is our os_op*. */
typedef struct os_op_state {
  os_overlapped overlapped;
  volatile long phase; /* iocp_phase: who has seen what of this operation, start and wait being different threads */
} os_op_state;

#endif
