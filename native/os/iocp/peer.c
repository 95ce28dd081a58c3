/* peer.c - who is at the other end, and acting as a client. A thread that could not become itself again ends the process: nothing
 * may go on as somebody else. */
#include "iocp.h"

#include <sddl.h>

/* Does not return. */
static void peer__must_not_go_on(DWORD code) {
  TerminateProcess(GetCurrentProcess(), code);
  for (;;) /* until it has */
    Sleep(INFINITE);
}

static nps_result peer__refused(DWORD code) {
  switch (code) {
  case ERROR_CANNOT_IMPERSONATE: /* nothing was read from this client yet */
    return iocp_make_result(NPS_WOULD_BLOCK, 0);
  case ERROR_CANT_OPEN_ANONYMOUS: /* it did not say who it is */
    return iocp_make_result(NPS_E_ACCESS_DENIED, code);
  default:
    return iocp_result(code);
  }
}

nps_result os_pipe_impersonate(os_pipe *pipe) {
  return ImpersonateNamedPipeClient(pipe->handle) ? NPS_OK : peer__refused(GetLastError());
}

nps_result os_revert(void) {
  if (!RevertToSelf())
    peer__must_not_go_on(GetLastError());
  return NPS_OK;
}

nps_result os_pipe_peer_process(os_pipe *pipe, bool server, uint32_t *process_id) {
  ULONG id = 0;
  BOOL known = server ? GetNamedPipeClientProcessId(pipe->handle, &id) : GetNamedPipeServerProcessId(pipe->handle, &id);
  *process_id = known ? id : 0;
  return known ? NPS_OK : peer__refused(GetLastError());
}

/* A code. The user of the process at the other end. */
static DWORD peer__process_token(os_pipe *pipe, HANDLE *token) {
  ULONG id = 0;
  if (!GetNamedPipeServerProcessId(pipe->handle, &id))
    return GetLastError();
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id);
  if (process == NULL)
    return GetLastError();
  DWORD code = OpenProcessToken(process, TOKEN_QUERY, token) ? ERROR_SUCCESS : GetLastError();
  CloseHandle(process);
  return code;
}

/* A code. The user that the client showed: acts as the client for a moment, and as whom it acted before again. */
static DWORD peer__client_token(os_pipe *pipe, HANDLE *token) {
  HANDLE before = NULL;
  if (!OpenThreadToken(GetCurrentThread(), TOKEN_IMPERSONATE, TRUE, &before) && GetLastError() != ERROR_NO_TOKEN)
    return GetLastError();
  DWORD code = ImpersonateNamedPipeClient(pipe->handle) ? ERROR_SUCCESS : GetLastError();
  if (code == ERROR_SUCCESS) {
    code = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, token) ? ERROR_SUCCESS : GetLastError();
    if (!SetThreadToken(NULL, before)) /* null: nobody */
      peer__must_not_go_on(GetLastError());
  }
  if (before != NULL)
    CloseHandle(before);
  return code;
}

static nps_result peer__user_of(HANDLE token, char *user, size_t size) {
  union {
    TOKEN_USER token;
    BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  } found;
  DWORD used = 0;
  char *text = NULL;
  if (!GetTokenInformation(token, TokenUser, &found, sizeof found, &used) ||
      !ConvertSidToStringSidA(found.token.User.Sid, &text))
    return iocp_result(GetLastError());
  size_t length = strlen(text);
  bool fits = length < size;
  if (fits)
    memcpy(user, text, length + 1);
  LocalFree(text);
  return fits ? NPS_OK : iocp_make_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_BUFFER);
}

nps_result os_pipe_peer_user(os_pipe *pipe, bool server, char *user, size_t size) {
  HANDLE token = NULL;
  DWORD code = server ? peer__client_token(pipe, &token) : peer__process_token(pipe, &token);
  if (code != ERROR_SUCCESS)
    return peer__refused(code);
  nps_result result = peer__user_of(token, user, size);
  CloseHandle(token);
  return result;
}
