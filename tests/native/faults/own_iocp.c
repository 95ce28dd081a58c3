/* own_iocp.c - faults of Windows calls that need more than "answer this instead", and what nps.h should say of a code. */
#include <string.h>

#include "gates.h"
/* After it. */
#include "os.h"

BOOL fault_own_GetQueuedCompletionStatusEx(const fault_error *error, HANDLE port, LPOVERLAPPED_ENTRY packets,
    ULONG capacity, PULONG count, DWORD timeout, BOOL alertable);
nt_status fault_own_NtQueryInformationFile(const fault_error *error, HANDLE handle, nt_io_status *io_status,
    void *information, ULONG size, int information_class);
BOOL fault_own_PeekNamedPipe(
    const fault_error *error, HANDLE pipe, LPVOID memory, DWORD size, LPDWORD taken, LPDWORD available, LPDWORD left);

void fault_own_reset(void) {}

static bool own__is(const fault_error *error, const char *name) {
  return error != NULL && strcmp(error->name, name) == 0;
}

/* Only of operations that move no byte into our memory: a system that fails a read does not take the bytes from the pipe first. */
static void own__fail_packet(const OVERLAPPED_ENTRY *packet) {
  os_op *op = (os_op *)(void *)packet->lpOverlapped;
  if (packet->lpCompletionKey == 0 && op != NULL && op->kind != OS_READ && packet->lpOverlapped->Internal == 0) {
    packet->lpOverlapped->Internal = (ULONG_PTR)STATUS_INSUFFICIENT_RESOURCES;
    packet->lpOverlapped->InternalHigh = 0;
  }
}

BOOL fault_own_GetQueuedCompletionStatusEx(const fault_error *error, HANDLE port, LPOVERLAPPED_ENTRY packets,
    ULONG capacity, PULONG count, DWORD timeout, BOOL alertable) {
  bool packet_fails = own__is(error, "FAULT_PACKET_FAILS");
  if (error != NULL && !packet_fails) {
    SetLastError(error->code);
    return FALSE;
  }
  BOOL done = GetQueuedCompletionStatusEx(port, packets, capacity, count, timeout, alertable);
  for (ULONG i = 0; done && packet_fails && i < *count; i++) {
    own__fail_packet(&packets[i]);
  }
  return done;
}

nt_status fault_own_NtQueryInformationFile(const fault_error *error, HANDLE handle, nt_io_status *io_status,
    void *information, ULONG size, int information_class) {
  const int completion_notification = 41; /* a system that does not know the question is met with a sentinel */
  if (error != NULL && information_class == completion_notification) {
    fault_forgive(error);
  }
  return error != NULL ? (nt_status)error->code
                       : NtQueryInformationFile(handle, io_status, information, size, information_class);
}

BOOL fault_own_PeekNamedPipe(
    const fault_error *error, HANDLE pipe, LPVOID memory, DWORD size, LPDWORD taken, LPDWORD available, LPDWORD left) {
  bool more = own__is(error, "FAULT_MORE_THERE");
  if (error != NULL && !more) {
    SetLastError(error->code);
    return FALSE;
  }
  BOOL done = PeekNamedPipe(pipe, memory, size, taken, available, left);
  if (done && more && *available == 0) {
    *available = 1;
  }
  return done;
}

static int32_t own__read_status(uint32_t code) {
  switch (code) {
  case ERROR_BROKEN_PIPE:
  case ERROR_PIPE_NOT_CONNECTED:
  case ERROR_BAD_PIPE:
    return NPS_END_OF_STREAM;
  default:
    return 0;
  }
}

int32_t fault_status_of(const char *import, uint32_t code) {
  bool reads = strcmp(import, "ReadFile") == 0 || strcmp(import, "PeekNamedPipe") == 0;
  int32_t special = reads ? own__read_status(code) : 0;
  if (special != 0) {
    return special;
  }
  if (strcmp(import, "CreateIoCompletionPort") == 0 && code == ERROR_INVALID_PARAMETER) {
    return NPS_E_ALREADY_REGISTERED;
  }
  switch (code) {
  case ERROR_FILE_NOT_FOUND:
    return NPS_E_NOT_FOUND;
  case ERROR_PIPE_BUSY:
    return NPS_E_PIPE_BUSY;
  case ERROR_ACCESS_DENIED:
    return NPS_E_ACCESS_DENIED;
  case ERROR_TOO_MANY_OPEN_FILES:
    return NPS_E_TOO_MANY_HANDLES;
  case ERROR_NOT_ENOUGH_MEMORY:
  case ERROR_NO_SYSTEM_RESOURCES:
  case ERROR_NOT_ENOUGH_QUOTA:
  case ERROR_INVALID_USER_BUFFER:
    return NPS_E_OUT_OF_MEMORY;
  case ERROR_NO_DATA:
  case ERROR_PIPE_NOT_CONNECTED:
    return NPS_E_BROKEN_PIPE;
  default:
    return NPS_E_IO;
  }
}

/* An NTSTATUS is told as the code that it stands for. */
bool fault_may_mean(const char *import, uint32_t code, int64_t result) {
  uint32_t detail = nps_result_detail(result);
  int32_t status = nps_result_status(result);
  if (strcmp(import, "NtQueryInformationFile") == 0) {
    uint32_t known = RtlNtStatusToDosError((nt_status)code);
    return detail == known && (status == fault_status_of("", known) || status == NPS_E_NOT_A_PIPE);
  }
  if (strcmp(import, "GetFileType") == 0) {
    return status == NPS_E_NOT_A_PIPE;
  }
  if (strcmp(import, "GetHandleInformation") == 0) {
    return status == NPS_E_INVALID_ARGUMENT && detail == NPS_ARGUMENT_HANDLE;
  }
  if (code == ERROR_CANT_OPEN_ANONYMOUS) { /* whose the process is, and who a client is */
    return status == NPS_E_ACCESS_DENIED && detail == code;
  }
  return strcmp(import, "SetNamedPipeHandleState") == 0 && (status == NPS_E_ACCESS_DENIED || status == NPS_E_NOT_CONNECTED);
}
