/* platform.c - locks, time and memory. */
#include "epoll.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* The only failures that the manual knows for these calls on objects of ours are misuse; going on would corrupt. */
static void platform__check(int error) {
  if (error != 0) {
    abort();
  }
}

void os_lock_init(os_lock *lock) {
  platform__check(pthread_mutex_init(lock, NULL));
}
void os_lock_destroy(os_lock *lock) {
  platform__check(pthread_mutex_destroy(lock));
}
void os_lock_enter(os_lock *lock) {
  platform__check(pthread_mutex_lock(lock));
}
void os_lock_leave(os_lock *lock) {
  platform__check(pthread_mutex_unlock(lock));
}

void os_signal_init(os_signal *signal) {
  platform__check(pthread_cond_init(signal, NULL));
}
void os_signal_destroy(os_signal *signal) {
  platform__check(pthread_cond_destroy(signal));
}
void os_signal_wait(os_signal *signal, os_lock *lock) {
  platform__check(pthread_cond_wait(signal, lock));
}
void os_signal_all(os_signal *signal) {
  platform__check(pthread_cond_broadcast(signal));
}

uint64_t os_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void os_sleep_ms(uint32_t ms) {
  struct timespec rest = {.tv_sec = (time_t)(ms / 1000u), .tv_nsec = (long)(ms % 1000u) * 1000000L};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR) {
    /* a signal: sleep what is left */
  }
}

void *os_alloc(size_t size) {
  return calloc(1, size);
}
void os_free(void *memory) {
  free(memory);
}
