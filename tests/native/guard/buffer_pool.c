/* buffer_pool.c - core's pool without its free list: a buffer that is given back is freed. In place of
 * native/core/buffer_pool.c, of which all but the giving back is taken. */
#define buffer_pool_give buffer_pool__give_to_list
#include "../../../native/core/buffer_pool.c"
#undef buffer_pool_give

void buffer_pool_give(buffer_pool *pool, void *buffer);

void buffer_pool_give(buffer_pool *pool, void *buffer) {
  os_free(buffer);
  os_lock_enter(pool->lock);
  pool->made--;
  os_lock_leave(pool->lock);
}
