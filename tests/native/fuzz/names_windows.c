/* names_windows.c - names as the iocp backend turns them into paths. */
#include "fuzz.h"
#include "names.h"
#include "iocp.h"

#include <stdlib.h>
#include <string.h>

#define PATH_LIMIT 256u /* UTF-16 units, CreateNamedPipe */

/* The UTF-16 of a text that is UTF-8; its length. */
static size_t names__utf16(const char *text, wchar_t *wide, size_t room) {
  size_t length = 0;
  for (const uint8_t *s = (const uint8_t *)text; *s != 0;) {
    const uint32_t bytes = *s < 0x80 ? 1 : *s < 0xE0 ? 2 : *s < 0xF0 ? 3 : 4;
    uint32_t character = bytes == 1 ? *s : *s & (0x7Fu >> bytes);
    for (uint32_t i = 1; i < bytes; i++)
      character = character << 6 | (s[i] & 0x3Fu);
    s += bytes;
    const uint32_t high = 0xD800 + ((character - 0x10000) >> 10), low = 0xDC00 + (character & 0x3FF);
    if (length < room)
      wide[length] = (wchar_t)(character >= 0x10000 ? high : character);
    length++;
    if (character < 0x10000)
      continue;
    if (length < room)
      wide[length] = (wchar_t)low;
    length++;
  }
  return length;
}

static bool names__same_letters(const char *text, const char *lower, size_t length) {
  for (size_t i = 0; i < length; i++) {
    const char c = text[i];
    if (c != lower[i] && !(lower[i] >= 'a' && lower[i] <= 'z' && c == lower[i] - 32))
      return false;
  }
  return true;
}

static void names__expect(const char *name, nps_result result, const wchar_t *path) {
  if (names__same_letters(name, "\\\\.\\pipe\\", 9))
    name += 9;
  const size_t length = strlen(name);
  const bool nothing = strspn(name, ". ") == length;
  if (nothing || strchr(name, '/') != NULL || strchr(name, '\\') != NULL ||
      (length == 9 && names__same_letters(name, "anonymous", 9))) {
    if (result != names_refused())
      fuzz_fail("a name with a separator, a reserved one, or one that vanishes is not refused");
    return;
  }
  wchar_t expected[PATH_LIMIT + 1] = L"\\\\.\\pipe\\";
  const size_t whole = 9 + names__utf16(name, expected + 9, PATH_LIMIT - 9);
  if (whole > PATH_LIMIT) {
    if (nps_result_status(result) != NPS_E_NAME_TOO_LONG || nps_result_detail(result) != PATH_LIMIT) {
      fuzz_fail("a path of %u units is not called too long", (unsigned)whole);
    }
    return;
  }
  expected[whole] = 0;
  if (result != NPS_OK || wcscmp(path, expected) != 0)
    fuzz_fail("a good name has no path, or another");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input input = {data, size};
  const uint32_t kind = fuzz_take(&input, 4); /* a folder, on Linux */
  char *text = fuzz_take_text(&input);
  if (kind == 3 && input.left != 0) {
    input.at++;
    input.left--;
  }
  char *second = kind == 3 ? fuzz_take_text(&input) : NULL;
  const char *name = second != NULL ? second : text;
  if (names_core_takes(name)) {
    wchar_t *path = calloc(IOCP_NAME_MAX + 1, sizeof *path);
    if (path == NULL)
      fuzz_fail("no memory for a path");
    const nps_result result = iocp_name(name, NULL, path);
    names__expect(name, result, path);
    free(path);
  }
  free(second);
  free(text);
  return 0;
}
