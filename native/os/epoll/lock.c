/* lock.c - locks and signals over futex. The uncontended case is one atomic operation and no system call; a sleeper is woken by
 * one. (U. Drepper's "Futexes Are Tricky" describes the three states.)
 *
 * After the last exchange in os_lock_leave the lock may be somebody else's and even be freed: the wake that follows names an
 * address only, and every futex sleeper looks again when woken. */
#include "epoll.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOCK_FREE, LOCK_HELD, LOCK_CONTENDED };

/* errno is left alone: a lock may be taken between a call and the look at what it said. */
static void lock__futex(atomic_uint *word, int operation, unsigned int value) {
  int error = errno;
  (void)syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
  errno = error;
}

/* Sleeps while the word is `value`; may wake for nothing. */
static void lock__sleep(atomic_uint *word, unsigned int value) {
  lock__futex(word, FUTEX_WAIT_PRIVATE, value);
}

static void lock__wake(atomic_uint *word, unsigned int sleepers) {
  lock__futex(word, FUTEX_WAKE_PRIVATE, sleepers);
}

void os_lock_init(os_lock *lock) {
  atomic_init(&lock->word, LOCK_FREE);
}

void os_lock_destroy(os_lock *lock) {
  (void)lock; /* holds nothing */
}

static void lock__enter_contended(os_lock *lock) {
  while (atomic_exchange_explicit(&lock->word, LOCK_CONTENDED, memory_order_acquire) != LOCK_FREE) {
    lock__sleep(&lock->word, LOCK_CONTENDED);
  }
}

void os_lock_enter(os_lock *lock) {
  unsigned int expected = LOCK_FREE;
  if (!atomic_compare_exchange_strong_explicit(
          &lock->word, &expected, LOCK_HELD, memory_order_acquire, memory_order_relaxed)) {
    lock__enter_contended(lock);
  }
}

void os_lock_leave(os_lock *lock) {
  if (atomic_exchange_explicit(&lock->word, LOCK_FREE, memory_order_release) == LOCK_CONTENDED) {
    lock__wake(&lock->word, 1);
  }
}

void os_signal_init(os_signal *signal) {
  atomic_init(&signal->count, 0);
}

void os_signal_destroy(os_signal *signal) {
  (void)signal; /* likewise */
}

void os_signal_wait(os_signal *signal, os_lock *lock) {
  unsigned int count = atomic_load(&signal->count); /* under the lock: a signal that comes from here on changes it */
  os_lock_leave(lock);
  lock__sleep(&signal->count, count);
  os_lock_enter(lock);
}

void os_signal_all(os_signal *signal) {
  atomic_fetch_add(&signal->count, 1);
  lock__wake(&signal->count, INT_MAX);
}
