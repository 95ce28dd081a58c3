#include "iocp.h"

#include <winternl.h>

/* Classes and structs of NtQueryInformationFile (wdm.h, ntifs.h): the SDK's <winternl.h> has only the function. */
enum {
  ADOPT__ACCESS = 8, /* FileAccessInformation: an ACCESS_MASK */
  ADOPT__MODE = 16, /* FileModeInformation: a ULONG */
  ADOPT__PIPE = 23, /* FilePipeInformation */
  ADOPT__PIPE_LOCAL = 24, /* FilePipeLocalInformation */
  ADOPT__COMPLETION_NOTIFICATION = 41 /* FileIoCompletionNotificationInformation: a ULONG */
};

enum { ADOPT__SYNCHRONOUS_ALERT = 0x10, ADOPT__SYNCHRONOUS_NONALERT = 0x20 }; /* FILE_SYNCHRONOUS_IO_… */

typedef struct adopt__pipe_info {
  ULONG read_mode;
  ULONG completion_mode; /* 0: queue (PIPE_WAIT), 1: complete (PIPE_NOWAIT) */
} adopt__pipe_info;

typedef struct adopt__local_info {
  ULONG type;          /* 0: bytes, 1: messages */
  ULONG configuration; /* 0: client to server, 1: server to client, 2: both */
  ULONG maximum_instances;
  ULONG current_instances;
  ULONG inbound_quota;
  ULONG read_data_available;
  ULONG outbound_quota;
  ULONG write_quota_available;
  ULONG state; /* 1: disconnected, 2: listening, 3: connected, 4: closing */
  ULONG end;   /* 0: client, 1: server */
} adopt__local_info;

enum { ADOPT__STATE_CONNECTED = 3, ADOPT__STATE_CLOSING = 4 };

static NTSTATUS adopt__query(HANDLE handle, int information_class, void *information, ULONG size) {
  IO_STATUS_BLOCK block;
  return NtQueryInformationFile(handle, &block, information, size, (FILE_INFORMATION_CLASS)information_class);
}

/* What a question that failed says of a handle that is some kind of pipe or socket. */
static nps_result adopt__refuse(NTSTATUS status) {
  DWORD code = RtlNtStatusToDosError(status);
  if (code == ERROR_ACCESS_DENIED) /* a write-only handle without FILE_READ_ATTRIBUTES */
    return iocp_result(code);
  return iocp_make_result(NPS_E_NOT_A_PIPE, code);
}

/* A handle for synchronous I/O must go before anything else is asked. GetFileType does not wait; NtQueryInformationFile on such a
 * handle waits behind a read that is under way, and every later question would, too. */
static nps_result adopt__check_kind(HANDLE handle) {
  DWORD flags = 0;
  if (GetFileType(handle) != FILE_TYPE_PIPE) {
    if (!GetHandleInformation(handle, &flags))
      return iocp_make_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_HANDLE);
    return iocp_make_result(NPS_E_NOT_A_PIPE, 0); /* a disk file, or no file at all: an event, a process */
  }
  ULONG mode = 0;
  NTSTATUS status = adopt__query(handle, ADOPT__MODE, &mode, sizeof mode);
  if (status != 0)
    return adopt__refuse(status);
  if (mode & (ADOPT__SYNCHRONOUS_ALERT | ADOPT__SYNCHRONOUS_NONALERT))
    return iocp_make_result(NPS_E_NOT_OVERLAPPED, 0);
  return NPS_OK;
}

/* Which ways bytes may go: what both the handle and the pipe allow. 0: none. */
static nps_result adopt__direction(HANDLE handle, const adopt__local_info *local, uint32_t *direction) {
  ACCESS_MASK access = 0;
  NTSTATUS status = adopt__query(handle, ADOPT__ACCESS, &access, sizeof access);
  if (status != 0)
    return iocp_result(RtlNtStatusToDosError(status));
  bool server = local->end == 1;
  bool to_server = local->configuration != 1, to_client = local->configuration != 0;
  *direction = 0;
  if ((access & FILE_READ_DATA) && (server ? to_server : to_client))
    *direction |= NPS_DIRECTION_IN;
  if ((access & FILE_WRITE_DATA) && (server ? to_client : to_server))
    *direction |= NPS_DIRECTION_OUT;
  return *direction != 0 ? NPS_OK : iocp_result(ERROR_ACCESS_DENIED);
}

/* The giver may have set skip-on-success, and whether a packet follows a success depends on it. A system that does not say is
 * met with a sentinel after each success (op.c). */
static iocp_skip adopt__skip(HANDLE handle) {
  ULONG modes = 0;
  if (adopt__query(handle, ADOPT__COMPLETION_NOTIFICATION, &modes, sizeof modes) != 0)
    return IOCP_SKIP_UNKNOWN;
  return modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS ? IOCP_SKIP_ON : IOCP_SKIP_OFF;
}

/* All questions; nothing is changed. */
static nps_result adopt__examine(HANDLE handle, os_adopted *adopted) {
  nps_result result = adopt__check_kind(handle);
  if (result != NPS_OK)
    return result;

  adopt__local_info local;
  NTSTATUS status = adopt__query(handle, ADOPT__PIPE_LOCAL, &local, sizeof local);
  if (status != 0)
    return adopt__refuse(status);
  adopt__pipe_info pipe;
  status = adopt__query(handle, ADOPT__PIPE, &pipe, sizeof pipe);
  if (status != 0)
    return adopt__refuse(status);
  /* PIPE_NOWAIT: nothing would ever be pending, so nothing would ever complete. */
  if (local.type != 0 || pipe.completion_mode != 0)
    return iocp_make_result(NPS_E_NOT_SUPPORTED, 0);

  /* A client is connected for life; whether the server is still there, its first read or write says. */
  adopted->server = local.end == 1;
  adopted->connected =
      !adopted->server || local.state == ADOPT__STATE_CONNECTED || local.state == ADOPT__STATE_CLOSING;
  return adopt__direction(handle, &local, &adopted->direction);
}

nps_result os_pipe_adopt(intptr_t os_handle, os_adopted *adopted, os_pipe **pipe) {
  HANDLE handle = (HANDLE)os_handle;
  if (os_handle <= 0) /* no handle, or a pseudo handle such as INVALID_HANDLE_VALUE, which is "this process" */
    return iocp_make_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_HANDLE);
  nps_result result = adopt__examine(handle, adopted);
  if (result != NPS_OK)
    return result;

  os_pipe *made = os_alloc(sizeof *made);
  if (made == NULL)
    return iocp_result(ERROR_NOT_ENOUGH_MEMORY);
  made->handle = handle;
  made->adopted = true;
  made->skip = adopt__skip(handle);
  *pipe = made;
  return NPS_OK;
}
