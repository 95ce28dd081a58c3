/* wait.c - waits, what their events may say, which events are owed, and what other threads do meanwhile. */
#include "walk.h"

#define SETTLED_AFTER 4 /* waits in a row that give nothing */

/* ---------------------------------------------------------------- others */

void walk_others_may_run(void) { world.others = true; }

void walk_others_stop(void) {
  world.others = false;
  world.waits = NULL;
}

/* X1: a wait that sleeps past the end of a linger time. Unless the wake that would have told it has failed. */
static void wait__check_lingering(void) {
  const walk_poll *p = world.waits;
  if (p == NULL || p->poll == NULL || sim_fault_hits(SIM_FAULT_PORT_WAKE) != world.wakes_failed) return;
  for (const list_node *node = p->poll->lingering.head.next; node != &p->poll->lingering.head; node = node->next) {
    const nps_pipe *pipe = CONTAINER_OF(node, nps_pipe, linger_node);
    if (pipe->linger_until < os_now_ms()) sim_fail("X1: a wait sleeps beyond the end of a linger time");
  }
}

void walk_others(sim_moment moment, void *context) {
  (void)context;
  if (!world.others) return;
  if (moment == SIM_ASLEEP) wait__check_lingering();
  if (!sim_chance(moment == SIM_UNLOCKED ? 8 : 50)) return;
  world.nested = true;
  const uint32_t what = sim_random(100);
  if (what < 40) {
    walk_play_peer();
  } else if (what < 85) {
    walk_pipe *p = &world.pipes[sim_random(WALK_PIPES)];
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
    walk_poll *p = world.waits != NULL ? world.waits : &world.polls[sim_random(WALK_POLLS)];
    if (p->poll != NULL) walk_use_poll(p);
  }
  world.nested = false;
}

/* ---------------------------------------------------------------- events */

void walk_ticket_add(const walk_pipe *p) {
  if (!world.others || world.waits == NULL || world.waits->serial != p->poll_serial) return;
  if (world.ticket_count == WALK_TICKETS) sim_fail("the walk: too many tickets");
  world.tickets[world.ticket_count++] = (walk_ticket){p->token, p->id, p->interest};
}

static void wait__begin(walk_poll *p) {
  world.ticket_count = 0;
  world.wakes_failed = sim_fault_hits(SIM_FAULT_PORT_WAKE);
  world.waits = p;
  walk_others_may_run();
  for (uint32_t i = 0; i < WALK_PIPES; i++) {
    walk_pipe *pipe = &world.pipes[i];
    if (pipe->pipe == NULL || pipe->poll_serial != p->serial) continue;
    pipe->touched = false;
    pipe->was_connecting = pipe->pipe->state == PIPE_CONNECTING;
    if (pipe->registered) walk_ticket_add(pipe);
  }
}

/* What a pipe of which nobody but the kernel had the use meanwhile may report. */
static void wait__check_quiet(const walk_pipe *p, uint32_t readiness) {
  sim_file *file = walk_file(p);
  const sim_view view = sim_look(file);
  if (!view.connected) {
    if ((readiness & ~(uint32_t)NPS_ERROR) != 0) sim_fail("an event, and there is no connection");
    return;
  }
  const bool failed = sim_notes_of(file)->failed;
  if ((readiness & NPS_CLOSED) != 0 && !view.peer_done && !view.peer_broken && !failed) sim_fail("P8: closed, and the peer is there");
  if ((readiness & NPS_READABLE) != 0 && (p->direction & NPS_DIRECTION_IN) == 0) sim_fail("a pipe that only writes is readable");
}

static void wait__told(walk_pipe *p, uint32_t readiness) {
  if ((readiness & NPS_READABLE) != 0) p->armed_in = false;
  if ((readiness & NPS_WRITABLE) != 0) p->armed_out = false;
  if ((readiness & NPS_CLOSED) != 0) p->closed_told = true;
  if ((readiness & NPS_ERROR) != 0 && walk_file(p) != NULL) p->failures_told = sim_background_failures(walk_file(p));
}

static void wait__pipe_event(const nps_event *event, uint32_t *reported, uint32_t *reported_count) {
  uint32_t id = 0, interest = 0;
  for (uint32_t i = 0; i < world.ticket_count; i++) {
    if (world.tickets[i].token == event->token) id = world.tickets[i].id;
  }
  if (id == 0) sim_fail("rule 4: an event of a pipe that was not registered when the wait began");
  for (uint32_t i = 0; i < world.ticket_count; i++) {
    if (world.tickets[i].id == id) interest |= world.tickets[i].interest;
  }
  const uint32_t readiness = event->readiness;
  if (readiness == 0 || (readiness & ~(uint32_t)(NPS_READABLE | NPS_WRITABLE | NPS_CLOSED | NPS_ERROR)) != 0) {
    sim_fail("an event says %x", readiness);
  }
  if ((readiness & ~(interest | NPS_CLOSED | NPS_ERROR)) != 0) sim_fail("P8: an event in which nobody is interested");
  for (uint32_t i = 0; i < *reported_count; i++) {
    if (reported[i] == id) sim_fail("P1: two events of one pipe in one wait");
  }
  reported[(*reported_count)++] = id;
  for (uint32_t i = 0; i < WALK_PIPES; i++) {
    walk_pipe *p = &world.pipes[i];
    if (p->pipe == NULL || p->id != id) continue;
    if (!p->touched) wait__check_quiet(p, readiness);
    if (p->pipe->os != NULL) wait__told(p, readiness);
  }
}

static bool wait__events(walk_poll *p, const nps_event *events, uint32_t count) {
  uint32_t reported[WALK_EVENTS];
  uint32_t reported_count = 0;
  bool woken = false;
  for (uint32_t i = 0; i < WALK_PIPES; i++) { /* the new connection's directions are armed */
    walk_pipe *pipe = &world.pipes[i];
    if (pipe->pipe == NULL || pipe->poll_serial != p->serial || pipe->pipe->state != PIPE_CONNECTED) continue;
    if (pipe->was_connecting && !pipe->touched) {
      pipe->armed_in = pipe->armed_out = true;
      pipe->closed_told = false;
    }
    pipe->was_connecting = false;
  }
  for (uint32_t i = 0; i < count; i++) {
    if (events[i].reserved != 0) sim_fail("an event's reserved field is set");
    if (events[i].readiness != NPS_WAKE) {
      wait__pipe_event(&events[i], reported, &reported_count);
    } else if (woken) {
      sim_fail("P3: two wakes in one wait");
    } else {
      woken = true;
    }
  }
  return woken;
}

uint32_t walk_wait(walk_poll *p, uint32_t capacity, int64_t timeout_ms) {
  const walk_state state = walk_state_of_poll(p);
  nps_event events[WALK_EVENTS];
  uint32_t count = 77;
  if (world.nested || p->closed) {
    if (world.nested && !p->poll->waiting) return 0; /* not in a wait of this poll, or just past it */
    nps_result result = nps_poll_wait(p->poll, events, capacity, timeout_ms, &count);
    walk_outcome(state, CALL_POLL_WAIT, result, NULL);
    if (count != 0) sim_fail("a wait that failed gives events");
    return 0;
  }
  const bool wake_owed = p->wake_owed;
  const uint64_t start = os_now_ms();
  memset(events, 0x5A, sizeof events);
  wait__begin(p);
  p->waiting = true;
  nps_result result = nps_poll_wait(p->poll, events, capacity, timeout_ms, &count);
  p->waiting = false;
  walk_others_stop();
  walk_outcome(state, CALL_POLL_WAIT, result, NULL);
  if (count > capacity) sim_fail("P1: more events than there is room for");
  if (result != NPS_OK && count != 0) sim_fail("a wait that failed gives events");
  const bool woken = wait__events(p, events, count);
  if (woken) {
    uint64_t token = 0;
    for (uint32_t i = 0; i < count; i++) token = events[i].readiness == NPS_WAKE ? events[i].token : token;
    if (!p->wake_owed) sim_fail("P3: a wake that nobody sent");
    if (token == p->wake_token) p->wake_owed = false; /* else another wake came after it was handed out */
  }
  if (result != NPS_OK) return 0;
  if (wake_owed && !woken && count < capacity) sim_fail("P3: a wake is lost");
  if (count == 0 && (timeout_ms < 0 || os_now_ms() < start + (uint64_t)timeout_ms)) sim_fail("P1: a wait ends before its time");
  return count;
}

/* ---------------------------------------------------------------- what is owed */

static void wait__check_owed(const walk_pipe *p) {
  const nps_pipe *pipe = p->pipe;
  const sim_view view = sim_look(walk_file(p));
  if (pipe->state == PIPE_CONNECTING) {
    if (os_direct_io ? view.backlog != 0 : view.connected) sim_fail("C3: a client is there, and connect does not end");
  }
  if (p->registered && sim_background_failures(walk_file(p)) > p->failures_told) sim_fail("W4: a failure in the background was not told");
  if (!p->registered || pipe->state != PIPE_CONNECTED) return;

  const bool reads = (p->direction & NPS_DIRECTION_IN) != 0, writes = (p->direction & NPS_DIRECTION_OUT) != 0;
  const bool data = pipe->in->taken < pipe->in->filled;
  if (reads && p->armed_in && (p->interest & NPS_INTEREST_READABLE) != 0 &&
      (data || view.unread != 0 || view.peer_done || pipe->read_end != NPS_OK)) {
    sim_fail("a readable event is missing");
  }
  const bool writable = os_direct_io ? view.room != 0 || view.peer_broken : sim_pending(pipe->os, OS_WRITE) == 0;
  if (p->armed_out && (p->interest & NPS_INTEREST_WRITABLE) != 0 && (writable || !writes)) sim_fail("a writable event is missing");

  const bool unasked = (pipe->ready & NPS_READABLE) != 0 && pipe->read_end == NPS_OK; /* the caller has yet to read on */
  const bool watched = os_direct_io && (!reads || (p->interest & NPS_INTEREST_READABLE) == 0);
  const bool knowable = watched || (reads && !unasked && view.unread == 0 && !data);
  if (view.peer_done && knowable && !p->closed_told) sim_fail("P8: a closed event is missing");
}

void walk_settle(walk_poll *p) {
  if (p->poll == NULL || p->closed) return;
  sim_settings *now = sim_current();
  const sim_settings saved = *now;
  const bool faults = world.faults;
  *now = sim_settings_plain();
  now->fail = saved.fail;
  now->quarantine = saved.quarantine;
  world.faults = false;
  sim_set_hook(NULL, NULL);
  uint32_t rounds = 0;
  for (uint32_t quiet = 0; quiet < SETTLED_AFTER; quiet++) {
    if (walk_wait(p, WALK_EVENTS, 0) != 0) quiet = 0;
    if (++rounds == 1000) sim_fail("P2: events without an end");
  }
  for (uint32_t i = 0; i < WALK_PIPES; i++) {
    const walk_pipe *pipe = &world.pipes[i];
    if (pipe->pipe != NULL && pipe->poll_serial == p->serial && pipe->pipe->os != NULL) wait__check_owed(pipe);
  }
  sim_set_hook(walk_others, NULL);
  *now = saved;
  world.faults = faults;
}
