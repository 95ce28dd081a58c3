#include "buffer_pool.h"

void buffer_pool_init(buffer_pool *pool, os_lock *lock, uint32_t limit, uint32_t size) {
  pool->lock = lock;
  pool->free = NULL;
  pool->size = size;
  pool->limit = limit;
  pool->made = 0;
}

void buffer_pool_destroy(buffer_pool *pool) {
  while (pool->free != NULL) {
    void *buffer = pool->free;
    memcpy(&pool->free, buffer, sizeof pool->free);
    os_free(buffer);
  }
}

void *buffer_pool_take(buffer_pool *pool) {
  if (pool->limit == 0)
    return NULL; /* never changes: no lock needed */
  os_lock_enter(pool->lock);
  void *buffer = pool->free;
  bool make = buffer == NULL && pool->made < pool->limit;
  if (buffer != NULL)
    memcpy(&pool->free, buffer, sizeof pool->free);
  if (make)
    pool->made++; /* reserved before the lock is left, so that the limit holds */
  os_lock_leave(pool->lock);
  if (!make)
    return buffer;

  buffer = os_alloc(pool->size);
  if (buffer == NULL) {
    os_lock_enter(pool->lock);
    pool->made--;
    os_lock_leave(pool->lock);
  }
  return buffer;
}

void buffer_pool_give(buffer_pool *pool, void *buffer) {
  os_lock_enter(pool->lock);
  memcpy(buffer, &pool->free, sizeof pool->free);
  pool->free = buffer;
  os_lock_leave(pool->lock);
}
