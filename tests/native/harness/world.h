/* world.h - what stands around each case: nothing (world_plain.c), or a simulated kernel (sim/), fresh each time, on several seeds.
 * Called by the runner. */
#ifndef NPS_TEST_WORLD_H
#define NPS_TEST_WORLD_H

#include <stdint.h>

uint32_t world_rounds(void); /* how often a case runs */
void world_begin(uint32_t round);
void world_end(void); /* after a case that passed so far; fails it where it left something behind */
void world_explain(const char *name); /* after a case that failed: prints how to repeat just that */

#endif
