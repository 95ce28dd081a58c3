/* The clock of the cases: apart from test.c, whose own clock is the system's also where the cases have another one. */
#include "sys.h"
#include "test.h"

uint64_t test_deadline(void) {
  return sys_now_ms() + TEST_DEADLINE_MS;
}

bool test_expired(uint64_t deadline) {
  return sys_now_ms() > deadline;
}
