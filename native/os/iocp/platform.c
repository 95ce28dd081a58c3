#include "iocp.h"

_Static_assert(sizeof(os_lock) == sizeof(SRWLOCK), "an os_lock is an SRWLOCK");
_Static_assert(sizeof(os_signal) == sizeof(CONDITION_VARIABLE), "an os_signal is a CONDITION_VARIABLE");

static SRWLOCK *lock__srw(os_lock *lock) {
  return (SRWLOCK *)(void *)lock;
}
static CONDITION_VARIABLE *signal__condition(os_signal *signal) {
  return (CONDITION_VARIABLE *)(void *)signal;
}

void os_lock_init(os_lock *lock) {
  InitializeSRWLock(lock__srw(lock));
}
void os_lock_destroy(os_lock *lock) {
  (void)lock;
} /* holds nothing */
void os_lock_enter(os_lock *lock) {
  AcquireSRWLockExclusive(lock__srw(lock));
}
void os_lock_leave(os_lock *lock) {
  ReleaseSRWLockExclusive(lock__srw(lock));
}

void os_signal_init(os_signal *signal) {
  InitializeConditionVariable(signal__condition(signal));
}
void os_signal_destroy(os_signal *signal) {
  (void)signal;
} /* holds nothing */
void os_signal_wait(os_signal *signal, os_lock *lock) {
  (void)SleepConditionVariableSRW(
      signal__condition(signal), lock__srw(lock), INFINITE, 0); /* FALSE: woken for nothing */
}
void os_signal_all(os_signal *signal) {
  WakeAllConditionVariable(signal__condition(signal));
}

/* The tick count moves in steps of up to 16 ms: too coarse for a deadline of 1 ms. */
uint64_t os_now_ms(void) {
  LARGE_INTEGER count, frequency;
  QueryPerformanceCounter(&count); /* neither fails since Windows XP */
  QueryPerformanceFrequency(&frequency);
  uint64_t ticks = (uint64_t)count.QuadPart, per_second = (uint64_t)frequency.QuadPart;
  return ticks / per_second * 1000 + ticks % per_second * 1000 / per_second; /* in two parts: no overflow */
}

void os_sleep_ms(uint32_t ms) {
  Sleep(ms);
}
