/* kernel_types.h (simulated kernel) - the ends, views and notes of sim.h are the walk's. */
#ifndef NPS_WALK_KERNEL_TYPES_H
#define NPS_WALK_KERNEL_TYPES_H

#include "sim.h"

typedef sim_file walk_end;
typedef sim_view walk_view;
typedef sim_notes walk_notes;

#endif
