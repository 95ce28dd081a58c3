/* ntdll.h - the two functions of ntdll.dll that we call. Documented in ntifs.h and winternl.h, but the SDK's <winternl.h>
 * lacks the first, and each compiler's headers differ in what else they bring. Both are in the SDK's ntdll.lib. */
#ifndef NPS_OS_IOCP_NTDLL_H
#define NPS_OS_IOCP_NTDLL_H

#include <windows.h>

typedef LONG nt_status; /* NTSTATUS: 0 is success */

typedef struct nt_io_status {
  union {
    nt_status status;
    void *pointer;
  } outcome;
  ULONG_PTR information;
} nt_io_status; /* IO_STATUS_BLOCK */

__declspec(dllimport) nt_status NTAPI NtQueryInformationFile(
    HANDLE handle, nt_io_status *io_status, void *information, ULONG size, int information_class);

__declspec(dllimport) ULONG NTAPI RtlNtStatusToDosError(nt_status status);

/* FilePipeLocalInformation (ntifs.h), which the SDK lacks. */
enum { NT_PIPE_LOCAL_INFORMATION = 24 };

typedef struct nt_pipe_local_info {
  ULONG type; /* 0: bytes, 1: messages */
  ULONG configuration; /* 0: client to server, 1: server to client, 2: both */
  ULONG maximum_instances;
  ULONG current_instances;
  ULONG inbound_quota;
  ULONG read_data_available;
  ULONG outbound_quota;
  ULONG write_quota_available;
  ULONG state; /* 1: disconnected, 2: listening, 3: connected, 4: closing */
  ULONG end; /* 0: client, 1: server */
} nt_pipe_local_info;

enum { NT_PIPE_CONFIGURATION_TO_SERVER = 0, NT_PIPE_CONFIGURATION_TO_CLIENT = 1 };
enum { NT_PIPE_STATE_LISTENING = 2, NT_PIPE_STATE_CONNECTED = 3, NT_PIPE_STATE_CLOSING = 4 };
enum { NT_PIPE_END_SERVER = 1 };

#define NT_ACCESS_DENIED ((nt_status)0xC0000022) /* STATUS_ACCESS_DENIED */
#define NT_PIPE_DISCONNECTED ((nt_status)0xC00000B0) /* STATUS_PIPE_DISCONNECTED */

static inline nt_status nt_query(HANDLE handle, int information_class, void *information, ULONG size) {
  nt_io_status io_status;
  return NtQueryInformationFile(handle, &io_status, information, size, information_class);
}

#endif
