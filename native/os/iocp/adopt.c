#include "iocp.h"
#include "ntdll.h"

/* Classes and structs of NtQueryInformationFile (wdm.h, ntifs.h), which the SDK lacks. */
enum {
  ADOPT__ACCESS = 8, /* FileAccessInformation: an ACCESS_MASK */
  ADOPT__MODE = 16, /* FileModeInformation: a ULONG */
  ADOPT__PIPE = 23, /* FilePipeInformation */
  ADOPT__COMPLETION_NOTIFICATION = 41 /* FileIoCompletionNotificationInformation: a ULONG */
};

enum { ADOPT__SYNCHRONOUS_ALERT = 0x10, ADOPT__SYNCHRONOUS_NONALERT = 0x20 }; /* FILE_SYNCHRONOUS_IO_… */

typedef struct adopt__pipe_info {
  ULONG read_mode;
  ULONG completion_mode; /* 0: queue (PIPE_WAIT), 1: complete (PIPE_NOWAIT) */
} adopt__pipe_info;

/* What a question that failed says of a handle that is some kind of pipe or socket. A client whose server has disconnected
 * answers none, and is a pipe all the same. */
static nps_result adopt__refuse(nt_status status) {
  DWORD code = RtlNtStatusToDosError(status);
  nps_result result = iocp_result(code);
  bool known = status == NT_ACCESS_DENIED || code == ERROR_PIPE_NOT_CONNECTED ||
               nps_result_status(result) == NPS_E_OUT_OF_MEMORY;
  return known ? result : iocp_make_result(NPS_E_NOT_A_PIPE, code);
}

/* A handle for synchronous I/O must go before anything else is asked. GetFileType does not wait;
 * NtQueryInformationFile on such a handle waits behind a read that is under way, and every later question would,
 * too. */
static nps_result adopt__check_kind(HANDLE handle) {
  DWORD flags = 0;
  if (GetFileType(handle) != FILE_TYPE_PIPE) {
    if (!GetHandleInformation(handle, &flags))
      return iocp_make_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_HANDLE);
    return iocp_make_result(NPS_E_NOT_A_PIPE, 0); /* a disk file, or no file at all: an event, a process */
  }
  ULONG mode = 0;
  nt_status status = nt_query(handle, ADOPT__MODE, &mode, sizeof mode);
  if (status == NT_ACCESS_DENIED)
    return NPS_OK; /* an outbound server: the port will not bind a handle that is not overlapped */
  if (status != 0)
    return adopt__refuse(status);
  if (mode & (ADOPT__SYNCHRONOUS_ALERT | ADOPT__SYNCHRONOUS_NONALERT))
    return iocp_make_result(NPS_E_NOT_OVERLAPPED, 0);
  return NPS_OK;
}

/* The server end of an outbound pipe cannot be asked: it has FILE_GENERIC_WRITE, and so no FILE_READ_ATTRIBUTES. No
 * other end lacks that: CreateFile always asks for it. Whether a client is there, the first connect says. */
static nps_result adopt__local(HANDLE handle, ACCESS_MASK access, nt_pipe_local_info *local) {
  nt_status status = nt_query(handle, NT_PIPE_LOCAL_INFORMATION, local, sizeof *local);
  if (status == 0)
    return NPS_OK;
  if (status != NT_ACCESS_DENIED ||
      (access & (FILE_READ_DATA | FILE_WRITE_DATA | FILE_READ_ATTRIBUTES)) != FILE_WRITE_DATA)
    return adopt__refuse(status);
  memset(local, 0, sizeof *local);
  local->configuration = NT_PIPE_CONFIGURATION_TO_CLIENT;
  local->state = NT_PIPE_STATE_LISTENING;
  local->end = NT_PIPE_END_SERVER;
  return NPS_OK;
}

/* With PIPE_NOWAIT nothing would ever be pending, and so nothing would ever complete. Where that cannot be asked,
 * see above, it can be set; which also shows that it is a pipe. */
static nps_result adopt__check_wait(HANDLE handle, bool *message) {
  adopt__pipe_info pipe;
  nt_status status = nt_query(handle, ADOPT__PIPE, &pipe, sizeof pipe);
  *message = status == 0 && pipe.read_mode != 0;
  if (status == 0)
    return pipe.completion_mode == 0 ? NPS_OK : iocp_make_result(NPS_E_NOT_SUPPORTED, 0);
  DWORD state = PIPE_READMODE_BYTE | PIPE_WAIT;
  if (status == NT_ACCESS_DENIED && SetNamedPipeHandleState(handle, &state, NULL, NULL))
    return NPS_OK;
  return adopt__refuse(status);
}

/* Which ways bytes may go: what both the handle and the pipe allow. */
static uint32_t adopt__direction(ACCESS_MASK access, const nt_pipe_local_info *local) {
  bool server = local->end == NT_PIPE_END_SERVER;
  bool to_server = local->configuration != NT_PIPE_CONFIGURATION_TO_CLIENT;
  bool to_client = local->configuration != NT_PIPE_CONFIGURATION_TO_SERVER;
  uint32_t direction = 0;
  if ((access & FILE_READ_DATA) && (server ? to_server : to_client))
    direction |= NPS_DIRECTION_IN;
  if ((access & FILE_WRITE_DATA) && (server ? to_client : to_server))
    direction |= NPS_DIRECTION_OUT;
  return direction;
}

/* The giver may have set skip-on-success, and whether a packet follows a success depends on it. A system that does
 * not say is met with a sentinel after each success (op.c). */
static iocp_skip adopt__skip(HANDLE handle) {
  ULONG modes = 0;
  if (nt_query(handle, ADOPT__COMPLETION_NOTIFICATION, &modes, sizeof modes) != 0)
    return IOCP_SKIP_UNKNOWN;
  return (modes & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS) != 0 ? IOCP_SKIP_ON : IOCP_SKIP_OFF;
}

static nps_result adopt__examine(HANDLE handle, os_adopted *adopted) {
  nps_result result = adopt__check_kind(handle);
  if (result != NPS_OK)
    return result;
  ACCESS_MASK access = 0;
  nt_status status = nt_query(handle, ADOPT__ACCESS, &access, sizeof access);
  if (status != 0)
    return adopt__refuse(status);
  nt_pipe_local_info local;
  result = adopt__local(handle, access, &local);
  if (result != NPS_OK)
    return result;
  adopted->direction = adopt__direction(access, &local);
  if (adopted->direction == 0)
    return iocp_result(ERROR_ACCESS_DENIED);
  /* A client is connected for life; whether the server is still there, its first read or write says. */
  adopted->server = local.end == NT_PIPE_END_SERVER;
  adopted->connected =
      !adopted->server || local.state == NT_PIPE_STATE_CONNECTED || local.state == NT_PIPE_STATE_CLOSING;
  return adopt__check_wait(handle, &adopted->message); /* last, since it may change something */
}

nps_result os_pipe_adopt(intptr_t os_handle, os_adopted *adopted, os_pipe **pipe) {
  if (os_handle <= 0) /* no handle, or a pseudo handle such as INVALID_HANDLE_VALUE, which is "this process" */
    return iocp_make_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_HANDLE);
  os_pipe *made = os_alloc(sizeof *made);
  if (made == NULL)
    return iocp_result(ERROR_NOT_ENOUGH_MEMORY);
  made->handle = (HANDLE)os_handle;
  nps_result result = adopt__examine(made->handle, adopted);
  if (result != NPS_OK) {
    os_free(made);
    return result;
  }
  made->adopted = made->shared = true;
  made->message = adopted->message;
  made->skip = adopt__skip(made->handle);
  *pipe = made;
  return NPS_OK;
}
