/* input.c - numbers and texts out of an input's bytes; how a target fails; what UTF-8 is, said in another way than core says it. */
#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fuzz_fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  (void)fprintf(stderr, "FAIL test_fuzz: ");
  (void)vfprintf(stderr, format, arguments);
  (void)fprintf(stderr, "\n");
  va_end(arguments);
  abort();
}

uint32_t fuzz_take(fuzz_input *input, uint32_t below) {
  uint32_t value = 0;
  const uint32_t bytes = below == 0 ? 4 : below <= 0x100 ? 1 : 2;
  for (uint32_t i = 0; i < bytes && input->left != 0; i++, input->left--)
    value = value << 8 | *input->at++;
  return below == 0 ? value : value % below;
}

uint32_t fuzz_take_number(fuzz_input *input) {
  static const uint32_t edges[] = {0, 1, 2, 3, 4, 5, 24, 32, 40, 254, 255, 256, 4095, 4096, 65535, 65536, 65537,
      1048576, 1048577, 16777216, 16777217, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu};
  const uint32_t count = (uint32_t)(sizeof edges / sizeof edges[0]);
  const uint32_t which = fuzz_take(input, count + 4);
  return which < count ? edges[which] : fuzz_take(input, 0);
}

char *fuzz_take_text(fuzz_input *input) {
  size_t length = 0;
  while (length < input->left && input->at[length] != 0)
    length++;
  char *text = malloc(length + 1);
  if (text == NULL)
    fuzz_fail("no memory for a text");
  if (length != 0)
    memcpy(text, input->at, length);
  text[length] = '\0';
  input->at += length;
  input->left -= length;
  return text;
}

/* Decodes each character and asks whether it is one, and whether it was written in the shortest way. */
bool fuzz_is_utf8(const char *text) {
  static const uint32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};
  const uint8_t *s = (const uint8_t *)text;
  while (*s != 0) {
    uint32_t length = 0;
    while (length < 8 && (*s & (0x80u >> length)) != 0)
      length++;
    if (length == 1 || length > 4)
      return false;
    uint32_t character = length == 0 ? *s : *s & (0x7Fu >> length);
    const uint32_t more = length == 0 ? 0 : length - 1;
    for (uint32_t i = 1; i <= more; i++) {
      if (s[i] >> 6 != 2)
        return false;
      character = character << 6 | (s[i] & 0x3Fu);
    }
    if (character < shortest[length] || character > 0x10FFFF || character >> 11 == 0x1B)
      return false;
    s += 1 + more;
  }
  return true;
}
