/* stage.h - what stands around each case: nothing (stage_plain.c), or a simulated kernel (sim/), fresh each time, on several seeds.
 * Called by the runner. */
#ifndef NPS_TEST_STAGE_H
#define NPS_TEST_STAGE_H

#include <stdint.h>

uint32_t stage_rounds(void); /* how often a case runs */
void stage_begin(uint32_t round); /* may leave a test_note */
void stage_end(void); /* after a case that passed so far; fails it where it left something behind */

#endif
