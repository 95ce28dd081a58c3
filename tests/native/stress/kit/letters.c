#include "letters.h"

#include <string.h>

#include "test.h"

_Static_assert(sizeof(letter_place) == LETTER_BLOCK, "a block is a place");

size_t letter_size(uint64_t number, uint32_t most) {
  if (number % 7 == 0)
    return 0;
  return LETTER_BLOCK * (1 + (size_t)((number * 0x9E3779B97F4A7C15u) >> 33) % most);
}

void letter_fill(void *memory, uint64_t number, size_t size) {
  for (size_t at = 0; at < size; at += LETTER_BLOCK) {
    const letter_place place = {number, at / LETTER_BLOCK};
    memcpy((char *)memory + at, &place, sizeof place);
  }
}

letter_place letter_place_of(const void *memory) {
  letter_place place;
  memcpy(&place, memory, sizeof place);
  return place;
}

void letter_require(const void *memory, size_t size, letter_place from) {
  for (size_t at = 0; at < size; at += LETTER_BLOCK, from.block++) {
    const size_t part = size - at < LETTER_BLOCK ? size - at : LETTER_BLOCK;
    if (memcmp((const char *)memory + at, &from, part) != 0)
      FAIL("byte %llu is not of block %llu of message %llu", (unsigned long long)at, (unsigned long long)from.block,
          (unsigned long long)from.number);
  }
}
