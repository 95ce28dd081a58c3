/* wait.c - waits, what their events may say, and which events are owed. */
#include "kernel.h"

#define SETTLED_AFTER 4 /* waits in a row that give nothing */

/* ---------------------------------------------------------------- others: sim/others.c */

void walk_others_may_run(void) { world.others = true; }

void walk_others_stop(void) {
  world.others = false;
  world.waits = NULL;
}

/* ---------------------------------------------------------------- events */

void walk_ticket_add(const walk_pipe *p) {
  if (!world.others || world.waits == NULL || world.waits->serial != p->poll_serial) return;
  if (world.ticket_count == WALK_TICKETS) walk_fail("the walk: too many tickets");
  world.tickets[world.ticket_count++] = (walk_ticket){p->token, p->id, p->interest};
}

static void wait__begin(walk_poll *p) {
  world.ticket_count = 0;
  walk_wait_begins();
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
  walk_end *file = walk_end_of(p);
  const walk_view view = walk_look(file);
  if (!view.connected) {
    if ((readiness & ~(uint32_t)NPS_ERROR) != 0) walk_fail("an event, and there is no connection");
    return;
  }
  const bool failed = walk_notes_of(file)->failed;
  if ((readiness & NPS_CLOSED) != 0 && !view.peer_done && !view.peer_broken && !failed) walk_fail("P8: closed, and the peer is there");
  if ((readiness & NPS_READABLE) != 0 && (p->direction & NPS_DIRECTION_IN) == 0) walk_fail("a pipe that only writes is readable");
  if (!p->let_be) return;
  const bool learned = p->pipe->read_end != NPS_OK || p->pipe->write_end != NPS_OK; /* by a call */
  const uint32_t promised = NPS_ERROR | (p->armed_out ? NPS_WRITABLE : 0) | (learned ? NPS_CLOSED | NPS_READABLE : 0);
  if ((readiness & ~promised) != 0) walk_fail("on demand: an event says %x, and no call has answered would-block", readiness);
}

static void wait__told(walk_pipe *p, uint32_t readiness) {
  if ((readiness & NPS_READABLE) != 0) p->armed_in = false;
  if ((readiness & NPS_WRITABLE) != 0) p->armed_out = false;
  if ((readiness & NPS_CLOSED) != 0) p->closed_told = true;
  if ((readiness & NPS_ERROR) != 0 && walk_end_of(p) != NULL) p->failures_told = walk_background_failures(walk_end_of(p));
}

static void wait__pipe_event(const nps_event *event, uint32_t *reported, uint32_t *reported_count) {
  uint32_t id = 0, interest = 0;
  for (uint32_t i = 0; i < world.ticket_count; i++) {
    if (world.tickets[i].token == event->token) id = world.tickets[i].id;
  }
  if (id == 0) walk_fail("rule 4: an event of a pipe that was not registered when the wait began");
  for (uint32_t i = 0; i < world.ticket_count; i++) {
    if (world.tickets[i].id == id) interest |= world.tickets[i].interest;
  }
  const uint32_t readiness = event->readiness;
  if (readiness == 0 || (readiness & ~(uint32_t)(NPS_READABLE | NPS_WRITABLE | NPS_CLOSED | NPS_ERROR)) != 0) {
    walk_fail("an event says %x", readiness);
  }
  if ((readiness & ~(interest | NPS_CLOSED | NPS_ERROR)) != 0) walk_fail("P8: an event in which nobody is interested");
  for (uint32_t i = 0; i < *reported_count; i++) {
    if (reported[i] == id) walk_fail("P1: two events of one pipe in one wait");
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
      pipe->let_be = walk_lets_be(pipe);
      pipe->armed_in = walk_owes_read(pipe);
      pipe->armed_out = true; /* also on demand: connect has answered would-block */
      pipe->closed_told = false;
    }
    pipe->was_connecting = false;
  }
  for (uint32_t i = 0; i < count; i++) {
    if (events[i].reserved != 0) walk_fail("an event's reserved field is set");
    if (events[i].readiness != NPS_WAKE) {
      wait__pipe_event(&events[i], reported, &reported_count);
    } else if (woken) {
      walk_fail("P3: two wakes in one wait");
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
    if (count != 0) walk_fail("a wait that failed gives events");
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
  if (count > capacity) walk_fail("P1: more events than there is room for");
  if (result != NPS_OK && count != 0) walk_fail("a wait that failed gives events");
  const bool woken = wait__events(p, events, count);
  if (woken) {
    uint64_t token = 0;
    for (uint32_t i = 0; i < count; i++) token = events[i].readiness == NPS_WAKE ? events[i].token : token;
    if (!p->wake_owed) walk_fail("P3: a wake that nobody sent");
    if (token == p->wake_token) p->wake_owed = false; /* else another wake came after it was handed out */
  }
  if (result != NPS_OK) return 0;
  if (wake_owed && !woken && count < capacity) walk_fail("P3: a wake is lost");
  if (count == 0 && (timeout_ms < 0 || os_now_ms() < start + (uint64_t)timeout_ms)) walk_fail("P1: a wait ends before its time");
  return count;
}

/* ---------------------------------------------------------------- what is owed */

/* What this pipe is owed now that all is quiet; null: nothing. */
static const char *wait__owed_to_connected(const walk_pipe *p) {
  const nps_pipe *pipe = p->pipe;
  const walk_view view = walk_look(walk_end_of(p));
  const bool reads = (p->direction & NPS_DIRECTION_IN) != 0, writes = (p->direction & NPS_DIRECTION_OUT) != 0;
  const bool data = pipe->in->held;
  const bool unread = view.message ? view.messages != 0 : view.unread != 0;
  if (reads && p->armed_in && (p->interest & NPS_INTEREST_READABLE) != 0 &&
      (data || unread || view.peer_done || pipe->read_end != NPS_OK)) {
    return "a readable event is missing";
  }
  const bool writable = walk_can_write(p, &view);
  if (p->armed_out && (p->interest & NPS_INTEREST_WRITABLE) != 0 && (writable || !writes)) return "a writable event is missing";

  const bool unasked = (pipe->ready & NPS_READABLE) != 0 && pipe->read_end == NPS_OK; /* the caller has yet to read on */
  const bool watched = os_direct_io && (!reads || (p->interest & NPS_INTEREST_READABLE) == 0) && !walk_lets_be(p);
  const bool knowable = watched || (reads && !unasked && !unread && !data);
  if (view.peer_done && knowable && !p->closed_told) return "P8: a closed event is missing";
  return NULL;
}

static const char *wait__owed(const walk_pipe *p) {
  if (p->pipe->state == PIPE_CONNECTING && walk_has_client(p)) return "C3: a client is there, and connect does not end";
  if (p->registered && walk_background_failures(walk_end_of(p)) > p->failures_told) return "W4: a failure in the background was not told";
  const char *owed = walk_check_settled(p);
  if (owed != NULL || !p->registered || p->pipe->state != PIPE_CONNECTED) return owed;
  return wait__owed_to_connected(p);
}

static const char *wait__owed_to_all(const walk_poll *p) {
  const char *owed = NULL;
  for (uint32_t i = 0; i < WALK_PIPES && owed == NULL; i++) {
    const walk_pipe *pipe = &world.pipes[i];
    if (pipe->pipe != NULL && pipe->poll_serial == p->serial && pipe->pipe->os != NULL) owed = wait__owed(pipe);
  }
  return owed;
}

void walk_settle(walk_poll *p) {
  if (p->poll == NULL || p->closed) return;
  walk_calm();
  const uint64_t since = os_now_ms();
  const char *owed = NULL;
  do {
    uint32_t rounds = 0;
    for (uint32_t quiet = 0; quiet < SETTLED_AFTER; quiet++) {
      if (walk_wait(p, WALK_EVENTS, 0) != 0) quiet = 0;
      if (++rounds == 1000) walk_fail("P2: events without an end");
    }
    owed = wait__owed_to_all(p);
  } while (owed != NULL && walk_is_patient(p, since));
  if (owed != NULL) walk_fail("%s", owed);
  walk_disturb();
}
