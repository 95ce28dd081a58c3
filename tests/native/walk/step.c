/* step.c - the world, one random step in it, and its end. */
#include "kernel.h"

walk_world world;

void walk_step(void) {
  const uint32_t what = walk_random(1000);
  if (what < 4) {
    walk_change_mood();
  } else if (what < 55) {
    walk_make();
  } else if (what < 250) {
    walk_play_peer();
  } else if (what < 800) {
    walk_pipe *p = &world.pipes[walk_random(WALK_PIPES)];
    if (p->pipe == NULL) return;
    const walk_state state = walk_state_of(p);
    if (walk_chance(state == STATE_CLOSED ? 25 : state == STATE_LINGERING ? 5 : 0) || walk_random(400) == 0) {
      walk_release(p);
    } else {
      walk_use_pipe(p);
    }
  } else if (what < 820) {
    walk_settle(&world.polls[walk_random(WALK_POLLS)]);
  } else {
    walk_poll *p = &world.polls[walk_random(WALK_POLLS)];
    if (p->poll != NULL) walk_use_poll(p);
  }
  walk_sync();
  walk_check_invariants();
}

void walk_end_all(void) {
  walk_ending();
  for (uint32_t i = 0; i < WALK_PIPES; i++) {
    if (world.pipes[i].pipe != NULL) walk_release(&world.pipes[i]);
  }
  for (uint32_t i = 0; i < WALK_POLLS; i++) {
    if (world.polls[i].poll != NULL) walk_close_poll(&world.polls[i], true);
  }
  walk_finish();
  walk_messages_forget();
}
