#include "iocp.h"
#include "ntdll.h"

_Static_assert(sizeof(os_overlapped) == sizeof(OVERLAPPED), "os_overlapped stands for OVERLAPPED");
_Static_assert(offsetof(os_overlapped, event) == offsetof(OVERLAPPED, hEvent), "os_overlapped stands for OVERLAPPED");
_Static_assert(_Alignof(os_overlapped) == _Alignof(OVERLAPPED), "os_overlapped stands for OVERLAPPED");
_Static_assert(
    offsetof(os_op, state) == 0 && offsetof(os_op_state, overlapped) == 0, "an OVERLAPPED* of ours is an os_op*");
_Static_assert(sizeof(((os_op_state *)NULL)->phase) == sizeof(LONG), "phase is exchanged by Interlocked functions");

void iocp_complete(os_op *op, os_op_kind kind, DWORD code, DWORD bytes, os_completion *completion) {
  nps_result result = iocp_io_result(kind, code);
  nps_status status = (nps_status)nps_result_status(result);
  bool came_and_left = kind == OS_CONNECT && code == ERROR_NO_DATA;
  completion->op = op;
  completion->result = result;
  completion->bytes = status == NPS_OK ? bytes : 0;
  completion->flags = status == NPS_END_OF_STREAM || status == NPS_E_BROKEN_PIPE || came_and_left ? OS_PEER_CLOSED : 0;
  if (code == ERROR_MORE_DATA)
    completion->flags |= OS_MORE; /* a part of a message, or a probe that found one */
}

/* pre: the kernel has let go of the operation: it ended at once, or its packet was dequeued (rule 2). */
static void op__complete_from_overlapped(os_op *op, os_completion *completion) {
  OVERLAPPED *overlapped = iocp_overlapped(op);
  nt_status status = (nt_status)overlapped->Internal;
  DWORD code = status == 0 ? ERROR_SUCCESS : RtlNtStatusToDosError(status);
  iocp_complete(op, op->kind, code, (DWORD)overlapped->InternalHigh, completion);
}

/* The system call. A code; ERROR_SUCCESS for success at once. */
static DWORD op__call(os_pipe *pipe, os_op *op) {
  static char op__nothing; /* what a read of no byte points at */
  OVERLAPPED *overlapped = iocp_overlapped(op);
  BOOL succeeded = FALSE;
  DWORD code = ERROR_SUCCESS;
  switch (op->kind) {
  case OS_CONNECT:
    if (pipe->old_client)
      code = iocp_let_go(pipe);
    if (code != ERROR_SUCCESS)
      return code;
    succeeded = ConnectNamedPipe(pipe->handle, overlapped);
    break;
  case OS_READ:
    succeeded = ReadFile(pipe->handle, op->memory, op->length, NULL, overlapped);
    break;
  case OS_READ_PROBE:
    succeeded = ReadFile(pipe->handle, &op__nothing, 0, NULL, overlapped);
    break;
  case OS_WRITE:
    succeeded = WriteFile(pipe->handle, op->memory, op->length, NULL, overlapped);
    break;
  case OS_WRITE_PROBE:
  case OS_CLOSE_PROBE:
    return ERROR_NOT_SUPPORTED; /* os_direct_io is false */
  }
  return succeeded ? ERROR_SUCCESS : GetLastError();
}

/* A packet may have come or may come, or none: post one of our own behind it. The port is first-in first-out, so
 * when the sentinel is dequeued, the packet has been or never will be. Without memory even to post, until there is some, or until the
 * packet has been: true then. */
static bool op__post_sentinel(os_pipe *pipe, os_op *op) {
  while (!PostQueuedCompletionStatus(pipe->port->queue, 0, IOCP_KEY_SENTINEL, iocp_overlapped(op))) {
    if (InterlockedCompareExchange(&op->state.phase, IOCP_PACKET, IOCP_PACKET) == IOCP_PACKET)
      return true;
    Sleep(1);
  }
  return false;
}

os_start os_pipe_start(os_pipe *pipe, os_op *op, os_completion *done) {
  memset(&op->state, 0, sizeof op->state); /* also: phase = IOCP_STARTING */
  DWORD code = op__call(pipe, op);

  iocp_phase next = IOCP_PENDING;
  switch (code) {
  case ERROR_IO_PENDING:
    break;
  case ERROR_SUCCESS:
    if (pipe->skip == IOCP_SKIP_ON) {
      iocp_complete(op, op->kind, code, (DWORD)iocp_overlapped(op)->InternalHigh, done);
      return OS_DONE;
    }
    if (pipe->skip == IOCP_SKIP_UNKNOWN)
      next = IOCP_SENTINEL;
    break;
  case ERROR_MORE_DATA:
    /* A message is longer than the buffer, or waits where a probe asks. Whether a packet comes is not documented, and no memory
     * may hang on it. */
    next = IOCP_SENTINEL;
    break;
  default:
    iocp_complete(op, op->kind, code, 0, done); /* failed at once: no packet */
    return OS_DONE;
  }

  /* Rule 2: from here on only the packet decides, unless the waiter has had it already. */
  bool seen = InterlockedExchange(&op->state.phase, (LONG)next) == IOCP_PACKET;
  if (!seen && next == IOCP_SENTINEL)
    seen = op__post_sentinel(pipe, op);
  if (seen)
    op__complete_from_overlapped(op, done);
  return seen ? OS_DONE : OS_PENDING;
}

bool iocp_packet(const OVERLAPPED_ENTRY *packet, os_completion *completion) {
  if (packet->lpOverlapped == NULL)
    return false; /* not one of ours */
  os_op *op = (os_op *)(void *)packet->lpOverlapped;
  if (packet->lpCompletionKey == IOCP_KEY_OPERATION) {
    switch ((iocp_phase)InterlockedExchange(&op->state.phase, IOCP_PACKET)) {
    case IOCP_PENDING:
      break;
    case IOCP_STARTING: /* start sees it and answers OS_DONE */
    case IOCP_SENTINEL: /* the sentinel is behind us in the queue, or about to be posted */
    case IOCP_PACKET:
      return false;
    }
  }
  op__complete_from_overlapped(op, completion);
  return true;
}

bool os_pipe_cancel(os_pipe *pipe, os_op *op, bool closing) {
  /* Closing the only handle of an end ends its connects and reads; with a second handle somewhere it would not. A write
   * that did not fit may outlive it, until the peer reads or closes: that one is always asked to end. */
  if (closing && !pipe->shared && op->kind != OS_WRITE)
    return false;
  /* Only marks; ERROR_NOT_FOUND says that it has ended already. Either way the packet decides (rules 2 and 5). */
  (void)CancelIoEx(pipe->handle, iocp_overlapped(op));
  return false;
}
