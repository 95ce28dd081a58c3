#include "iocp.h"

enum { ERROR__HANDLES_CLOSED = 676 }; /* ERROR_HANDLES_CLOSED, which mingw-w64's winerror.h lacks */

nps_result iocp_make_result(nps_status status, uint32_t detail) {
  return (nps_result)((uint64_t)(uint32_t)status << 32 | detail);
}

static nps_status error__status(DWORD code) {
  switch (code) {
  case ERROR_SUCCESS:
    return NPS_OK;
  case ERROR_FILE_NOT_FOUND:
  case ERROR_PATH_NOT_FOUND:
    return NPS_E_NOT_FOUND;
  case ERROR_PIPE_BUSY:
    return NPS_E_PIPE_BUSY;
  case ERROR_ACCESS_DENIED:
  case ERROR_BAD_IMPERSONATION_LEVEL:
    return NPS_E_ACCESS_DENIED;
  case ERROR_TOO_MANY_OPEN_FILES:
    return NPS_E_TOO_MANY_HANDLES;
  case ERROR_NOT_ENOUGH_MEMORY:
  case ERROR_OUTOFMEMORY:
  case ERROR_NO_SYSTEM_RESOURCES:
  case ERROR_NONPAGED_SYSTEM_RESOURCES:
  case ERROR_PAGED_SYSTEM_RESOURCES:
  case ERROR_WORKING_SET_QUOTA:
  case ERROR_PAGEFILE_QUOTA:
  case ERROR_COMMITMENT_LIMIT:
  case ERROR_NOT_ENOUGH_QUOTA:
  case ERROR_INVALID_USER_BUFFER: /* ReadFile, WriteFile: "too many outstanding asynchronous I/O requests" */
    return NPS_E_OUT_OF_MEMORY;
  case ERROR_NOT_SUPPORTED:
    return NPS_E_NOT_SUPPORTED;
  case ERROR_BROKEN_PIPE:
  case ERROR_NO_DATA:
    return NPS_E_BROKEN_PIPE;
  case ERROR_PIPE_NOT_CONNECTED:
  case ERROR_PIPE_LISTENING:
  case ERROR_BAD_PIPE: /* the call does not fit the pipe's state */
    return NPS_E_NOT_CONNECTED;
  case ERROR_OPERATION_ABORTED:
  case ERROR_ABANDONED_WAIT_0: /* the port was closed */
  case ERROR__HANDLES_CLOSED: /* the handle was closed under an operation (Wine) */
    return NPS_E_CLOSED;
  default:
    return NPS_E_IO;
  }
}

nps_result iocp_result(DWORD code) {
  switch (code) {
  case ERROR_INVALID_NAME: /* characters that the system will not have; our own check knows the documented rules only */
  case ERROR_BAD_PATHNAME:
  case ERROR_FILENAME_EXCED_RANGE:
    return iocp_make_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_NAME);
  default:
    return iocp_make_result(error__status(code), code);
  }
}

static nps_result error__connect(DWORD code) {
  switch (code) {
  case ERROR_PIPE_CONNECTED: /* a client was there before us */
  case ERROR_NO_DATA: /* it came and left: a connection, whose bytes can be read; no reason to stop accepting (C6) */
    return NPS_OK;
  default:
    return iocp_result(code);
  }
}

static nps_result error__read(DWORD code) {
  switch (code) {
  case ERROR_MORE_DATA: /* a part of a message: bytes like any other */
    return NPS_OK;
  case ERROR_BROKEN_PIPE: /* the other end was closed, and what it had sent is read */
  case ERROR_PIPE_NOT_CONNECTED: /* the server disconnected */
  case ERROR_BAD_PIPE: /* likewise, as PeekNamedPipe may put it */
  case ERROR_HANDLE_EOF:
    return iocp_make_result(NPS_END_OF_STREAM, 0);
  default:
    return iocp_result(code);
  }
}

static nps_result error__write(DWORD code) {
  switch (code) {
  case ERROR_PIPE_NOT_CONNECTED:
  case ERROR_BAD_PIPE:
    return iocp_make_result(NPS_E_BROKEN_PIPE, code);
  default:
    return iocp_result(code);
  }
}

nps_result iocp_io_result(os_op_kind kind, DWORD code) {
  if (code == ERROR_SUCCESS)
    return NPS_OK;
  switch (kind) {
  case OS_CONNECT:
    return error__connect(code);
  case OS_READ:
  case OS_READ_PROBE:
    return error__read(code);
  case OS_WRITE:
    return error__write(code);
  case OS_WRITE_PROBE:
  case OS_CLOSE_PROBE:
    break; /* not on this backend */
  }
  return iocp_result(code);
}
