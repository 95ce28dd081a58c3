/* real.h - what real.c, ends.c and the system's own file tell each other besides ends.h. */
#ifndef NPS_WALK_REAL_H
#define NPS_WALK_REAL_H

#include "ends.h"

void real_end_all(void); /* the peers go, and every connection with them */
uint32_t real_blocks(void); /* of memory that the library holds; 0 where they cannot be counted (memory.c) */

#endif
