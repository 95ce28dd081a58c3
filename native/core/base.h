/* base.h - the few helpers that every file of core uses. */
#ifndef NPS_CORE_BASE_H
#define NPS_CORE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "os.h"

static inline nps_result make_result(nps_status status, uint32_t detail) {
  return (nps_result)(((uint64_t)(uint32_t)status << 32) | detail);
}

static inline nps_result invalid_argument(nps_argument argument) {
  return make_result(NPS_E_INVALID_ARGUMENT, (uint32_t)argument);
}

static inline bool has_status(nps_result result, nps_status status) {
  return nps_result_status(result) == status;
}

static inline uint32_t min_u32(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

/* Results that carry no detail. */
#define RESULT_OK ((nps_result)0)
#define RESULT(status) make_result((status), 0)

/* The struct of `type` whose `member` is at `pointer`. */
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
