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

#endif
