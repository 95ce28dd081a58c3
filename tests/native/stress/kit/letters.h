/* letters.h - messages that tell who they are: each has a number, which decides its size, and each block of it names that number and
 * its own place. So a message that is cut, merged, doubled or shown in the wrong place is seen at any block of it. */
#ifndef NPS_STRESS_LETTERS_H
#define NPS_STRESS_LETTERS_H

#include <stddef.h>
#include <stdint.h>

enum { LETTER_BLOCK = 16 };

/* Bytes, whole blocks: 1 to `most`; every seventh letter, beginning with the first, is empty. */
size_t letter_size(uint64_t number, uint32_t most);

void letter_fill(void *memory, uint64_t number, size_t size);

typedef struct letter_place {
  uint64_t number;
  uint64_t block;
} letter_place;

/* What the first block says. */
letter_place letter_place_of(const void *memory);
/* The blocks from there on; the last one may be cut. */
void letter_require(const void *memory, size_t size, letter_place from);

#endif
