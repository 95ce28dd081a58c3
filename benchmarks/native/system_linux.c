/* system_linux.c - clock, thread and limits on Linux. */
#define _GNU_SOURCE /* the C library's clock, threads and resource limits under -std=c17 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "transport.h"

struct bench_thread {
  pthread_t id;
  void (*body)(void *);
  void *argument;
};

uint64_t bench_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t bench_processor_ns(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

uint32_t bench_process_id(void) {
  return (uint32_t)getpid();
}

void bench_raise_handle_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void *thread__main(void *argument) {
  bench_thread *thread = argument;
  thread->body(thread->argument);
  return NULL;
}

bench_thread *bench_thread_start(void (*body)(void *), void *argument) {
  bench_thread *thread = bench_alloc(sizeof *thread);
  thread->body = body;
  thread->argument = argument;
  errno = pthread_create(&thread->id, NULL, thread__main, thread);
  bench_require(errno == 0, "pthread_create");
  return thread;
}

void bench_thread_join(bench_thread *thread) {
  pthread_join(thread->id, NULL);
  free(thread);
}

void bench_require(bool condition, const char *what) {
  if (condition)
    return;
  printf("! %s (errno %d: %s)\n", what, errno, strerror(errno));
  fflush(stdout);
  _exit(1);
}

void *bench_alloc(size_t size) {
  void *memory = calloc(1, size);
  bench_require(memory != NULL, "calloc");
  return memory;
}
