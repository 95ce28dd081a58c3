/* platform.c - locks, signals and time: one thread, so that a lock which cannot be had at once never will be. */
#include "kernel.h"

#define LOCK_MAGIC 0x10C4E4B0u
#define SIGNAL_MAGIC 0x516A1000u

static os_lock *platform__outer; /* the lock that was taken first, of those held */

void os_lock_init(os_lock *lock) {
  memset(lock, 0, sizeof *lock);
  lock->magic = LOCK_MAGIC;
  sim.locks++;
}

void os_lock_destroy(os_lock *lock) {
  if (lock->magic != LOCK_MAGIC) sim_fail("os_lock_destroy of what is no lock");
  if (lock->held) sim_fail("a lock is destroyed while it is held");
  lock->magic = 0;
  sim.locks--;
}

void os_lock_enter(os_lock *lock) {
  if (lock->magic != LOCK_MAGIC) sim_fail("os_lock_enter of what is no lock (any more)");
  if (lock->held) sim_fail("a lock is entered twice: two threads would wait for each other");
  if (sim.locks_held >= 2) sim_fail("a third lock is entered");
  if (sim.locks_held == 1) {
    if (lock->rank == 1 || platform__outer->rank == 2) sim_fail("locks are entered in two orders");
    lock->rank = 2;
    platform__outer->rank = 1;
  } else {
    platform__outer = lock;
  }
  lock->held = true;
  sim.locks_held++;
}

void os_lock_leave(os_lock *lock) {
  if (lock->magic != LOCK_MAGIC || !lock->held) sim_fail("os_lock_leave of a lock that is not held");
  lock->held = false;
  sim.locks_held--;
  if (sim.locks_held == 0 && sim.closing != NULL) sim_fail("a cancel said that the pipe is closed next, and it is not");
  sim_moment_passes(SIM_UNLOCKED);
}

void os_signal_init(os_signal *signal) {
  signal->magic = SIGNAL_MAGIC;
  sim.signals++;
}

void os_signal_destroy(os_signal *signal) {
  if (signal->magic != SIGNAL_MAGIC) sim_fail("os_signal_destroy of what is no signal");
  signal->magic = 0;
  sim.signals--;
}

void os_signal_wait(os_signal *signal, os_lock *lock) {
  if (signal->magic != SIGNAL_MAGIC) sim_fail("os_signal_wait of what is no signal");
  if (!lock->held || sim.locks_held != 1) sim_fail("os_signal_wait with %u locks held", sim.locks_held);
  if (!sim.settings.threads) sim_fail("os_signal_wait: there is no other thread to wait for");
  os_lock_leave(lock);
  sim_moment_passes(SIM_SIGNAL);
  os_lock_enter(lock);
}

void os_signal_all(os_signal *signal) {
  if (signal->magic != SIGNAL_MAGIC) sim_fail("os_signal_all of what is no signal");
}

uint64_t os_now_ms(void) { return sim.now; }

void os_sleep_ms(uint32_t ms) {
  sim_check_unlocked("os_sleep_ms");
  sim.now += ms;
  sim_moment_passes(SIM_NAP);
}
