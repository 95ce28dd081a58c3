/* process_windows.c - the process around the walk on Windows: its names, its handles, and the end of one that hangs. */
#include "real.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>

#include "process_windows.h"

#define PROCESS_EPISODE_MS 60000u /* an episode takes seconds under Wine: one that takes so long hangs */
#define PROCESS_PREFIX "\\\\.\\pipe\\"

static char process__paths[WALK_NAMES + 1][120];
static char process__message[200]; /* of the episode, for one that hangs */
static HANDLE process__event, process__alive;
static DWORD process__handles;

const char *windows_path(uint32_t which) { return process__paths[which]; }

const char *walk_name(uint32_t which) { return process__paths[which] + sizeof PROCESS_PREFIX - 1; }

void *windows_event(void) { return process__event; }

bool windows_is_wine(void) {
  const HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  return ntdll != NULL && GetProcAddress(ntdll, "wine_get_version") != NULL;
}

/* The only other thread; it has no operation of its own. */
static DWORD WINAPI process__watch(void *context) {
  DWORD written = 0;
  while (WaitForSingleObject(process__alive, PROCESS_EPISODE_MS) == WAIT_OBJECT_0) {
    /* another episode has begun */
  }
  WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), process__message, (DWORD)strlen(process__message), &written, NULL);
  TerminateProcess(GetCurrentProcess(), 1);
  return context == NULL;
}

static DWORD process__count_handles(void) {
  DWORD count = 0;
  if (!GetProcessHandleCount(GetCurrentProcess(), &count)) walk_fail("the walk: GetProcessHandleCount");
  return count;
}

void system_begin(const char *label) {
  static const char *const names[WALK_NAMES + 1] = {"a", "b", "in", "out", "message", "none"};
  for (uint32_t i = 0; i <= WALK_NAMES; i++) {
    (void)snprintf(process__paths[i], sizeof process__paths[i], "%snpswalk-%lu-%s-%s", PROCESS_PREFIX, GetCurrentProcessId(), label, names[i]);
  }
  if (process__alive == NULL) {
    process__event = CreateEventW(NULL, TRUE, FALSE, NULL);
    process__alive = CreateEventW(NULL, FALSE, FALSE, NULL);
    const HANDLE thread = CreateThread(NULL, 0, process__watch, NULL, 0, NULL);
    if (process__event == NULL || process__alive == NULL || thread == NULL) walk_fail("the walk: no watch");
  }
  (void)snprintf(process__message, sizeof process__message, "FAIL seed-episode %s (iocp): a call does not return\n", label);
  SetEvent(process__alive);
  process__handles = process__count_handles();
}

void system_finish(void) {
  const DWORD handles = process__count_handles();
  if (handles != process__handles) walk_fail("X3: %lu handles before, %lu after", process__handles, handles);
  for (uint32_t i = 0; i <= WALK_NAMES; i++) {
    const HANDLE client = CreateFileA(process__paths[i], GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (client != INVALID_HANDLE_VALUE || GetLastError() != ERROR_FILE_NOT_FOUND) walk_fail("X3: a name is not free");
  }
}
