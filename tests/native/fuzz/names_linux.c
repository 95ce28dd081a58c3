/* names_linux.c - names as the epoll backend turns them into paths: any bytes, any folder for temporary files. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "names.h"
#include "epoll.h"

#define SUN_PATH_LIMIT 107u /* 108 bytes with the NUL, unix(7) */

static void names__expect(const char *name, const char *folder, nps_result result, const char *path) {
  const size_t length = strlen(name);
  const bool full = name[0] == '/';
  const bool bad = full ? name[length - 1] == '/'
                        : strchr(name, '/') != NULL || strchr(name, '\\') != NULL || strcasecmp(name, "anonymous") == 0;
  if (bad) {
    if (result != names_refused())
      fuzz_fail("a name with a separator, or a reserved one, is not refused");
    return;
  }
  const char *before = full ? "" : folder, *slash = full || folder[strlen(folder) - 1] == '/' ? "" : "/";
  const char *prefix = full ? "" : "CoreFxPipe_";
  const size_t whole = strlen(before) + strlen(slash) + strlen(prefix) + length;
  if (whole > SUN_PATH_LIMIT) {
    if (nps_result_status(result) != NPS_E_NAME_TOO_LONG || nps_result_detail(result) != SUN_PATH_LIMIT) {
      fuzz_fail("a path of %u bytes is not called too long", (unsigned)whole);
    }
    return;
  }
  if (result != NPS_OK || strlen(path) != whole)
    fuzz_fail("a good name has no path, or one of another length");
  const char *parts[] = {before, slash, prefix, name};
  for (size_t i = 0; i < 4; i++) {
    if (strncmp(path, parts[i], strlen(parts[i])) != 0)
      fuzz_fail("a path is not where System.IO.Pipes has it");
    path += strlen(parts[i]);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = {data, size};
  const uint32_t kind = fuzz_take(&input, 4);
  char *text = fuzz_take_text(&input);
  const char *folder = kind == 0 ? NULL : kind == 1 ? "" : kind == 2 ? "/run/user/1000" : text;
  if (folder != NULL && setenv("TMPDIR", folder, 1) != 0)
    fuzz_fail("cannot set TMPDIR");
  if (folder == NULL)
    unsetenv("TMPDIR");
  if (kind == 3 && input.left != 0) { /* the folder's end */
    input.at++;
    input.left--;
  }
  char *name = kind == 3 ? fuzz_take_text(&input) : strdup(text);
  if (name == NULL)
    fuzz_fail("no memory for a name");
  if (names_core_takes(name)) {
    char *path = malloc(EP_PATH_LIMIT + 1);
    if (path == NULL)
      fuzz_fail("no memory for a path");
    const nps_result result = ep_path_of(name, NPS_MODE_BYTE, path);
    names__expect(name, folder == NULL || folder[0] == '\0' ? "/tmp/" : folder, result, path);
    free(path);
  }
  free(name);
  free(text);
  return 0;
}
