/* path.c - from a pipe's name to its path: the rules of System.IO.Pipes, so that either can serve the other. Message pipes, which it does not
 * have, have another prefix of the same length. */
#include "epoll.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PATH_PREFIX "CoreFxPipe_"
#define PATH_MESSAGE_PREFIX "NpsMessage_"

/* The folder for temporary files, as .NET's Path.GetTempPath has it; *separator is what must follow it. */
static const char *path__folder(const char **separator) {
  const char *folder = getenv("TMPDIR");
  if (folder == NULL || folder[0] == '\0') {
    *separator = "";
    return "/tmp/";
  }
  *separator = folder[strlen(folder) - 1] == '/' ? "" : "/";
  return folder;
}

static bool path__append(char *path, size_t *length, const char *part) {
  size_t size = strlen(part);
  if (size > EP_PATH_LIMIT - *length) {
    return false;
  }
  memcpy(path + *length, part, size + 1);
  *length += size;
  return true;
}

nps_result ep_path_of(const char *name, uint32_t mode, char *path) {
  size_t length = 0;
  bool fits;
  if (name[0] == '/') { /* a full path is the caller's own choice; only a folder cannot be meant */
    if (name[strlen(name) - 1] == '/') {
      return ep_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_NAME);
    }
    fits = path__append(path, &length, name);
  } else {
    /* "anonymous" is reserved by .NET; a backslash would be a separator on Windows: refused here too. */
    if (strpbrk(name, "/\\") != NULL || strcasecmp(name, "anonymous") == 0) {
      return ep_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_NAME);
    }
    const char *separator;
    const char *folder = path__folder(&separator);
    fits = path__append(path, &length, folder) && path__append(path, &length, separator) &&
           path__append(path, &length, mode == NPS_MODE_MESSAGE ? PATH_MESSAGE_PREFIX : PATH_PREFIX) &&
           path__append(path, &length, name);
  }
  return fits ? NPS_OK : ep_result(NPS_E_NAME_TOO_LONG, EP_PATH_LIMIT);
}
