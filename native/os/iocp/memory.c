/* memory.c - memory: the process's heap. A file of its own, so that a build can put an allocator that checks in its place. */
#include "iocp.h"

void *os_alloc(size_t size) {
  return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
}

void os_free(void *memory) {
  if (memory != NULL)
    HeapFree(GetProcessHeap(), 0, memory);
}
