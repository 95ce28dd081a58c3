#include "iocp.h"

static DWORD security__user(iocp_security *security) {
  /* A thread that impersonates creates on behalf of that user; the check itself is made as the process. */
  HANDLE token = NULL;
  if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) {
    DWORD code = GetLastError();
    if (code != ERROR_NO_TOKEN)
      return code;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
      return GetLastError();
  }
  DWORD used = 0;
  BOOL known = GetTokenInformation(token, TokenUser, &security->user, sizeof security->user, &used);
  DWORD code = known ? ERROR_SUCCESS : GetLastError();
  CloseHandle(token);
  return code;
}

DWORD iocp_security_init(iocp_security *security) {
  DWORD code = security__user(security);
  if (code != ERROR_SUCCESS)
    return code;

  /* FILE_ALL_ACCESS includes FILE_CREATE_PIPE_INSTANCE: the next instance needs it. The owner is named, since an
   * elevated administrator's objects would else belong to the group. */
  PSID user = security->user.token.User.Sid;
  SECURITY_DESCRIPTOR *descriptor = &security->descriptor;
  if (!InitializeAcl(&security->access.acl, sizeof security->access, ACL_REVISION) ||
      !AddAccessAllowedAce(&security->access.acl, ACL_REVISION, FILE_ALL_ACCESS, user) ||
      !InitializeSecurityDescriptor(descriptor, SECURITY_DESCRIPTOR_REVISION) ||
      !SetSecurityDescriptorOwner(descriptor, user, FALSE) ||
      !SetSecurityDescriptorDacl(descriptor, TRUE, &security->access.acl, FALSE) ||
      !SetSecurityDescriptorControl(descriptor, SE_DACL_PROTECTED, SE_DACL_PROTECTED))
    return GetLastError();

  security->attributes.nLength = sizeof security->attributes;
  security->attributes.lpSecurityDescriptor = descriptor;
  security->attributes.bInheritHandle = FALSE;
  return ERROR_SUCCESS;
}

DWORD iocp_security_check_owner(const iocp_security *security, HANDLE pipe) {
  union {
    SECURITY_DESCRIPTOR header;
    BYTE bytes[sizeof(SECURITY_DESCRIPTOR) + SECURITY_MAX_SID_SIZE];
  } found;
  DWORD needed = 0;
  if (!GetKernelObjectSecurity(pipe, OWNER_SECURITY_INFORMATION, &found, sizeof found, &needed))
    return GetLastError();
  PSID owner = NULL;
  BOOL defaulted = FALSE;
  if (!GetSecurityDescriptorOwner(&found.header, &owner, &defaulted))
    return GetLastError();
  bool ours = owner != NULL && EqualSid(owner, security->user.token.User.Sid);
  return ours ? ERROR_SUCCESS : ERROR_ACCESS_DENIED;
}
