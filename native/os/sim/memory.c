/* memory.c - what the library has allocated, and which of it the kernel holds (rule 5). Freed blocks stay poisoned in quarantine
 * for a while: who writes there is found out. */
#include "kernel.h"

#define MEMORY_POISON 0xDDu
#define MEMORY_MAGIC 0x5ED1A110u
#define MEMORY_BUCKETS 4096u
#define MEMORY_QUARANTINE_MAX 1024u

typedef struct memory_block {
  struct memory_block *next; /* in its bucket */
  size_t size;
  uint32_t magic;
  int held; /* times that the kernel holds it */
  union {
    max_align_t align; /* cppcheck-suppress unusedStructMember; only its alignment is wanted */
    uint8_t bytes[1];
  } u;
} memory_block;

static memory_block *memory__buckets[MEMORY_BUCKETS];
static uint32_t memory__count;
static uint64_t memory__bytes;
static memory_block *memory__quarantine[MEMORY_QUARANTINE_MAX];
static uint32_t memory__quarantined;

static memory_block **memory__bucket(const void *memory) {
  const uintptr_t place = (uintptr_t)memory >> 4;
  return &memory__buckets[(place ^ place >> 12) % MEMORY_BUCKETS];
}

static memory_block *memory__find(const void *memory) {
  memory_block *block = *memory__bucket(memory);
  while (block != NULL && block->u.bytes != memory) block = block->next;
  return block;
}

void sim_memory_begin(void) {
  memset(memory__buckets, 0, sizeof memory__buckets);
  memory__count = memory__quarantined = 0;
  memory__bytes = 0;
}

/* The block's last moment: nobody may have touched it since it was freed. */
static void memory__bury(memory_block *block) {
  if (!sim_is_all(block->u.bytes, block->size, MEMORY_POISON)) sim_fail("memory was written after it was freed");
  sim_host_free(block);
}

void sim_memory_finish(void) {
  for (uint32_t i = 0; i < memory__quarantined; i++) memory__bury(memory__quarantine[i]);
  memory__quarantined = 0;
  if (memory__count != 0) sim_fail("%u blocks of memory were not freed", memory__count);
}

void sim_memory_hold(const void *memory, int change) {
  memory_block *block = memory__find(memory);
  if (block != NULL) block->held += change; /* else it is a script's own */
}

uint32_t sim_blocks(void) { return memory__count; }

uint64_t sim_bytes(void) { return memory__bytes; }

bool sim_memory_is_block(const void *memory) { return memory__find(memory) != NULL; }

void *os_alloc(size_t size) {
  if (sim_strikes(SIM_FAULT_ALLOC)) return NULL;
  memory_block *block = sim_host_alloc(offsetof(memory_block, u) + (size == 0 ? 1 : size));
  memory_block **bucket = memory__bucket(block->u.bytes);
  block->size = size;
  block->magic = MEMORY_MAGIC;
  block->next = *bucket;
  *bucket = block;
  memory__count++;
  memory__bytes += size;
  return block->u.bytes;
}

void os_free(void *memory) {
  if (memory == NULL) return;
  memory_block **link = memory__bucket(memory);
  while (*link != NULL && (*link)->u.bytes != memory) link = &(*link)->next;
  memory_block *block = *link;
  if (block == NULL || block->magic != MEMORY_MAGIC) sim_fail("os_free of what os_alloc did not give, or twice");
  if (block->held != 0) sim_fail("rule 5: memory was freed while the kernel holds it");
  *link = block->next;
  memory__count--;
  memory__bytes -= block->size;
  uint32_t most = sim.settings.quarantine;
  if (most > MEMORY_QUARANTINE_MAX) most = MEMORY_QUARANTINE_MAX;
  if (most == 0) {
    sim_host_free(block);
    return;
  }
  memset(block->u.bytes, MEMORY_POISON, block->size);
  if (memory__quarantined < most) {
    memory__quarantine[memory__quarantined++] = block;
    return;
  }
  const uint32_t place = sim_random(memory__quarantined);
  memory__bury(memory__quarantine[place]);
  memory__quarantine[place] = block;
}
