/* real.h - the system's own threads and events, where sys.h is the simulated kernel's: sys_posix.c and sys_windows.c are compiled
 * with these names (CMakeLists.txt of who uses this harness). */
#ifndef NPS_TEST_REAL_H
#define NPS_TEST_REAL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct real_thread real_thread;
typedef struct real_event real_event;

real_thread *real_thread_start(void (*run)(void *), void *context);
void real_thread_join(real_thread *thread);

real_event *real_event_new(void);
void real_event_set(real_event *event);
bool real_event_wait(real_event *event, uint32_t timeout_ms);
void real_event_free(real_event *event);

#endif
