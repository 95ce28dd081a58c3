/* pages.c - where blocks lie: [no access][pages of a block][no access][pages of the next]... in chunks of reserved addresses.
 * Neighbours share the page between them. Addresses are used once; a chunk whose blocks are all gone is used again only after
 * PAGES__CHUNKS_KEPT others. */
#include "guard.h"

#define PAGES__SIZE ((size_t)4096)
#define PAGES__CHUNK ((size_t)64 * 1024 * 1024)

enum { PAGES__CHUNKS_KEPT = 256, PAGES__CHUNKS_MAX = 4096 };

static guard_chunk *s_chunks[PAGES__CHUNKS_MAX]; /* all there are */
static size_t s_count;
static guard_chunk *s_current;
static guard_chunk *s_empty_first, *s_empty_last; /* the longest empty first */
static size_t s_empty;

static guard_chunk *pages__reserve(size_t size) {
  if (s_count == PAGES__CHUNKS_MAX)
    return NULL;
  guard_chunk *made = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *made);
  if (made == NULL)
    return NULL;
  made->base = VirtualAlloc(NULL, size, MEM_RESERVE, PAGE_NOACCESS);
  if (made->base == NULL) {
    HeapFree(GetProcessHeap(), 0, made);
    return NULL;
  }
  made->size = size;
  s_chunks[s_count++] = made;
  return made;
}

static guard_chunk *pages__take_empty(void) {
  guard_chunk *chunk = s_empty_first;
  s_empty_first = chunk->next;
  s_empty--;
  chunk->next = NULL;
  return chunk;
}

static void pages__retire(guard_chunk *chunk) {
  chunk->used = PAGES__SIZE;
  chunk->next = NULL;
  if (s_empty++ == 0)
    s_empty_first = chunk;
  else
    s_empty_last->next = chunk;
  s_empty_last = chunk;
}

/* A chunk with `bytes` left. */
static guard_chunk *pages__chunk(size_t bytes) {
  if (s_current != NULL && s_current->size - s_current->used >= bytes)
    return s_current;
  guard_chunk *next = NULL;
  if (s_empty > PAGES__CHUNKS_KEPT && s_empty_first->size - PAGES__SIZE >= bytes)
    next = pages__take_empty();
  else
    next = pages__reserve(bytes + PAGES__SIZE > PAGES__CHUNK ? bytes + PAGES__SIZE : PAGES__CHUNK);
  if (next == NULL)
    return NULL;
  next->used = PAGES__SIZE; /* no access before the first block */
  guard_chunk *former = s_current;
  s_current = next;
  if (former != NULL && former->blocks == 0)
    pages__retire(former);
  return next;
}

/* An object's size is a multiple of its alignment, so this suits every object of that size. */
static size_t pages__alignment(size_t size) {
  return size % MEMORY_ALLOCATION_ALIGNMENT == 0 ? MEMORY_ALLOCATION_ALIGNMENT : sizeof(uint64_t);
}

bool guard_pages_give(guard_block *block, size_t size) {
  if (size > SIZE_MAX / 2)
    return false;
  size_t page_bytes = (size + PAGES__SIZE - 1) / PAGES__SIZE * PAGES__SIZE;
  if (page_bytes == 0)
    page_bytes = PAGES__SIZE;
  guard_chunk *chunk = pages__chunk(page_bytes + PAGES__SIZE);
  if (chunk == NULL)
    return false;
  uint8_t *pages = chunk->base + chunk->used;
  if (VirtualAlloc(pages, page_bytes, MEM_COMMIT, PAGE_READWRITE) == NULL) /* zeroed */
    return false;
  chunk->used += page_bytes + PAGES__SIZE;
  chunk->blocks++;
  size_t alignment = pages__alignment(size);
  block->chunk = chunk;
  block->pages = pages;
  block->page_bytes = page_bytes;
  block->size = size;
  block->memory = pages + (page_bytes - size) / alignment * alignment;
  block->state = GUARD_LIVING;
  return true;
}

void guard_pages_take_away(const guard_block *block) {
  if (!VirtualFree(block->pages, block->page_bytes, MEM_DECOMMIT))
    guard_report("its pages cannot be taken away", block, 0);
}

void guard_pages_forget(const guard_block *block) {
  guard_chunk *chunk = block->chunk;
  if (--chunk->blocks == 0 && chunk != s_current)
    pages__retire(chunk);
}

bool guard_pages_contain(const void *address) {
  for (size_t i = 0; i < s_count; i++) {
    if ((uintptr_t)address - (uintptr_t)s_chunks[i]->base < s_chunks[i]->size)
      return true;
  }
  return false;
}
