/* memory.c - counts the blocks of memory that the library holds. The linker puts these two in the place of the backend's os_alloc
 * and os_free (its --wrap, which names them so); with a linker that cannot, WALK_COUNTS_MEMORY is not defined. */
#include "real.h"

#if defined(WALK_COUNTS_MEMORY)

static uint32_t memory__blocks;

/* NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_os_alloc(size_t size);
void __real_os_free(void *memory);
void *__wrap_os_alloc(size_t size);
void __wrap_os_free(void *memory);

void *__wrap_os_alloc(size_t size) {
  void *memory = __real_os_alloc(size);
  memory__blocks += memory != NULL;
  return memory;
}

void __wrap_os_free(void *memory) {
  memory__blocks -= memory != NULL;
  __real_os_free(memory);
}
/* NOLINTEND(bugprone-reserved-identifier) */

uint32_t real_blocks(void) { return memory__blocks; }

#else

uint32_t real_blocks(void) { return 0; }

#endif
