/* process_windows.h - what system_windows.c and process_windows.c tell each other. */
#ifndef NPS_WALK_PROCESS_WINDOWS_H
#define NPS_WALK_PROCESS_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "os.h"

const char *windows_path(uint32_t which); /* of a name: \\.\pipe\... */
void *windows_event(void);                /* for a read of a peer: one at a time */
bool windows_is_wine(void);
void *windows_handle_of(const os_pipe *os); /* backend_windows.c */

#endif
