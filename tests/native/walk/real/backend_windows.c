/* backend_windows.c - the one look into the iocp backend. Apart, since its header and core's use one name for two things. */
#include "iocp.h"

#include "process_windows.h"

void *windows_handle_of(const os_pipe *os) {
  return os->handle;
}
