/* core/buffer_pool.h */
#include "buffer_pool.h"

#include "test.h"

TEST(test_a_pool_gives_no_more_than_its_limit) {
  os_lock lock;
  buffer_pool pool;
  void *taken[4];
  os_lock_init(&lock);
  memset(&pool, 0xA5, sizeof pool);
  buffer_pool_init(&pool, &lock, 3, 4096);
  REQUIRE_EQUAL(0, pool.made); /* made when first needed */
  for (int i = 0; i < 3; i++) {
    taken[i] = buffer_pool_take(&pool);
    REQUIRE(taken[i] != NULL);
    memset(taken[i], 0xA5, 4096); /* all of it is ours */
    for (int k = 0; k < i; k++) {
      REQUIRE(taken[k] != taken[i]);
    }
  }
  REQUIRE(buffer_pool_take(&pool) == NULL);
  buffer_pool_give(&pool, taken[1]);
  taken[3] = buffer_pool_take(&pool);
#if !defined(NPS_GUARD)
  REQUIRE(taken[3] == taken[1]); /* used again, not made anew */
#endif
  REQUIRE_EQUAL(3, pool.made);
  buffer_pool_give(&pool, taken[0]);
  buffer_pool_give(&pool, taken[2]);
  buffer_pool_give(&pool, taken[3]);
  buffer_pool_destroy(&pool);
  os_lock_destroy(&lock);
}

TEST(test_a_pool_of_none_gives_none) {
  os_lock lock;
  buffer_pool pool;
  os_lock_init(&lock);
  memset(&pool, 0xA5, sizeof pool);
  buffer_pool_init(&pool, &lock, 0, 65536);
  REQUIRE(buffer_pool_take(&pool) == NULL);
  buffer_pool_destroy(&pool);
  os_lock_destroy(&lock);
}
