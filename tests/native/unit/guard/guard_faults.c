/* tests/native/guard: each kind of misuse, on purpose, in a process of its own, ends it with a report that names the block. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "sys.h"
#include "test.h"

enum { SMALL = 96, ODD = 100, LARGE = 65536, NOT_FOUND = 7 };

static volatile uint8_t s_seen; /* what a read that should fault read */

static void report_path(const char *name, char path[400]) {
  char folder[300];
  REQUIRE(GetTempPathA(sizeof folder, folder) > 0);
  (void)snprintf(path, 400, "%s%s.txt", folder, name);
}

/* In the child: stderr goes into a file that the parent reads. */
static void begin(const char *name, guard_choice choice) {
  char path[400];
  report_path(name, path);
  HANDLE file = CreateFileA(path, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
  if (file == INVALID_HANDLE_VALUE || !SetStdHandle(STD_ERROR_HANDLE, file)) {
    sys_exit_now(8);
  }
  guard_choose(choice);
}

/* The child must end with our code, and its report must have each of the texts. */
static void expect(const char *child, const char *what, const char *block, const char *place) {
  const char *name = test_name();
  char path[400], text[1000];
  int code = sys_process_wait(sys_spawn(child, name));
  report_path(name, path);
  FILE *file = fopen(path, "rb");
  REQUIRE(file != NULL);
  size_t length = fread(text, 1, sizeof text - 1, file);
  text[length] = '\0';
  fclose(file);
  remove(path);
  REQUIRE_EQUAL(GUARD_EXIT_CODE, code);
  if (strstr(text, what) == NULL || strstr(text, block) == NULL || strstr(text, place) == NULL) {
    FAIL("the report should have \"%s\", \"%s\" and \"%s\": %s", what, block, place, text);
  }
}

/* ---- living blocks ---- */

CHILD(guard_child_write_behind) {
  begin(argument, GUARD_BY_COIN);
  uint8_t *block = os_alloc(SMALL);
  block[SMALL] = 1;
  return NOT_FOUND;
}

CHILD(guard_child_read_behind) {
  begin(argument, GUARD_BY_COIN);
  const uint8_t *block = os_alloc(LARGE);
  s_seen = block[LARGE];
  return NOT_FOUND;
}

CHILD(guard_child_write_behind_odd) {
  begin(argument, GUARD_BY_COIN);
  uint8_t *block = os_alloc(ODD);
  block[ODD] = 1;
  os_free(block);
  return NOT_FOUND;
}

CHILD(guard_child_write_before) {
  begin(argument, GUARD_BY_COIN);
  uint8_t *block = os_alloc(SMALL);
  block[-1] = 1;
  os_free(block);
  return NOT_FOUND;
}

CHILD(guard_child_write_before_page) {
  begin(argument, GUARD_BY_COIN);
  uint8_t *first = os_alloc(LARGE);
  uint8_t *block = os_alloc(LARGE);
  (first < block ? block : first)[-1] = 1;
  return NOT_FOUND;
}

TEST(test_guard_an_overrun_by_one_byte_faults) {
  expect("guard_child_write_behind", "written where nothing is", "of 96 bytes (living)", "at byte 96;");
  expect("guard_child_read_behind", "read where nothing is", "of 65536 bytes (living)", "at byte 65536;");
}

TEST(test_guard_an_overrun_of_an_odd_size_is_seen_on_free) {
  expect("guard_child_write_behind_odd", "written to behind its end", "of 100 bytes", "at byte 100;");
}

TEST(test_guard_an_underrun_is_seen) {
  expect("guard_child_write_before", "written to before its beginning", "of 96 bytes", "at byte -1;");
  expect("guard_child_write_before_page", "written where nothing is", "of 65536 bytes", "at byte");
}

/* ---- freed blocks, and the program ---- */

CHILD(guard_child_read_after_free) {
  begin(argument, GUARD_ALWAYS_TAKE);
  uint8_t *block = os_alloc(SMALL);
  os_free(block);
  s_seen = block[5];
  return NOT_FOUND;
}

CHILD(guard_child_write_after_free) {
  begin(argument, GUARD_ALWAYS_TAKE);
  uint8_t *block = os_alloc(LARGE);
  os_free(block);
  block[60000] = 1;
  return NOT_FOUND;
}

/* The three times at which poison is looked at: the end of the process, now and then, and on leaving quarantine. */
CHILD(guard_child_poison_at_end) {
  begin(argument, GUARD_ALWAYS_POISON);
  uint8_t *block = os_alloc(SMALL);
  os_free(block);
  block[5] = 1;
  exit(NOT_FOUND);
}

CHILD(guard_child_poison_now_and_then) {
  begin(argument, GUARD_ALWAYS_POISON);
  uint8_t *block = os_alloc(SMALL);
  os_free(block);
  block[6] = 1;
  for (int i = 0; i < 4000; i++) { /* too few to push it out */
    os_free(os_alloc(SMALL));
  }
  sys_exit_now(NOT_FOUND); /* without what is done at the end */
}

CHILD(guard_child_poison_on_leaving) {
  begin(argument, GUARD_ALWAYS_POISON);
  uint8_t *block = os_alloc(SMALL);
  os_free(block);
  block[7] = 1;
  for (int i = 0; i < 600; i++) { /* too few for a look at all */
    os_free(os_alloc(LARGE));
  }
  sys_exit_now(NOT_FOUND);
}

CHILD(guard_child_pointer_from_poison) {
  begin(argument, GUARD_ALWAYS_POISON);
  uint8_t **block = os_alloc(SMALL);
  os_free(block);
  s_seen = *block[3];
  return NOT_FOUND;
}

TEST(test_guard_a_pointer_read_from_poison_faults) {
  expect("guard_child_pointer_from_poison", "used as an address what is none", "", "");
}

TEST(test_guard_a_late_access_to_what_was_taken_away_faults) {
  expect("guard_child_read_after_free", "read where nothing is", "of 96 bytes (freed, taken away)", "at byte 5;");
  expect("guard_child_write_after_free", "written where nothing is", "of 65536 bytes (freed", "at byte 60000;");
}

TEST(test_guard_a_late_write_into_poison_is_seen) {
  expect("guard_child_poison_at_end", "written to after free", "of 96 bytes (freed, poisoned)", "at byte 5;");
  expect("guard_child_poison_now_and_then", "written to after free", "of 96 bytes", "at byte 6;");
  expect("guard_child_poison_on_leaving", "written to after free", "of 96 bytes", "at byte 7;");
}

/* ---- freed blocks, and the kernel ---- */

typedef struct pending_read {
  HANDLE server, client;
  OVERLAPPED *overlapped;
  uint8_t *buffer;
} pending_read;

static pending_read start_read(const char *name) {
  pending_read one = {NULL, NULL, os_alloc(sizeof(OVERLAPPED)), os_alloc(LARGE)};
  char path[200];
  (void)snprintf(path, sizeof path, "\\\\.\\pipe\\%s", name);
  one.server = CreateNamedPipeA(
      path, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE | PIPE_READMODE_BYTE, 1, LARGE, LARGE, 0, NULL);
  one.client = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
  if (one.server == INVALID_HANDLE_VALUE || one.client == INVALID_HANDLE_VALUE ||
      ReadFile(one.server, one.buffer, LARGE, NULL, one.overlapped) || GetLastError() != ERROR_IO_PENDING) {
    sys_exit_now(9);
  }
  return one;
}

/* The read completes: into memory that was freed. */
static void end_read(const pending_read *one) {
  DWORD written;
  if (!WriteFile(one->client, "late", 4, &written, NULL) || WaitForSingleObject(one->server, 10000) != WAIT_OBJECT_0) {
    sys_exit_now(10);
  }
}

CHILD(guard_child_kernel_writes_buffer) {
  begin(argument, GUARD_ALWAYS_POISON);
  pending_read one = start_read(argument);
  os_free(one.buffer);
  guard_check_now(); /* and finds nothing yet */
  end_read(&one);
  guard_check_now();
  sys_exit_now(NOT_FOUND);
}

CHILD(guard_child_kernel_writes_overlapped) {
  begin(argument, GUARD_ALWAYS_POISON);
  pending_read one = start_read(argument);
  os_free(one.overlapped);
  guard_check_now();
  end_read(&one);
  guard_check_now();
  sys_exit_now(NOT_FOUND);
}

TEST(test_guard_a_late_write_of_the_kernel_is_seen) {
  expect("guard_child_kernel_writes_buffer", "written to after free", "of 65536 bytes", "at byte 0;");
  expect("guard_child_kernel_writes_overlapped", "written to after free", "of 32 bytes", "at byte 0;");
}

/* ---- freeing what is not there ---- */

CHILD(guard_child_free_twice_taken) {
  begin(argument, GUARD_ALWAYS_TAKE);
  void *block = os_alloc(SMALL);
  os_free(block);
  os_free(block);
  return NOT_FOUND;
}

CHILD(guard_child_free_twice_poisoned) {
  begin(argument, GUARD_ALWAYS_POISON);
  void *block = os_alloc(SMALL);
  os_free(block);
  os_free(block);
  return NOT_FOUND;
}

CHILD(guard_child_free_inside) {
  begin(argument, GUARD_BY_COIN);
  uint8_t *block = os_alloc(SMALL);
  os_free(block + 16);
  return NOT_FOUND;
}

TEST(test_guard_a_second_free_is_seen) {
  expect("guard_child_free_twice_taken", "freed twice", "of 96 bytes (freed, taken away)", "");
  expect("guard_child_free_twice_poisoned", "freed twice", "of 96 bytes (freed, poisoned)", "");
  expect("guard_child_free_inside", "free of what is no block", "", "");
}
