/* platform.c - time and memory. */
#include "epoll.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

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
