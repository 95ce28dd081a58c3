/* own_memory.c - memory that the library holds: a block for each os_alloc without its os_free. */
#include "gates.h"

void *os_alloc(size_t size);
void os_free(void *memory);

/* Declared again by gates.c, where they are called. */
void *fault_own_os_alloc(const fault_error *error, size_t size);
void *fault_own_os_alloc_epoll_listener(const fault_error *error, size_t size);
void *fault_own_os_alloc_core_buffer_pool(const fault_error *error, size_t size);
void fault_own_os_free(const fault_error *error, void *memory);

void *fault_own_os_alloc(const fault_error *error, size_t size) {
  void *made = error == NULL ? os_alloc(size) : NULL;
  if (made != NULL) {
    fault_count_block(1);
  }
  return made;
}

void *fault_own_os_alloc_epoll_listener(const fault_error *error, size_t size) {
  return fault_own_os_alloc(error, size);
}

void *fault_own_os_alloc_core_buffer_pool(const fault_error *error, size_t size) {
  return fault_own_os_alloc(error, size);
}

void fault_own_os_free(const fault_error *error, void *memory) {
  (void)error;
  if (memory != NULL) {
    fault_count_block(-1);
  }
  os_free(memory);
}
