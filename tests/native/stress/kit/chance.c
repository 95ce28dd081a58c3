/* splitmix64 */
#include "chance.h"

uint64_t chance_next(chance *one) {
  uint64_t mixed = one->state += 0x9E3779B97F4A7C15u;
  mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
  mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
  return mixed ^ mixed >> 31;
}

uint32_t chance_below(chance *one, uint32_t limit) {
  return (uint32_t)((chance_next(one) >> 32) * limit >> 32);
}

bool chance_is(chance *one, uint32_t percent) {
  return chance_below(one, 100) < percent;
}
