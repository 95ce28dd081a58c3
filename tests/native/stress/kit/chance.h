/* chance.h - numbers that a seed decides. */
#ifndef NPS_STRESS_CHANCE_H
#define NPS_STRESS_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct chance {
  uint64_t state; /* the seed */
} chance;

uint64_t chance_next(chance *one);
uint32_t chance_below(chance *one, uint32_t limit); /* 0 to limit - 1 */
bool chance_is(chance *one, uint32_t percent);

#endif
