/* sys.h - what the tests need of the system besides the library: time, threads, processes, counters. One .c per
 * system. */
#ifndef NPS_TEST_SYS_H
#define NPS_TEST_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t sys_now_ms(void); /* monotonic */
uint64_t sys_now_us(void); /* the same clock */
uint64_t sys_cpu_ms(void); /* processor time that this process has used */

uint32_t sys_process_id(void);
bool sys_is_wine(void);
bool sys_is_windows(void);

/* ---- threads ---- */

typedef struct sys_thread sys_thread;

sys_thread *sys_thread_start(void (*run)(void *), void *context);
void sys_thread_join(sys_thread *thread); /* fails the case when the thread does not end before the deadline */
void sys_thread_detach(sys_thread *thread);
void sys_yield(void);

typedef struct sys_event sys_event; /* wakes one waiter, then resets itself */

sys_event *sys_event_new(void);
void sys_event_set(sys_event *event);
bool sys_event_wait(sys_event *event, uint32_t timeout_ms); /* false: timed out */
void sys_event_free(sys_event *event);

typedef struct sys_atomic {
  volatile int64_t value;
} sys_atomic;

int64_t sys_atomic_get(sys_atomic *atomic);
void sys_atomic_set(sys_atomic *atomic, int64_t value);
int64_t sys_atomic_add(sys_atomic *atomic, int64_t value); /* the value after */

/* ---- processes ---- */

typedef struct sys_process sys_process;

/* Starts a CHILD of this program. */
sys_process *sys_spawn(const char *child, const char *argument);
/* Its exit code; -1 when it did not end before the deadline (it is ended then). Frees the process. */
int sys_process_wait(sys_process *process);
_Noreturn void sys_exit_now(int code);

/* Ends it as the system does: no handler runs, nothing is flushed. It may go on for a moment; sys_process_wait answers
 * SYS_KILLED, unless it had ended by itself. */
#define SYS_KILLED 97
void sys_process_kill(sys_process *process);

/* Zeroed memory that a child sees too: its id is what the child is given. Freed by whoever made it; a child need not. */
typedef struct sys_shared {
  void *memory;
  size_t size;
  intptr_t handle;
  char id[64];
} sys_shared;

sys_shared sys_shared_new(size_t size);
void *sys_shared_open(const char *id, size_t size);
void sys_shared_free(sys_shared *shared);

/* Waits until another process has raised a value in shared memory to `least`; false: not before the deadline. */
bool sys_shared_await(sys_atomic *value, int64_t least, uint64_t deadline);

/* ---- what the process holds ---- */

uint32_t sys_handle_count(void); /* handles or descriptors */
uint32_t sys_thread_count(void);
/* Bytes of the process: resident on Linux, committed on Windows; 0 where a sanitizer, or the allocator with guard
 * pages, keeps freed memory back. */
uint64_t sys_memory(void);

#endif
