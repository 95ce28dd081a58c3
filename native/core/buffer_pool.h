/* buffer_pool.h - the read-ahead buffers of one poll: all of one size, made when first needed, never more than a limit.
 *
 * OWNERSHIP: a buffer belongs to whoever took it until it is given back (rule 5: an operation keeps its buffer until its
 * completion was dequeued). THREADS: guarded by the lock given to init, the poll's; the calls take it. */
#ifndef NPS_CORE_BUFFER_POOL_H
#define NPS_CORE_BUFFER_POOL_H

#include "base.h"

typedef struct buffer_pool {
  os_lock *lock;
  void *free; /* each free buffer begins with the pointer to the next */
  uint32_t size; /* of a buffer, in bytes */
  uint32_t limit; /* buffers at most */
  uint32_t made; /* buffers that exist: free ones and taken ones */
} buffer_pool;

void buffer_pool_init(buffer_pool *pool, os_lock *lock, uint32_t limit, uint32_t size);

/* Frees the free buffers. pre: none is taken. */
void buffer_pool_destroy(buffer_pool *pool);

/* A buffer of pool->size bytes; null when the limit is reached or memory is out. */
void *buffer_pool_take(buffer_pool *pool);

void buffer_pool_give(buffer_pool *pool, void *buffer);

#endif
