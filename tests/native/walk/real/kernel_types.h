/* kernel_types.h (real systems) - see kernel.h. */
#ifndef NPS_WALK_KERNEL_TYPES_H
#define NPS_WALK_KERNEL_TYPES_H

#include "os.h"

typedef struct walk_end walk_end;

typedef struct walk_view {
  bool connected;
  uint32_t connection;
  bool server;
  bool peer_done;
  bool peer_broken;
  bool cut;
  bool torn;
  uint32_t unread;
  uint32_t room; /* Linux: 1 if the system says that a write makes sense */
  uint64_t arrived;
  bool message;
  uint32_t messages; /* with one that was read in part, and what the library has read ahead */
  uint32_t arrived_messages;
  bool listening;
} walk_view;

typedef struct walk_notes {
  uint64_t sent;
  uint64_t seen;
  bool failed;
  bool keep;
} walk_notes;

#endif
