/* memory.c - os_alloc and os_free on guarded pages, and the table that knows every block which lives or is in quarantine. */
#include "guard.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY__BUCKETS = 65536, MEMORY__FILL = 0xB9, MEMORY__CHECK_EVERY = 4096 };

SRWLOCK guard_lock = SRWLOCK_INIT;

static guard_block *s_buckets[MEMORY__BUCKETS];
static uint64_t s_number; /* of the newest block */
static uint64_t s_operations;
static uint64_t s_seed;
static guard_choice s_choice;
static bool s_ready;

/* At the end of the program, or when the library leaves it. Where other threads were ended by the system before, one may have
 * had the lock. */
static void memory__at_end(void) {
  if (TryAcquireSRWLockExclusive(&guard_lock)) {
    guard_quarantine_check();
    ReleaseSRWLockExclusive(&guard_lock);
  }
  guard_report_faults(false);
}

/* pre: lock held */
static void memory__prepare(void) {
  if (s_ready)
    return;
  char text[32];
  LARGE_INTEGER now;
  QueryPerformanceCounter(&now);
  s_seed = ((uint64_t)GetCurrentProcessId() << 32) ^ (uint64_t)now.QuadPart;
  DWORD length = GetEnvironmentVariableA("NPS_GUARD_SEED", text, sizeof text);
  if (length > 0 && length < sizeof text)
    s_seed = strtoull(text, NULL, 10);
  guard_report_faults(true);
  (void)atexit(memory__at_end);
  s_ready = true;
}

uint64_t guard_seed(void) {
  return s_seed;
}

void guard_choose(guard_choice choice) {
  s_choice = choice;
}

guard_choice guard_chosen(void) {
  return s_choice;
}

static guard_block **memory__bucket(const void *memory) {
  uintptr_t mixed = (uintptr_t)memory >> 3;
  return &s_buckets[(mixed ^ mixed >> 9 ^ mixed >> 18) % MEMORY__BUCKETS]; /* a page holds one block */
}

static guard_block *memory__find(const void *memory) {
  guard_block *block = *memory__bucket(memory);
  while (block != NULL && block->memory != memory)
    block = block->next_in_bucket;
  return block;
}

void guard_forget(guard_block *block) {
  guard_block **link = memory__bucket(block->memory);
  while (*link != block)
    link = &(*link)->next_in_bucket;
  *link = block->next_in_bucket;
  HeapFree(GetProcessHeap(), 0, block);
}

const guard_block *guard_find_near(const void *address) {
  for (size_t i = 0; i < MEMORY__BUCKETS; i++) {
    for (const guard_block *block = s_buckets[i]; block != NULL; block = block->next_in_bucket) {
      if ((uintptr_t)address - (uintptr_t)block->pages < block->page_bytes)
        return block;
    }
  }
  /* A page between two blocks belongs to the one before it: programs run past an end more often. */
  const guard_block *nearest = NULL;
  for (size_t i = 0; i < MEMORY__BUCKETS; i++) {
    for (const guard_block *block = s_buckets[i]; block != NULL; block = block->next_in_bucket) {
      if (block->pages < (const uint8_t *)address && (nearest == NULL || nearest->pages < block->pages))
        nearest = block;
    }
  }
  return nearest;
}

static void memory__count_operation(void) {
  if (++s_operations % MEMORY__CHECK_EVERY == 0)
    guard_quarantine_check();
}

static void memory__fill_rest(const guard_block *block) {
  uint8_t *end = block->memory + block->size;
  memset(block->pages, MEMORY__FILL, (size_t)(block->memory - block->pages));
  memset(end, MEMORY__FILL, (size_t)(block->pages + block->page_bytes - end));
}

static void memory__look_at_rest(const guard_block *block) {
  for (const uint8_t *byte = block->memory; byte-- > block->pages;) {
    if (*byte != MEMORY__FILL)
      guard_report("written to before its beginning", block, byte - block->memory);
  }
  for (const uint8_t *byte = block->memory + block->size; byte < block->pages + block->page_bytes; byte++) {
    if (*byte != MEMORY__FILL)
      guard_report("written to behind its end", block, byte - block->memory);
  }
}

void *os_alloc(size_t size) {
  guard_block *block = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *block);
  if (block == NULL)
    return NULL;
  AcquireSRWLockExclusive(&guard_lock);
  memory__prepare();
  memory__count_operation();
  bool given = guard_pages_give(block, size);
  if (given) {
    block->number = ++s_number;
    memory__fill_rest(block);
    guard_block **bucket = memory__bucket(block->memory);
    block->next_in_bucket = *bucket;
    *bucket = block;
  }
  ReleaseSRWLockExclusive(&guard_lock);
  if (given)
    return block->memory;
  HeapFree(GetProcessHeap(), 0, block);
  return NULL;
}

void os_free(void *memory) {
  if (memory == NULL)
    return;
  AcquireSRWLockExclusive(&guard_lock);
  guard_block *block = memory__find(memory);
  if (block == NULL)
    guard_report("free of what is no block, or was freed long ago", NULL, 0);
  if (block->state != GUARD_LIVING)
    guard_report("freed twice", block, 0);
  memory__look_at_rest(block);
  guard_quarantine_add(block);
  memory__count_operation();
  ReleaseSRWLockExclusive(&guard_lock);
}

void guard_check_now(void) {
  AcquireSRWLockExclusive(&guard_lock);
  guard_quarantine_check();
  ReleaseSRWLockExclusive(&guard_lock);
}
