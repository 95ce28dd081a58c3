/* guard.h - memory that tells who touches it wrongly: for the Windows build, which has no sanitizer. With the CMake option
 * NPS_GUARD these files stand in for native/os/iocp/memory.c and for the two free lists of core, so that each operation and
 * each buffer is a block of its own and really goes when it is given back.
 *
 * A LIVING BLOCK has pages of its own between two pages without access. It ends at the end of its pages, or up to 8 bytes
 * before when its size is no multiple of 8, so an access behind it faults at once. What is left of the pages, before and
 * behind, holds a fill that is looked at on free: that finds a write before the block, which need not reach a page without
 * access.
 *
 * A FREED BLOCK should fault at once when the program touches it, and it should also show what the kernel still writes into
 * it. One mapping cannot do both. Measured under Wine 8.0, with a read that pends while its memory goes:
 *   - the buffer taken away: no fault; the bytes of the peer are lost, the operation ends with 0xC00000E8
 *     (STATUS_INVALID_USER_BUFFER). Whoever freed the operation too never learns of it. No access, read-only, decommitted and
 *     released are all alike. A second view of the same memory would show nothing: nothing is written.
 *   - the OVERLAPPED taken away: the process ends at once with exit code 1 and without a word.
 *   - either left in place: the kernel writes into it.
 *   - the memory of a pending write, taken away: no effect, it was copied when the write began.
 * On Windows the page of ReadFile promises nothing about memory that is freed meanwhile. So a coin decides for each block
 * (seeded: NPS_GUARD_SEED in the environment, else new in each process, and in every report): half are taken away, which finds
 * every late access of the program; half stay in place, filled with poison, and are looked at later, which finds late writes,
 * the kernel's too. Over a suite each place in the code that frees meets both.
 *
 * Freed blocks stay in quarantine until so many newer ones have come (quarantine.c), are looked at now and then and at the end
 * of the process, and are taken away after that. Addresses are not used again before some gigabytes of others were.
 *
 * A FINDING is one line on stderr that names the block's size and number; the process ends with GUARD_EXIT_CODE. An access that
 * faults is reported the same way. Any thread may allocate and free. */
#ifndef NPS_GUARD_H
#define NPS_GUARD_H

#include <windows.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os.h"

enum { GUARD_EXIT_CODE = 86 };

typedef enum guard_state {
  GUARD_LIVING,
  GUARD_TAKEN, /* freed: its pages have no access */
  GUARD_POISONED /* freed: its pages are there, full of poison */
} guard_state;

typedef struct guard_chunk {
  struct guard_chunk *next; /* among those that are full and empty again */
  uint8_t *base;
  size_t size;
  size_t used; /* from base; behind it nothing was given out yet */
  size_t blocks; /* living or in quarantine */
} guard_chunk;

typedef struct guard_block {
  struct guard_block *next_in_bucket;
  struct guard_block *next_in_quarantine;
  guard_chunk *chunk;
  uint8_t *pages;
  size_t page_bytes;
  uint8_t *memory; /* what the program has */
  size_t size;
  uint64_t number; /* the first one is 1 */
  guard_state state;
} guard_block;

/* ---- pages.c: addresses and pages. pre: guard_lock held ---- */

/* Pages for `size` bytes; false when the system has none. Fills in all but the number. */
bool guard_pages_give(guard_block *block, size_t size);
void guard_pages_take_away(const guard_block *block);
/* The block will not be asked about any more. */
void guard_pages_forget(const guard_block *block);
bool guard_pages_contain(const void *address);

/* ---- quarantine.c: pre: guard_lock held ---- */

/* The block was freed: takes it away or poisons it. */
void guard_quarantine_add(guard_block *block);
/* Looks at every freed block that is still in place. */
void guard_quarantine_check(void);

/* ---- report.c ---- */

/* Ends the process. `block` may be null. `offset`: from the beginning of the block. */
_Noreturn void guard_report(const char *what, const guard_block *block, ptrdiff_t offset);
/* Faults at our addresses become reports. */
void guard_report_faults(bool on);

/* ---- memory.c ---- */

extern SRWLOCK guard_lock;

/* The block that an address lies in or next to; null if none. pre: guard_lock held, or the process is about to end. */
const guard_block *guard_find_near(const void *address);
/* The table forgets the block and frees its record. pre: guard_lock held. */
void guard_forget(guard_block *block);

uint64_t guard_seed(void);

/* For the tests of this allocator: what becomes of blocks that are freed from now on. */
typedef enum guard_choice { GUARD_BY_COIN, GUARD_ALWAYS_TAKE, GUARD_ALWAYS_POISON } guard_choice;
void guard_choose(guard_choice choice);
guard_choice guard_chosen(void);
/* Looks at quarantine now; takes the lock. */
void guard_check_now(void);

#endif
