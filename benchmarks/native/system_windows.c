/* system_windows.c - clock and thread on Windows. */
#include <stdio.h>
#include <stdlib.h>

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "transport.h"

struct bench_thread {
  HANDLE handle;
  void (*body)(void *);
  void *argument;
};

uint64_t bench_now_ns(void) {
  LARGE_INTEGER now;
  LARGE_INTEGER frequency;
  QueryPerformanceCounter(&now);
  QueryPerformanceFrequency(&frequency);
  uint64_t ticks = (uint64_t)now.QuadPart;
  uint64_t rate = (uint64_t)frequency.QuadPart;
  return ticks / rate * 1000000000u + ticks % rate * 1000000000u / rate;
}

static uint64_t system__ns(FILETIME time) {
  return (((uint64_t)time.dwHighDateTime << 32) + time.dwLowDateTime) * 100u;
}

uint64_t bench_processor_ns(void) {
  FILETIME created;
  FILETIME ended;
  FILETIME kernel;
  FILETIME user;
  GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user);
  return system__ns(kernel) + system__ns(user);
}

uint32_t bench_process_id(void) {
  return (uint32_t)GetCurrentProcessId();
}

void bench_raise_handle_limit(void) {
  /* Windows has none that matters here. */
}

static DWORD WINAPI thread__main(void *argument) {
  bench_thread *thread = argument;
  thread->body(thread->argument);
  return 0;
}

bench_thread *bench_thread_start(void (*body)(void *), void *argument) {
  bench_thread *thread = bench_alloc(sizeof *thread);
  thread->body = body;
  thread->argument = argument;
  thread->handle = CreateThread(NULL, 0, thread__main, thread, 0, NULL);
  bench_require(thread->handle != NULL, "CreateThread");
  return thread;
}

void bench_thread_join(bench_thread *thread) {
  WaitForSingleObject(thread->handle, INFINITE);
  CloseHandle(thread->handle);
  free(thread);
}

void bench_require(bool condition, const char *what) {
  if (condition)
    return;
  printf("! %s (error %lu)\n", what, (unsigned long)GetLastError());
  fflush(stdout);
  ExitProcess(1);
}

void *bench_alloc(size_t size) {
  void *memory = calloc(1, size);
  bench_require(memory != NULL, "calloc");
  return memory;
}
