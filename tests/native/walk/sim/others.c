/* others.c - other threads, faults and moods, which only the simulated kernel has: calls in the middle of a wait or a close of the
 * library, at the moments at which another thread could run; and faults aimed at rare calls. */
#include "others.h"

static uint32_t others__wakes_failed; /* when the wait under way began */

void walk_wait_begins(void) { others__wakes_failed = sim_fault_hits(SIM_FAULT_PORT_WAKE); }

/* X1: a wait that sleeps past the end of a linger time. Unless the wake that would have told it has failed. */
static void others__check_lingering(void) {
  const walk_poll *p = world.waits;
  if (p == NULL || p->poll == NULL || sim_fault_hits(SIM_FAULT_PORT_WAKE) != others__wakes_failed) return;
  for (const list_node *node = p->poll->lingering.head.next; node != &p->poll->lingering.head; node = node->next) {
    const nps_pipe *pipe = CONTAINER_OF(node, nps_pipe, linger_node);
    if (pipe->linger_until < os_now_ms()) walk_fail("X1: a wait sleeps beyond the end of a linger time");
  }
}

static void others__run(sim_moment moment, void *context) {
  (void)context;
  if (!world.others) return;
  if (moment == SIM_ASLEEP) others__check_lingering();
  if (!walk_chance(moment == SIM_UNLOCKED ? 8 : 50)) return;
  world.nested = true;
  const uint32_t what = walk_random(100);
  if (what < 40) {
    walk_play_peer();
  } else if (what < 85) {
    walk_pipe *p = &world.pipes[walk_random(WALK_PIPES)];
    if (p->pipe != NULL) {
      if (what < 80) {
        walk_use_pipe(p);
      } else {
        walk_release(p);
      }
    }
  } else if (what < 90) {
    walk_make();
  } else if (world.waits != NULL || what < 95) {
    walk_poll *p = world.waits != NULL ? world.waits : &world.polls[walk_random(WALK_POLLS)];
    if (p->poll != NULL) walk_use_poll(p);
  }
  world.nested = false;
}

void others_come(void) { sim_set_hook(others__run, NULL); }

void others_go(void) { sim_set_hook(NULL, NULL); }

/* ---------------------------------------------------------------- moods and faults */

/* The kernel changes its mood every few hundred steps: eager or lazy, honest or faulty. */
void walk_change_mood(void) {
  static const uint32_t shares[] = {0, 20, 50, 80, 100};
  sim_settings *now = sim_current();
  now->now_percent = shares[sim_random(5)];
  now->fire_percent = shares[1 + sim_random(4)];
  now->deliver_percent = shares[1 + sim_random(4)];
  now->lose_percent = shares[sim_random(5)];
  now->take_back_percent = shares[sim_random(5)];
  now->whole_percent = shares[sim_random(5)];
  now->spurious_percent = sim_random(3);
  world.faults = sim_chance(40);
  for (uint32_t i = 0; i < SIM_FAULT_PROBE; i++) { /* want of memory that a probe tells: of the scripts alone */
    now->fault_per_10000[i] = world.faults && sim_chance(30) ? sim_random(4000) : 0;
  }
}

void walk_aim_a_fault(const walk_pipe *p) {
  static const sim_fault faults[] = {SIM_FAULT_CONNECT, SIM_FAULT_DISCONNECT, SIM_FAULT_PORT_CREATE};
  for (uint32_t i = 0; i < sizeof faults / sizeof faults[0]; i++) sim_fault_at(faults[i], world.faults && sim_chance(25) ? 1 : 0);
  const bool no_spare = p != NULL && p->pipe->poll != NULL && p->pipe->poll->free_ops == NULL;
  sim_fault_at(SIM_FAULT_ALLOC, world.faults && sim_chance(no_spare ? 60 : 10) ? 1 : 0);
}

/* The peer of a server goes, if it is one that this walk plays. */
static void kernel__end_peer(walk_pipe *p) {
  for (uint32_t i = 0; i < WALK_PEERS; i++) {
    if (world.peers[i] == NULL || walk_notes_of(world.peers[i]) != walk_notes_of_peer(walk_end_of(p))) continue;
    sim_close(world.peers[i]);
    world.peers[i] = NULL;
    return;
  }
}

/* The rarest of all: a half-close without memory for its empty message, where nothing is registered; and faults in a disconnect whose
 * operation the kernel keeps, while there is none to spare. */
bool walk_call_rarely(walk_pipe *p) {
  const nps_pipe *pipe = p->pipe;
  if (!world.faults || pipe->state != PIPE_CONNECTED) return false;
  if (!os_direct_io && p->message && !p->registered && !p->shut && walk_chance(3)) {
    sim_fault_at(SIM_FAULT_ALLOC, 1);
    walk_shutdown(p);
    return true;
  }
  if (!p->server) return false;
  const bool none_to_spare = pipe->poll != NULL && pipe->poll->free_ops == NULL && op_is_pending(pipe->in);
  if (none_to_spare && walk_chance(70)) {
    if (walk_chance(30)) walk_deregister(p);
    if (walk_chance(50)) kernel__end_peer(p);
    sim_fault_at(SIM_FAULT_ALLOC, 1);
    walk_disconnect(p, true);
  } else if ((pipe->poll == NULL || !p->registered) && walk_chance(20)) {
    sim_fault_at(walk_chance(50) ? SIM_FAULT_DISCONNECT : SIM_FAULT_CONNECT, 1);
    walk_disconnect(p, walk_chance(50));
  } else {
    return false;
  }
  return true;
}
