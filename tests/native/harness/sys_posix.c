#define _GNU_SOURCE 1

#include "sys.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

struct sys_thread {
  pthread_t id;
  void (*run)(void *);
  void *context;
  sys_atomic ended;
};

struct sys_event {
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  bool set;
};

struct sys_process {
  pid_t id;
};

uint64_t sys_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

uint64_t sys_now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t sys_cpu_ms(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (uint64_t)used.tv_sec * 1000u + (uint64_t)used.tv_nsec / 1000000u;
}

uint32_t sys_process_id(void) {
  return (uint32_t)getpid();
}

bool sys_is_wine(void) {
  return false;
}

bool sys_is_windows(void) {
  return false;
}

static void *sys__thread_main(void *context) {
  sys_thread *thread = context;
  test_run_thread(thread->run, thread->context);
  sys_atomic_set(&thread->ended, 1);
  return NULL;
}

sys_thread *sys_thread_start(void (*run)(void *), void *context) {
  sys_thread *thread = calloc(1, sizeof *thread);
  if (thread == NULL) {
    FAIL("no memory for a thread");
  }
  thread->run = run;
  thread->context = context;
  if (pthread_create(&thread->id, NULL, sys__thread_main, thread) != 0) {
    FAIL("cannot start a thread");
  }
  return thread;
}

void sys_thread_join(sys_thread *thread) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 2 * TEST_DEADLINE_MS / 1000;
  if (pthread_timedjoin_np(thread->id, NULL, &until) != 0) {
    FAIL("a helper thread does not end");
  }
  free(thread);
}

/* The record must outlive the thread, which writes into it; one a process is no leak. */
void sys_thread_detach(sys_thread *thread) {
  static sys_thread *s_kept;
  s_kept = thread;
  pthread_detach(s_kept->id);
}

void sys_yield(void) {
  sched_yield();
}

sys_event *sys_event_new(void) {
  sys_event *event = calloc(1, sizeof *event);
  if (event == NULL) {
    FAIL("no memory for an event");
  }
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&event->mutex, NULL);
  pthread_cond_init(&event->condition, &attributes);
  pthread_condattr_destroy(&attributes);
  return event;
}

void sys_event_set(sys_event *event) {
  pthread_mutex_lock(&event->mutex);
  event->set = true;
  pthread_cond_signal(&event->condition);
  pthread_mutex_unlock(&event->mutex);
}

bool sys_event_wait(sys_event *event, uint32_t timeout_ms) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += (time_t)(timeout_ms / 1000u);
  until.tv_nsec += (long)(timeout_ms % 1000u) * 1000000l;
  if (until.tv_nsec >= 1000000000l) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000l;
  }
  int result = 0;
  pthread_mutex_lock(&event->mutex);
  while (!event->set && result == 0) {
    result = pthread_cond_timedwait(&event->condition, &event->mutex, &until);
  }
  bool set = event->set;
  event->set = false;
  pthread_mutex_unlock(&event->mutex);
  return set;
}

void sys_event_free(sys_event *event) {
  pthread_cond_destroy(&event->condition);
  pthread_mutex_destroy(&event->mutex);
  free(event);
}

int64_t sys_atomic_get(sys_atomic *atomic) {
  return __atomic_load_n(&atomic->value, __ATOMIC_SEQ_CST);
}

void sys_atomic_set(sys_atomic *atomic, int64_t value) {
  __atomic_store_n(&atomic->value, value, __ATOMIC_SEQ_CST);
}

int64_t sys_atomic_add(sys_atomic *atomic, int64_t value) {
  return __atomic_add_fetch(&atomic->value, value, __ATOMIC_SEQ_CST);
}

/* fork without exec: the child may then change its user, who need not be able to read the program's file. */
sys_process *sys_spawn(const char *child, const char *argument) {
  sys_process *process = calloc(1, sizeof *process);
  if (process == NULL) {
    FAIL("no memory for a process");
  }
  fflush(NULL);
  process->id = fork();
  if (process->id < 0) {
    FAIL("fork: errno %d", errno);
  }
  if (process->id == 0) {
    int code = 99;
    test_is_child();
    for (const test_child *one = test_children; one->name != NULL; one++) {
      if (strcmp(one->name, child) == 0) {
        code = one->run(argument);
      }
    }
    sys_exit_now(code);
  }
  return process;
}

int sys_process_wait(sys_process *process) {
  uint64_t deadline = test_deadline();
  int status = 0;
  pid_t got = 0;
  while ((got = waitpid(process->id, &status, WNOHANG)) == 0 && !test_expired(deadline)) {
    sys_yield();
  }
  if (got == 0) {
    kill(process->id, SIGKILL);
    (void)waitpid(process->id, &status, 0);
  }
  free(process);
  if (got > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
    return SYS_KILLED;
  }
  return got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void sys_process_kill(sys_process *process) {
  (void)kill(process->id, SIGKILL);
}

/* A child is a fork: the address is the same there. */
sys_shared sys_shared_new(size_t size) {
  sys_shared made = {.memory = NULL, .size = size, .handle = -1, .id = ""};
  made.memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (made.memory == MAP_FAILED) {
    FAIL("no shared memory: errno %d", errno);
  }
  (void)snprintf(made.id, sizeof made.id, "%llx", (unsigned long long)(uintptr_t)made.memory);
  return made;
}

void *sys_shared_open(const char *id, size_t size) {
  (void)size;
  return (void *)(uintptr_t)strtoull(id, NULL, 16);
}

void sys_shared_free(sys_shared *shared) {
  munmap(shared->memory, shared->size);
  shared->memory = NULL;
}

bool sys_shared_await(sys_atomic *value, int64_t least, uint64_t deadline) {
  while (sys_atomic_get(value) < least) {
    if (test_expired(deadline)) {
      return false;
    }
    (void)usleep(50); /* other processes cannot wake us here: the look is repeated */
  }
  return true;
}

_Noreturn void sys_exit_now(int code) {
  fflush(NULL);
  _exit(code);
}

static uint32_t sys__count_entries(const char *folder) {
  uint32_t count = 0;
  DIR *directory = opendir(folder);
  if (directory == NULL) {
    FAIL("cannot read %s", folder);
  }
  for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
    count += entry->d_name[0] != '.';
  }
  closedir(directory);
  return count;
}

uint32_t sys_handle_count(void) {
  return sys__count_entries("/proc/self/fd");
}

uint32_t sys_thread_count(void) {
  return sys__count_entries("/proc/self/task");
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SYS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SYS_SANITIZED 1
#endif
#endif

uint64_t sys_memory(void) {
#if defined(SYS_SANITIZED)
  return 0;
#else
  unsigned long size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%lu %lu", &size, &resident) != 2) {
    FAIL("cannot read /proc/self/statm");
  }
  fclose(file);
  return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
#endif
}
