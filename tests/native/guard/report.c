/* report.c - one line on stderr, and the end of the process. Nothing here allocates: the heap may be the victim. */
#include "guard.h"

#include <stdio.h>

static PVOID s_handler;

static const char *report__state(guard_state state) {
  switch (state) {
  case GUARD_LIVING:
    return "living";
  case GUARD_TAKEN:
    return "freed, taken away";
  case GUARD_POISONED:
    return "freed, poisoned";
  }
  return "?";
}

_Noreturn void guard_report(const char *what, const guard_block *block, ptrdiff_t offset) {
  char line[400];
  int length;
  if (block != NULL)
    length =
        snprintf(line, sizeof line, "guard: %s: block %llu of %llu bytes (%s), at byte %lld; seed %llu, process %lu\n",
            what, (unsigned long long)block->number, (unsigned long long)block->size, report__state(block->state),
            (long long)offset, (unsigned long long)guard_seed(), GetCurrentProcessId());
  else
    length = snprintf(line, sizeof line, "guard: %s; seed %llu, process %lu\n", what, (unsigned long long)guard_seed(),
        GetCurrentProcessId());
  DWORD written;
  if (length > 0)
    (void)WriteFile(GetStdHandle(STD_ERROR_HANDLE), line, (DWORD)length, &written, NULL);
  (void)TerminateProcess(GetCurrentProcess(), GUARD_EXIT_CODE);
  for (;;)
    Sleep(INFINITE); /* the process is ending */
}

/* Faults elsewhere are not ours. The lock is not waited for: the thread that faulted may have it. */
static LONG CALLBACK report__fault(EXCEPTION_POINTERS *pointers) {
  const EXCEPTION_RECORD *record = pointers->ExceptionRecord;
  if (record->ExceptionCode != EXCEPTION_ACCESS_VIOLATION || record->NumberParameters < 2)
    return EXCEPTION_CONTINUE_SEARCH;
  const uint8_t *address = (const uint8_t *)record->ExceptionInformation[1];
  /* What the processor tells of an address that cannot be, as poison is. */
  if (record->ExceptionInformation[1] == ~(ULONG_PTR)0)
    guard_report("used as an address what is none: read from a freed block, perhaps", NULL, 0);
  if (!guard_pages_contain(address))
    return EXCEPTION_CONTINUE_SEARCH;
  (void)TryAcquireSRWLockExclusive(&guard_lock);
  const guard_block *block = guard_find_near(address);
  guard_report(record->ExceptionInformation[0] == 0 ? "read where nothing is" : "written where nothing is", block,
      block != NULL ? address - block->memory : 0);
}

void guard_report_faults(bool on) {
  if (on) {
    s_handler = AddVectoredExceptionHandler(1, report__fault);
  } else if (s_handler != NULL) {
    (void)RemoveVectoredExceptionHandler(s_handler);
    s_handler = NULL;
  }
}
