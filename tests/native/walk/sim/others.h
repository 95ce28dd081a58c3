/* others.h - what kernel.c needs of others.c. */
#ifndef NPS_WALK_OTHERS_H
#define NPS_WALK_OTHERS_H

#include "kernel.h"

/* From one on to the other, other threads' calls come in. */
void others_come(void);
void others_go(void);

#endif
