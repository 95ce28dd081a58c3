#include "test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"
#include "stage.h"

#if defined(_MSC_VER)
#define TEST_THREAD_LOCAL __declspec(thread)
#else
#define TEST_THREAD_LOCAL _Thread_local
#endif

#define WATCHDOG_MS (12u * TEST_DEADLINE_MS)

enum outcome { OUTCOME_FAILED = 1, OUTCOME_SKIPPED = 2, OUTCOME_THREAD_ENDED = 3 };

typedef struct allocation {
  struct allocation *next;
} allocation;

static TEST_THREAD_LOCAL jmp_buf *test__exit;
static TEST_THREAD_LOCAL bool test__is_helper;
static sys_atomic test__failures; /* of the case that runs */
static sys_atomic test__names;
static const char *test__skip_reason;
static sys_atomic test__running; /* index into test_cases */
static allocation *test__allocations;
static sys_event *test__watchdog_event;
static char test__note[100];
static sys_atomic test__signs_of_life;
static int test__argument_count;
static char **test__arguments;

_Noreturn void test_fail(const char *file, int line, const char *format, ...) {
  const char *slash = strrchr(file, '/');
  const char *backslash = strrchr(file, '\\');
  const char *base = slash > backslash ? slash : backslash;
  char text[600];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  printf("  %s:%d: %s%s\n", base != NULL ? base + 1 : file, line, text, test__is_helper ? " (helper thread)" : "");
  fflush(stdout);
  (void)sys_atomic_add(&test__failures, 1);
  if (test__exit == NULL) {
    sys_exit_now(1); /* in a child process, or in a thread that the harness does not know */
  }
  longjmp(*test__exit, test__is_helper ? OUTCOME_THREAD_ENDED : OUTCOME_FAILED);
}

_Noreturn void test_skip(const char *reason) {
  if (sys_is_wine()) {
    FAIL("skipped under Wine without an entry in wine-skips.txt: %s", reason);
  }
  test__skip_reason = reason;
  longjmp(*test__exit, OUTCOME_SKIPPED);
}

void test_require(bool condition, const char *file, int line, const char *text) {
  if (!condition) {
    test_fail(file, line, "%s is false", text);
  }
}

void test_require_equal(int64_t expected, int64_t actual, const char *file, int line, const char *text) {
  if (expected != actual) {
    test_fail(file, line, "%s is %lld, should be %lld", text, (long long)actual, (long long)expected);
  }
}

void test_require_status(int32_t expected, nps_result actual, const char *file, int line, const char *text) {
  if (expected != nps_result_status(actual)) {
    test_fail(file, line, "%s gives %s (detail %u), should be %s", text, nps_status_name(nps_result_status(actual)),
        nps_result_detail(actual), nps_status_name(expected));
  }
}

void test_require_invalid(uint32_t argument, nps_result actual, const char *file, int line, const char *text) {
  test_require_status(NPS_E_INVALID_ARGUMENT, actual, file, line, text);
  if (nps_result_detail(actual) != argument) {
    test_fail(file, line, "%s blames %s, should blame %s", text, nps_argument_name(nps_result_detail(actual)),
        nps_argument_name(argument));
  }
}

void *test_new(size_t size) {
  allocation *made = calloc(1, sizeof(allocation) + 16 + size);
  if (made == NULL) {
    FAIL("no memory for the test itself");
  }
  made->next = test__allocations; /* only the case's own thread allocates */
  test__allocations = made;
  return (char *)made + 16;
}

static void test__free_all(bool really) {
  while (really && test__allocations != NULL) {
    allocation *next = test__allocations->next;
    free(test__allocations);
    test__allocations = next;
  }
  test__allocations = NULL;
}

void test_note(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(test__note, sizeof test__note, format, arguments);
  va_end(arguments);
}

void test_alive(void) {
  (void)sys_atomic_add(&test__signs_of_life, 1);
}

bool test_has_failed(void) {
  return sys_atomic_get(&test__failures) != 0;
}

const char *test_name(void) {
  char *name = test_new(64);
  (void)snprintf(name, 64, "nps-test-%u-%lld", sys_process_id(), (long long)sys_atomic_add(&test__names, 1));
  return name;
}

/* The pattern's bytes 8 * which to 8 * which + 7, as they lie in memory. */
static uint64_t pattern__word(uint64_t seed, uint64_t which) {
  uint64_t mixed = (which + 1) * 0x9E3779B97F4A7C15u ^ (seed + 0x51ED27u) * 0xD6E8FEB86659FD93u;
  mixed ^= mixed >> 32;
  mixed *= 0xD6E8FEB86659FD93u;
  return mixed ^ mixed >> 29;
}

static uint8_t pattern__byte(uint64_t seed, uint64_t place) {
  const uint64_t word = pattern__word(seed, place / 8);
  return ((const uint8_t *)&word)[place % 8];
}

/* The next piece of the pattern, up to a word's end. */
static size_t pattern__piece(uint64_t seed, uint64_t place, size_t left, uint8_t piece[8]) {
  const uint64_t word = pattern__word(seed, place / 8);
  const size_t first = (size_t)(place % 8), length = left < 8 - first ? left : 8 - first;
  memcpy(piece, (const uint8_t *)&word + first, length);
  return length;
}

void pattern_fill(void *memory, size_t size, uint64_t seed, uint64_t offset) {
  uint8_t piece[8];
  for (size_t i = 0; i < size;) {
    const size_t length = pattern__piece(seed, offset + i, size - i, piece);
    memcpy((uint8_t *)memory + i, piece, length);
    i += length;
  }
}

bool pattern_matches(const void *memory, size_t size, uint64_t seed, uint64_t offset) {
  uint8_t piece[8];
  for (size_t i = 0; i < size;) {
    const size_t length = pattern__piece(seed, offset + i, size - i, piece);
    if (memcmp((const uint8_t *)memory + i, piece, length) != 0) {
      return false;
    }
    i += length;
  }
  return true;
}

void pattern_require(const void *memory, size_t size, uint64_t seed, uint64_t offset) {
  const uint8_t *bytes = memory;
  if (pattern_matches(memory, size, seed, offset)) {
    return;
  }
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] != pattern__byte(seed, offset + i)) {
      FAIL("byte %llu of stream %llu is %u, should be %u (byte %llu of %llu in this run)",
          (unsigned long long)(offset + i), (unsigned long long)seed, bytes[i], pattern__byte(seed, offset + i),
          (unsigned long long)i, (unsigned long long)size);
    }
  }
}

void test_run_thread(void (*run)(void *), void *context) {
  jmp_buf exit;
  test__is_helper = true;
  test__exit = &exit;
  if (setjmp(exit) == 0) {
    run(context);
  }
}

void test_is_child(void) {
  test__exit = NULL;
  test__is_helper = false;
}

static void test__watchdog(void *context) {
  (void)context;
  int64_t before = -1, alive = 0;
  for (;;) {
    if (sys_event_wait(test__watchdog_event, WATCHDOG_MS)) {
      continue; /* a case has ended */
    }
    if (before == sys_atomic_get(&test__running) && alive == sys_atomic_get(&test__signs_of_life)) {
      printf("FAIL %s (hangs: ended by the watchdog) %s\n", test_cases[before].name, test__note);
      fflush(stdout);
      sys_exit_now(3);
    }
    before = sys_atomic_get(&test__running);
    alive = sys_atomic_get(&test__signs_of_life);
  }
}

/* Whether it passed. */
static bool test__run_round(const test_case *one, uint32_t round) {
  jmp_buf exit;
  test__exit = &exit;
  if (setjmp(exit) == 0) {
    stage_begin(round);
    one->run();
    stage_end();
  }
  sys_event_set(test__watchdog_event);
  bool passed = sys_atomic_get(&test__failures) == 0;
  test__free_all(passed);
  return passed;
}

static int test__run_case(const test_case *one) {
  uint64_t start = sys_now_ms();
  sys_atomic_set(&test__running, one - test_cases);
  test__skip_reason = NULL;
  test__note[0] = '\0';
  sys_atomic_set(&test__failures, 0);
  bool failed = false;
  if (one->wine_reason != NULL && sys_is_wine()) {
    test__skip_reason = one->wine_reason;
  }
  for (uint32_t round = 0; test__skip_reason == NULL && !failed && round < stage_rounds(); round++) {
    failed = !test__run_round(one, round);
  }
  if (failed) {
    printf("FAIL %s%s%s\n", one->name, test__note[0] != '\0' ? " " : "", test__note);
  } else if (test__skip_reason != NULL) {
    printf("skip %s: %s\n", one->name, test__skip_reason);
  } else {
    printf("ok   %s (%llu ms)\n", one->name, (unsigned long long)(sys_now_ms() - start));
  }
  fflush(stdout);
  return failed ? OUTCOME_FAILED : test__skip_reason != NULL ? OUTCOME_SKIPPED : 0;
}

static int test__run_child(const char *name, const char *argument) {
  for (const test_child *child = test_children; child->name != NULL; child++) {
    if (strcmp(child->name, name) == 0) {
      return child->run(argument);
    }
  }
  printf("no child %s\n", name);
  return 2;
}

const char *test_option(const char *name) {
  for (int i = 1; i + 1 < test__argument_count; i++) {
    if (strncmp(test__arguments[i], "--", 2) == 0 && strcmp(test__arguments[i] + 2, name) == 0) {
      return test__arguments[i + 1];
    }
  }
  return NULL;
}

static bool test__chosen(const test_case *one, int count, char **wanted) {
  bool any = false;
  for (int i = 0; i < count; i++) {
    if (strncmp(wanted[i], "--", 2) == 0) {
      i++; /* an option and its value */
      continue;
    }
    any = true;
    if (strcmp(wanted[i], one->group) == 0 || strcmp(wanted[i], one->name) == 0) {
      return true;
    }
  }
  return !any;
}

/* No argument: all cases. Arguments: groups or cases, and options for them. --list prints the cases. */
int test_main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "--child") == 0) {
    return test__run_child(argv[2], argv[3]);
  }
  test__argument_count = argc;
  test__arguments = argv;
  bool list = argc > 1 && strcmp(argv[1], "--list") == 0;
  int skip = list ? 2 : 1;
  int failed = 0, passed = 0, skipped = 0;
  if (!list) {
    test__watchdog_event = sys_event_new();
    sys_thread_detach(sys_thread_start(test__watchdog, NULL));
  }
  for (const test_case *one = test_cases; one->name != NULL; one++) {
    if (!test__chosen(one, argc - skip, argv + skip)) {
      continue;
    }
    if (list) {
      printf("%s.%s\n", one->group, one->name);
      continue;
    }
    int outcome = test__run_case(one);
    failed += outcome == OUTCOME_FAILED;
    skipped += outcome == OUTCOME_SKIPPED;
    passed += outcome == 0;
  }
  if (!list) {
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    fflush(stdout);
  }
  if (!list && passed + failed + skipped == 0) {
    printf("no case has such a name\n");
    return 2;
  }
  return failed == 0 ? 0 : 1;
}
