/* quarantine.c - freed blocks, oldest first, until newer ones push them out. Each is looked at when it leaves, all of them now
 * and then and at the end of the process. */
#include "guard.h"

#include <string.h>

enum { QUARANTINE__BLOCKS = 8192, QUARANTINE__POISON = 0xD7 };
#define QUARANTINE__BYTES ((size_t)32 * 1024 * 1024) /* of those that are in place */

static guard_block *s_first, *s_last;
static size_t s_blocks, s_bytes;

/* A generator's one step: the same number gives the same coin for a seed. */
static bool quarantine__coin(uint64_t number) {
  uint64_t mixed = (guard_seed() + number) * 0x9E3779B97F4A7C15u;
  mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
  return (mixed ^ mixed >> 31) & 1;
}

static bool quarantine__poisons(uint64_t number) {
  switch (guard_chosen()) {
  case GUARD_ALWAYS_TAKE:
    return false;
  case GUARD_ALWAYS_POISON:
    return true;
  case GUARD_BY_COIN:
    break;
  }
  return quarantine__coin(number);
}

static void quarantine__look_at(const guard_block *block) {
  if (block->state != GUARD_POISONED)
    return;
  static const uint64_t poison = 0x0101010101010101u * QUARANTINE__POISON;
  for (size_t i = 0; i < block->page_bytes; i += sizeof poison) {
    if (memcmp(block->pages + i, &poison, sizeof poison) != 0) {
      while (block->pages[i] == QUARANTINE__POISON)
        i++;
      guard_report("written to after free", block, block->pages + i - block->memory);
    }
  }
}

static void quarantine__let_go(void) {
  guard_block *block = s_first;
  quarantine__look_at(block);
  s_first = block->next_in_quarantine;
  s_blocks--;
  if (block->state == GUARD_POISONED) {
    s_bytes -= block->page_bytes;
    guard_pages_take_away(block);
  }
  guard_pages_forget(block);
  guard_forget(block);
}

void guard_quarantine_add(guard_block *block) {
  if (quarantine__poisons(block->number)) {
    block->state = GUARD_POISONED;
    memset(block->pages, QUARANTINE__POISON, block->page_bytes);
    s_bytes += block->page_bytes;
  } else {
    block->state = GUARD_TAKEN;
    guard_pages_take_away(block);
  }
  block->next_in_quarantine = NULL;
  if (s_blocks++ == 0)
    s_first = block;
  else
    s_last->next_in_quarantine = block;
  s_last = block;
  while (s_blocks > QUARANTINE__BLOCKS || s_bytes > QUARANTINE__BYTES)
    quarantine__let_go();
}

void guard_quarantine_check(void) {
  for (const guard_block *block = s_first; block != NULL; block = block->next_in_quarantine)
    quarantine__look_at(block);
}
