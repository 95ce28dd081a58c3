/* security.c - who may use a pipe that we create, and whose a pipe is. */
#include "iocp.h"

#include <sddl.h>

/* What the token of this thread, or else of the process, says. A thread that impersonates creates on behalf of that user; the check itself
 * is made as the process. A code. */
static DWORD security__ask(TOKEN_INFORMATION_CLASS what, void *answer, DWORD size) {
  HANDLE token = NULL;
  if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) {
    DWORD code = GetLastError();
    if (code != ERROR_NO_TOKEN)
      return code;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
      return GetLastError();
  }
  DWORD used = 0;
  DWORD code = GetTokenInformation(token, what, answer, size, &used) ? ERROR_SUCCESS : GetLastError();
  CloseHandle(token);
  return code;
}

/* The user, and nobody else. A code. */
static DWORD security__current_user(iocp_security *security) {
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
  security->attributes.lpSecurityDescriptor = descriptor;
  return ERROR_SUCCESS;
}

/* Likewise, and no process of a lower integrity level than ours: neither to write nor to read. A code. */
static DWORD security__current_elevation(iocp_security *security) {
  DWORD code = security__current_user(security);
  if (code == ERROR_SUCCESS)
    code = security__ask(TokenIntegrityLevel, &security->level, sizeof security->level);
  if (code != ERROR_SUCCESS)
    return code;
  const DWORD policy = SYSTEM_MANDATORY_LABEL_NO_WRITE_UP | SYSTEM_MANDATORY_LABEL_NO_READ_UP;
  if (!InitializeAcl(&security->label.acl, sizeof security->label, ACL_REVISION) ||
      !AddMandatoryAce(&security->label.acl, ACL_REVISION, 0, policy, security->level.token.Label.Sid) ||
      !SetSecurityDescriptorSacl(&security->descriptor, TRUE, &security->label.acl, FALSE))
    return GetLastError();
  return ERROR_SUCCESS;
}

static nps_result security__explicit(iocp_security *security, const char *text) {
  const nps_result refused = iocp_make_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_DESCRIPTOR);
  int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
  if (length <= 0)
    return refused;
  wchar_t *wide = os_alloc((size_t)length * sizeof *wide);
  if (wide == NULL)
    return iocp_result(ERROR_NOT_ENOUGH_MEMORY);
  (void)MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, length);
  BOOL parsed = ConvertStringSecurityDescriptorToSecurityDescriptorW(wide, SDDL_REVISION_1, &security->explicit, NULL);
  nps_result failure = parsed ? NPS_OK : iocp_result(GetLastError());
  os_free(wide);
  if (!parsed) /* the text is to blame unless memory is */
    return nps_result_status(failure) == NPS_E_OUT_OF_MEMORY ? failure : refused;
  security->attributes.lpSecurityDescriptor = security->explicit;
  return NPS_OK;
}

nps_result iocp_security_init(iocp_security *security, const nps_server_options *options) {
  memset(security, 0, sizeof *security);
  security->attributes.nLength = sizeof security->attributes;
  security->attributes.bInheritHandle = (options->flags & NPS_SERVER_INHERITABLE) != 0;
  DWORD code = security__ask(TokenUser, &security->user, sizeof security->user);
  if (code == ERROR_SUCCESS)
    code = security__ask(TokenOwner, &security->owner, sizeof security->owner);
  if (code != ERROR_SUCCESS)
    return iocp_result(code);
  switch ((nps_security)options->security) {
  case NPS_SECURITY_CURRENT_USER:
    code = security__current_user(security);
    break;
  case NPS_SECURITY_CURRENT_ELEVATION:
    code = security__current_elevation(security);
    break;
  case NPS_SECURITY_DESCRIPTOR:
    return security__explicit(security, options->descriptor);
  case NPS_SECURITY_FILE_MODE:
    return iocp_make_result(NPS_E_NOT_SUPPORTED, 0);
  }
  return iocp_result(code);
}

void iocp_security_end(iocp_security *security) {
  if (security->explicit != NULL)
    LocalFree(security->explicit);
}

typedef union security__found {
  SECURITY_DESCRIPTOR header;
  BYTE bytes[sizeof(SECURITY_DESCRIPTOR) + SECURITY_MAX_SID_SIZE];
} security__found;

/* Whose the pipe is: *owner points into `found`. A code. */
static DWORD security__owner_of(HANDLE pipe, security__found *found, PSID *owner) {
  DWORD needed = 0;
  BOOL defaulted = FALSE;
  *owner = NULL;
  if (!GetKernelObjectSecurity(pipe, OWNER_SECURITY_INFORMATION, found, sizeof *found, &needed) ||
      !GetSecurityDescriptorOwner(&found->header, owner, &defaulted))
    return GetLastError();
  return *owner != NULL ? ERROR_SUCCESS : ERROR_ACCESS_DENIED;
}

/* Whom the caller's own descriptor makes the owner; without one, the user. A code. */
static DWORD security__expected_owner(const iocp_security *security, PSID *owner) {
  BOOL defaulted = FALSE;
  *owner = security->user.token.User.Sid;
  if (security->explicit == NULL)
    return ERROR_SUCCESS;
  if (!GetSecurityDescriptorOwner(security->explicit, owner, &defaulted))
    return GetLastError();
  if (*owner == NULL)
    *owner = security->owner.token.Owner;
  return ERROR_SUCCESS;
}

DWORD iocp_security_check_owner(const iocp_security *security, HANDLE pipe) {
  security__found found;
  PSID owner, expected;
  DWORD code = security__owner_of(pipe, &found, &owner);
  if (code == ERROR_SUCCESS)
    code = security__expected_owner(security, &expected);
  if (code != ERROR_SUCCESS)
    return code;
  bool ours = EqualSid(owner, security->user.token.User.Sid) || EqualSid(owner, expected);
  return ours ? ERROR_SUCCESS : ERROR_ACCESS_DENIED;
}

DWORD iocp_security_check_server(HANDLE pipe) {
  iocp_security security; /* only the user of it */
  memset(&security, 0, sizeof security);
  security__found found;
  PSID owner;
  DWORD code = security__ask(TokenUser, &security.user, sizeof security.user);
  if (code == ERROR_SUCCESS)
    code = security__owner_of(pipe, &found, &owner);
  if (code != ERROR_SUCCESS)
    return code;
  return EqualSid(owner, security.user.token.User.Sid) ? ERROR_SUCCESS : ERROR_ACCESS_DENIED;
}
