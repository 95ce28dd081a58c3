#include "sys.h"

#include <windows.h>

#include <psapi.h>
#include <tlhelp32.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

struct sys_thread {
  HANDLE handle;
  void (*run)(void *);
  void *context;
};

struct sys_event {
  HANDLE handle;
};

struct sys_process {
  HANDLE handle;
};

uint64_t sys_now_ms(void) {
  LARGE_INTEGER now, frequency;
  QueryPerformanceCounter(&now);
  QueryPerformanceFrequency(&frequency);
  return (uint64_t)(now.QuadPart / frequency.QuadPart) * 1000u +
         (uint64_t)(now.QuadPart % frequency.QuadPart) * 1000u / (uint64_t)frequency.QuadPart;
}

uint64_t sys_now_us(void) {
  LARGE_INTEGER now, frequency;
  QueryPerformanceCounter(&now);
  QueryPerformanceFrequency(&frequency);
  return (uint64_t)(now.QuadPart / frequency.QuadPart) * 1000000u +
         (uint64_t)(now.QuadPart % frequency.QuadPart) * 1000000u / (uint64_t)frequency.QuadPart;
}

static uint64_t sys__ticks(FILETIME time) {
  return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

uint64_t sys_cpu_ms(void) {
  FILETIME created, ended, kernel, user;
  if (!GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user)) {
    FAIL("GetProcessTimes: error %lu", GetLastError());
  }
  return (sys__ticks(kernel) + sys__ticks(user)) / 10000u;
}

uint32_t sys_process_id(void) {
  return GetCurrentProcessId();
}

bool sys_is_wine(void) {
  HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  return ntdll != NULL && GetProcAddress(ntdll, "wine_get_version") != NULL;
}

bool sys_is_windows(void) {
  return true;
}

static DWORD WINAPI sys__thread_main(void *context) {
  sys_thread *thread = context;
  test_run_thread(thread->run, thread->context);
  return 0;
}

sys_thread *sys_thread_start(void (*run)(void *), void *context) {
  sys_thread *thread = calloc(1, sizeof *thread);
  if (thread == NULL) {
    FAIL("no memory for a thread");
  }
  thread->run = run;
  thread->context = context;
  thread->handle = CreateThread(NULL, 0, sys__thread_main, thread, 0, NULL);
  if (thread->handle == NULL) {
    FAIL("cannot start a thread: error %lu", GetLastError());
  }
  return thread;
}

void sys_thread_join(sys_thread *thread) {
  if (WaitForSingleObject(thread->handle, 2 * TEST_DEADLINE_MS) != WAIT_OBJECT_0) {
    FAIL("a helper thread does not end");
  }
  CloseHandle(thread->handle);
  free(thread);
}

/* The record must outlive the thread, which reads it. */
void sys_thread_detach(sys_thread *thread) {
  CloseHandle(thread->handle);
}

void sys_yield(void) {
  SwitchToThread();
}

sys_event *sys_event_new(void) {
  sys_event *event = calloc(1, sizeof *event);
  if (event == NULL || (event->handle = CreateEventW(NULL, FALSE, FALSE, NULL)) == NULL) {
    FAIL("cannot make an event");
  }
  return event;
}

void sys_event_set(sys_event *event) {
  SetEvent(event->handle);
}

bool sys_event_wait(sys_event *event, uint32_t timeout_ms) {
  return WaitForSingleObject(event->handle, timeout_ms) == WAIT_OBJECT_0;
}

void sys_event_free(sys_event *event) {
  CloseHandle(event->handle);
  free(event);
}

int64_t sys_atomic_get(sys_atomic *atomic) {
  return InterlockedCompareExchange64(&atomic->value, 0, 0);
}

void sys_atomic_set(sys_atomic *atomic, int64_t value) {
  (void)InterlockedExchange64(&atomic->value, value);
}

int64_t sys_atomic_add(sys_atomic *atomic, int64_t value) {
  return InterlockedExchangeAdd64(&atomic->value, value) + value;
}

sys_process *sys_spawn(const char *child, const char *argument) {
  char program[MAX_PATH];
  char line[MAX_PATH + 300];
  STARTUPINFOA startup = {0};
  PROCESS_INFORMATION made;
  sys_process *process = calloc(1, sizeof *process);
  startup.cb = sizeof startup;
  if (process == NULL || GetModuleFileNameA(NULL, program, MAX_PATH) == 0) {
    FAIL("cannot find this program");
  }
  (void)snprintf(line, sizeof line, "\"%s\" --child %s %s", program, child, argument);
  fflush(NULL);
  if (!CreateProcessA(program, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made)) {
    FAIL("CreateProcess: error %lu", GetLastError());
  }
  CloseHandle(made.hThread);
  process->handle = made.hProcess;
  return process;
}

int sys_process_wait(sys_process *process) {
  DWORD code = 0;
  bool ended = WaitForSingleObject(process->handle, 3 * TEST_DEADLINE_MS) == WAIT_OBJECT_0;
  if (!ended) {
    TerminateProcess(process->handle, 98);
  }
  GetExitCodeProcess(process->handle, &code);
  CloseHandle(process->handle);
  free(process);
  return ended ? (int)code : -1;
}

void sys_process_kill(sys_process *process) {
  (void)TerminateProcess(process->handle, SYS_KILLED);
}

sys_shared sys_shared_new(size_t size) {
  static sys_atomic s_names;
  sys_shared made = {.memory = NULL, .size = size, .handle = 0, .id = ""};
  (void)snprintf(
      made.id, sizeof made.id, "nps-shared-%lu-%lld", GetCurrentProcessId(), (long long)sys_atomic_add(&s_names, 1));
  HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, (DWORD)size, made.id);
  made.handle = (intptr_t)section;
  made.memory = section != NULL ? MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, size) : NULL;
  if (made.memory == NULL) {
    FAIL("no shared memory: error %lu", GetLastError());
  }
  return made;
}

void *sys_shared_open(const char *id, size_t size) {
  HANDLE section = OpenFileMappingA(FILE_MAP_ALL_ACCESS, FALSE, id);
  void *memory = section != NULL ? MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, size) : NULL;
  if (memory == NULL) {
    FAIL("no shared memory %s: error %lu", id, GetLastError());
  }
  return memory;
}

void sys_shared_free(sys_shared *shared) {
  UnmapViewOfFile(shared->memory);
  CloseHandle((HANDLE)shared->handle);
  shared->memory = NULL;
}

bool sys_shared_await(sys_atomic *value, int64_t least, uint64_t deadline) {
  while (sys_atomic_get(value) < least) {
    if (test_expired(deadline)) {
      return false;
    }
    Sleep(1); /* other processes cannot wake us here: the look is repeated */
  }
  return true;
}

_Noreturn void sys_exit_now(int code) {
  fflush(NULL);
  TerminateProcess(GetCurrentProcess(), (UINT)code);
  abort();
}

/* Wine answers GetProcessHandleCount with 0, and knows the handles of all processes. */
static uint32_t sys__handles_of_wine(void) {
  typedef struct handle_entry {
    void *object;
    ULONG_PTR process, handle;
    ULONG access;
    USHORT trace, type;
    ULONG attributes, reserved;
  } handle_entry;
  typedef struct handle_table {
    ULONG_PTR count, reserved;
    handle_entry entries[1];
  } handle_table;
  typedef LONG WINAPI query_function(ULONG what, void *answer, ULONG size, ULONG *needed);
  enum { EXTENDED_HANDLES = 64, ROOM = 8 * 1024 * 1024 };
  query_function *query =
      (query_function *)(void (*)(void))GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtQuerySystemInformation");
  handle_table *table = malloc(ROOM);
  uint32_t count = 0;
  if (query == NULL || table == NULL || query(EXTENDED_HANDLES, table, ROOM, NULL) != 0) {
    FAIL("Wine does not tell its handles");
  }
  for (ULONG_PTR i = 0; i < table->count; i++) {
    count += table->entries[i].process == GetCurrentProcessId();
  }
  free(table);
  return count;
}

uint32_t sys_handle_count(void) {
  DWORD count = 0;
  if (!GetProcessHandleCount(GetCurrentProcess(), &count)) {
    FAIL("GetProcessHandleCount: error %lu", GetLastError());
  }
  return count == 0 && sys_is_wine() ? sys__handles_of_wine() : count;
}

uint32_t sys_thread_count(void) {
  uint32_t count = 0;
  THREADENTRY32 entry = {0};
  HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  if (snapshot == INVALID_HANDLE_VALUE) {
    FAIL("CreateToolhelp32Snapshot: error %lu", GetLastError());
  }
  entry.dwSize = sizeof entry;
  for (BOOL more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry)) {
    count += entry.th32OwnerProcessID == GetCurrentProcessId();
  }
  CloseHandle(snapshot);
  return count;
}

uint64_t sys_memory(void) {
#if defined(NPS_GUARD)
  return 0;
#else
  PROCESS_MEMORY_COUNTERS counters = {0};
  counters.cb = sizeof counters;
  if (!K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters)) {
    FAIL("GetProcessMemoryInfo: error %lu", GetLastError());
  }
  return counters.PagefileUsage;
#endif
}
