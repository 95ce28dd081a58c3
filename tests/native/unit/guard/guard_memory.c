/* tests/native/guard: what it must not break, and that both fates of a freed block happen. */
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "op.h"
#include "pipe.h"
#include "poll.h"
#include "sys.h"
#include "test.h"

static bool is_there(const void *memory) {
  MEMORY_BASIC_INFORMATION information;
  REQUIRE(VirtualQuery(memory, &information, sizeof information) == sizeof information);
  return information.State == MEM_COMMIT;
}

static uint64_t next(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

TEST(test_guard_a_block_is_zeroed_and_aligned) {
  for (size_t size = 0; size < 9000; size += 1 + size / 40) {
    uint8_t *block = os_alloc(size);
    REQUIRE(block != NULL && (uintptr_t)block % 8 == 0);
    REQUIRE(size % 16 != 0 || (uintptr_t)block % 16 == 0);
    for (size_t i = 0; i < size; i++) {
      REQUIRE_EQUAL(0, block[i]);
    }
    memset(block, 0xA5, size);
    os_free(block);
  }
  os_free(NULL);
  REQUIRE(os_alloc(SIZE_MAX) == NULL);
  guard_check_now();
}

TEST(test_guard_freed_blocks_are_taken_away_or_poisoned) {
  enum { BLOCKS = 64 };
  void *blocks[BLOCKS];
  int there = 0;
  for (int i = 0; i < BLOCKS; i++) {
    blocks[i] = os_alloc(200);
  }
  for (int i = 0; i < BLOCKS; i++) {
    os_free(blocks[i]);
    there += is_there(blocks[i]);
  }
  REQUIRE(there > 0 && there < BLOCKS);
}

TEST(test_guard_a_block_that_left_quarantine_is_taken_away) {
  guard_choose(GUARD_ALWAYS_POISON);
  void *block = os_alloc(200);
  os_free(block);
  REQUIRE(is_there(block));
  for (int i = 0; i < 600; i++) {
    os_free(os_alloc(65536));
  }
  guard_choose(GUARD_BY_COIN);
  REQUIRE(!is_there(block));
}

/* Else a late use would only meet the next user of the same memory. */
TEST(test_guard_operations_and_buffers_are_freed_when_given_back) {
  nps_poll *poll = NULL;
  nps_pipe *pipe = test_new(sizeof *pipe);
  REQUIRE_OK(nps_poll_create(NULL, &poll));
  pipe->poll = poll;
  guard_choose(GUARD_ALWAYS_TAKE);
  op *o = op_acquire(pipe);
  REQUIRE(o != NULL && op_take_memory(o, poll, 65536, false));
  const void *buffer = o->os.memory;
  REQUIRE_EQUAL(1, poll->pool.made);
  op_release(o, poll);
  guard_choose(GUARD_BY_COIN);
  REQUIRE(!is_there(o) && !is_there(buffer));
  REQUIRE_EQUAL(0, poll->pool.made);
  REQUIRE_EQUAL(0, poll->ops_out);
  nps_poll_release(poll);
}

static void allocate_and_free(void *context) {
  enum { SLOTS = 50, ROUNDS = 2000 };
  uint64_t state = (uint64_t)(uintptr_t)context;
  struct {
    uint8_t *memory;
    size_t size;
    uint64_t seed;
  } slots[SLOTS] = {{NULL, 0, 0}};
  for (int round = 0; round < ROUNDS; round++) {
    int slot = (int)(next(&state) % SLOTS);
    if (slots[slot].memory != NULL) {
      pattern_require(slots[slot].memory, slots[slot].size, slots[slot].seed, 0);
      os_free(slots[slot].memory);
    }
    slots[slot].size = next(&state) % (round % 10 == 0 ? 70000 : 300);
    slots[slot].seed = state;
    slots[slot].memory = os_alloc(slots[slot].size);
    REQUIRE(slots[slot].memory != NULL);
    pattern_fill(slots[slot].memory, slots[slot].size, slots[slot].seed, 0);
  }
  for (int slot = 0; slot < SLOTS; slot++) {
    os_free(slots[slot].memory);
  }
}

TEST(test_guard_threads_allocate_and_free) {
  enum { THREADS = 4 };
  sys_thread *threads[THREADS];
  for (int i = 0; i < THREADS; i++) {
    threads[i] = sys_thread_start(allocate_and_free, (void *)(uintptr_t)(i + 1));
  }
  for (int i = 0; i < THREADS; i++) {
    sys_thread_join(threads[i]);
  }
  guard_check_now();
}
