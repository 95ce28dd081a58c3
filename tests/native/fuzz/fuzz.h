/* fuzz.h - a fuzz target: one function that takes any bytes, and ends the process when it finds a fault. libFuzzer calls it where
 * there is one; replay.c where there is none. */
#ifndef NPS_FUZZ_H
#define NPS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); /* the name that libFuzzer asks for */

/* ---- input.c ---- */

_Noreturn void fuzz_fail(const char *format, ...);

/* What is left of an input. At its end all that is taken is 0. */
typedef struct fuzz_input {
  const uint8_t *at;
  size_t left;
} fuzz_input;

uint32_t fuzz_take(fuzz_input *input, uint32_t below); /* 0: any 32 bits */
uint32_t fuzz_take_number(fuzz_input *input); /* any, but often one at the edge of something */

/* All that is left up to the first NUL, as a string in a block of just that size; the caller frees it. */
char *fuzz_take_text(fuzz_input *input);

bool fuzz_is_utf8(const char *text);

#endif
