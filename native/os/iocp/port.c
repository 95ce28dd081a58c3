#include "iocp.h"

enum { PORT__BATCH_MAX = 64, PORT__PATIENCE_MIN = 8, PORT__PATIENCE_MAX = 64 };

nps_result os_port_create(os_port **port) {
  os_port *made = os_alloc(sizeof *made);
  if (made == NULL)
    return iocp_result(ERROR_NOT_ENOUGH_MEMORY);
  made->queue = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
  if (made->queue == NULL) {
    DWORD code = GetLastError();
    os_free(made);
    return iocp_result(code);
  }
  made->batch = 1;
  made->patience = PORT__PATIENCE_MIN;
  InitializeSRWLock(&made->take_lock);
  *port = made;
  return NPS_OK;
}

void os_port_destroy(os_port *port) {
  if (port->take_event != NULL)
    CloseHandle(port->take_event);
  CloseHandle(port->queue);
  os_free(port);
}

nps_result os_port_wake(os_port *port) {
  return PostQueuedCompletionStatus(port->queue, 0, IOCP_KEY_WAKE, NULL) ? NPS_OK : iocp_result(GetLastError());
}

/* How many packets to ask for. Asking for more than there are costs a system call that finds nothing (Wine: a round
 * trip to its server); asking for fewer costs another wait. So: one at first, twice as many after some calls in a
 * row that came back full, and down to what came, after which growth is tried less often. */
static void port__adapt(os_port *port, uint32_t asked, uint32_t got) {
  if (got < asked) {
    if (got <= asked / 2 && port->patience < PORT__PATIENCE_MAX)
      port->patience *= 2; /* the last growth was in vain */
    port->batch = got > 0 ? got : 1;
    port->full_in_row = 0;
  } else if (asked == port->batch && ++port->full_in_row >= port->patience && asked < PORT__BATCH_MAX) {
    port->batch = asked <= PORT__BATCH_MAX / 2 ? asked * 2 : PORT__BATCH_MAX;
    port->full_in_row = 0;
  } else if (asked > 1) {
    port->patience = PORT__PATIENCE_MIN; /* batches are being filled */
  }
}

nps_result os_port_wait(
    os_port *port, os_completion *completions, uint32_t capacity, int64_t timeout_ms, uint32_t *count) {
  OVERLAPPED_ENTRY packets[PORT__BATCH_MAX];
  uint32_t asked = port->batch < capacity ? port->batch : capacity;
  DWORD ms = INFINITE;
  if (timeout_ms >= 0)
    ms = timeout_ms < (int64_t)INFINITE ? (DWORD)timeout_ms : INFINITE - 1; /* returns early: allowed */

  *count = 0;
  ULONG got = 0;
  if (!GetQueuedCompletionStatusEx(port->queue, packets, asked, &got, ms, FALSE)) {
    DWORD code = GetLastError(); /* `got` says nothing now */
    return code == WAIT_TIMEOUT ? NPS_OK : iocp_result(code);
  }
  port__adapt(port, asked, got);

  for (ULONG i = 0; i < got; i++) {
    if (packets[i].lpCompletionKey != IOCP_KEY_WAKE && iocp_packet(&packets[i], &completions[*count]))
      ++*count;
  }
  return NPS_OK;
}
