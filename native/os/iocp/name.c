#include "iocp.h"

#define NAME__PREFIX "\\\\.\\pipe\\"
enum { NAME__PREFIX_LENGTH = sizeof NAME__PREFIX - 1 };

static int name__lower(char c) {
  return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* `lower` is in lower case; stops at the end of either. */
static bool name__starts_with(const char *text, const char *lower) {
  while (*lower != '\0' && name__lower(*text) == *lower) {
    text++;
    lower++;
  }
  return *lower == '\0';
}

/* Win32 strips dots and spaces from the end of a path. Of these names nothing would be left: the path would be the
 * folder of all pipes, which can be opened and is no pipe. */
static bool name__vanishes(const char *name) {
  return name[strspn(name, ". ")] == '\0';
}

static bool name__is_allowed(const char *name) {
  if (name__vanishes(name) || strpbrk(name, "\\/") != NULL)
    return false;
  return !(strlen(name) == strlen("anonymous") && name__starts_with(name, "anonymous"));
}

/* Appends text, as far as there is room: its length, or 0 and the last error. */
static int name__append(const char *text, wchar_t path[IOCP_NAME_MAX + 1], int length) {
  int added = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, path + length, IOCP_NAME_MAX + 1 - length);
  return added > 0 ? length + added - 1 : 0; /* the NUL is overwritten by what follows */
}

nps_result iocp_name(const char *name, const char *server, wchar_t path[IOCP_NAME_MAX + 1]) {
  if (name__starts_with(name, NAME__PREFIX))
    name += NAME__PREFIX_LENGTH;
  if (!name__is_allowed(name))
    return iocp_make_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_NAME);

  int length = name__append("\\\\", path, 0);
  length = name__append(server != NULL ? server : ".", path, length);
  if (length > 0)
    length = name__append("\\pipe\\", path, length);
  if (length > 0 && name__append(name, path, length) > 0)
    return NPS_OK;
  if (GetLastError() == ERROR_INSUFFICIENT_BUFFER)
    return iocp_make_result(NPS_E_NAME_TOO_LONG, IOCP_NAME_MAX);
  return iocp_make_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_NAME);
}
