#include "poll.h"

#include "pipe.h"

nps_result poll_new(const nps_poll_options *options, nps_poll **out) {
  nps_poll *poll = os_alloc(sizeof *poll);
  if (poll == NULL)
    return RESULT(NPS_E_OUT_OF_MEMORY);
  nps_result result = os_port_create(&poll->port);
  if (result != RESULT_OK) {
    os_free(poll);
    return result;
  }
  os_lock_init(&poll->lock);
  os_signal_init(&poll->changed);
  list_init(&poll->ready);
  list_init(&poll->bound);
  list_init(&poll->lingering);
  buffer_pool_init(&poll->pool, &poll->lock, options->pool_buffers, options->pool_buffer_size);
  poll->refs = 1;
  *out = poll;
  return RESULT_OK;
}

/* ---------------------------------------------------------------- handing out */

/* One event for each pipe and wait: a second readiness joins the first, under the token of now. false: the array is full. */
static bool delivery_add(delivery *to, nps_pipe *pipe) {
  if (pipe->turn == to->turn && pipe->slot < to->count) {
    to->events[pipe->slot].token = pipe->token;
    to->events[pipe->slot].readiness |= pipe->events;
  } else if (to->count < to->capacity) {
    nps_event *event = &to->events[to->count];
    event->token = pipe->token;
    event->readiness = pipe->events;
    event->reserved = 0;
    pipe->turn = to->turn;
    pipe->slot = to->count++;
  } else {
    return false;
  }
  pipe->events = 0;
  return true;
}

void pipe_leave(nps_pipe *pipe, delivery *to) {
  if (pipe->events != 0 && !(to != NULL && delivery_add(to, pipe)) && !pipe->queued && poll_push(pipe->poll, pipe)) {
    pipe->queued = true;
    pipe->refs++; /* the ready list's */
  }
  bool last = pipe->refs == 0;
  bool wake_owed = pipe->wake_owed;
  nps_poll *poll = pipe->poll;
  pipe->wake_owed = false;
  os_lock_leave(&pipe->lock);
  if (wake_owed)
    poll_insist_on_wake(poll);
  if (!last)
    return;
  os_lock_destroy(&pipe->lock);
  os_free(pipe);
  if (poll != NULL)
    poll_unref(poll);
}

/* Hands out what is queued. Rule 4: a pipe that was deregistered or closed meanwhile has no events when its lock is held.
 * Called and left with the poll's lock held. */
static void poll__hand_out(nps_poll *poll, delivery *to) {
  nps_event *woken = NULL;
  while (to->count < to->capacity) {
    list_node *node = list_take_first(&poll->ready);
    if (node == NULL)
      break;
    if (node == &poll->wake_node) { /* one event a wait, though another wake may come while the lock is left */
      woken = woken != NULL ? woken : &to->events[to->count++];
      *woken = (nps_event){poll->wake_token, NPS_WAKE, 0};
      continue;
    }
    os_lock_leave(&poll->lock);
    nps_pipe *pipe = CONTAINER_OF(node, nps_pipe, ready_node);
    pipe_enter(pipe);
    pipe->queued = false;
    pipe->refs--;
    pipe_leave(pipe, to);
    os_lock_enter(&poll->lock);
  }
}

/* Shuts the pipes whose time to linger is over. Called and left with the poll's lock held. */
static void poll__expire(nps_poll *poll) {
  if (list_empty(&poll->lingering))
    return;
  const uint64_t now = os_now_ms();
  list_node *node = poll->lingering.head.next;
  while (node != &poll->lingering.head) {
    nps_pipe *pipe = CONTAINER_OF(node, nps_pipe, linger_node);
    if (pipe->linger_until > now) {
      node = node->next;
      continue;
    }
    list_remove(node); /* its reference is ours now */
    os_lock_leave(&poll->lock);
    pipe_enter(pipe);
    if (pipe->state == PIPE_LINGERING)
      pipe_shut(pipe);
    pipe->refs--;
    pipe_leave(pipe, NULL);
    os_lock_enter(&poll->lock);
    node = poll->lingering.head.next; /* the list may be another one by now */
  }
}

/* When the next time to linger is over. The poll's lock is held, and must not be left between this and the sleep's beginning: a pipe
 * that begins to linger later wakes who is `blocked`. */
static uint64_t poll__next_expiry(const nps_poll *poll) {
  uint64_t next = UINT64_MAX;
  for (const list_node *node = poll->lingering.head.next; node != &poll->lingering.head; node = node->next) {
    const nps_pipe *pipe = CONTAINER_OF(node, nps_pipe, linger_node);
    if (pipe->linger_until < next)
      next = pipe->linger_until;
  }
  return next;
}

/* ---------------------------------------------------------------- waiting */

/* What is left of a time-out, and never longer than until `next`. */
static int64_t poll__remaining(int64_t timeout_ms, uint64_t deadline, uint64_t next) {
  if (timeout_ms == 0 || (timeout_ms < 0 && next == UINT64_MAX))
    return timeout_ms;
  const uint64_t until = timeout_ms < 0 || next < deadline ? next : deadline;
  const uint64_t now = os_now_ms();
  return until <= now ? 0 : (int64_t)(until - now);
}

/* Hands out what waits already and decides how long the port may block. */
static int64_t poll__prepare(nps_poll *poll, delivery *to, int64_t timeout_ms, uint64_t deadline) {
  os_lock_enter(&poll->lock);
  poll__expire(poll);
  poll__hand_out(poll, to);
  const bool at_once =
      to->count > 0 || poll->closing; /* else the list was empty, and this is the same hold of the lock */
  const int64_t block = at_once ? 0 : poll__remaining(timeout_ms, deadline, poll__next_expiry(poll));
  poll->blocked = block != 0; /* under the lock: who queues a pipe from now on wakes us */
  os_lock_leave(&poll->lock);
  return block;
}

/* Enters the wait; *quiet: nothing is queued, so that the port can be asked at once. */
static nps_result poll__enter(nps_poll *poll, bool may_block, bool *quiet) {
  nps_result result = RESULT_OK;
  os_lock_enter(&poll->lock);
  if (poll->closing) {
    result = RESULT(NPS_E_CLOSED);
  } else if (poll->waiting) {
    result = RESULT(NPS_E_WAIT_BUSY);
  } else {
    poll->waiting = true;
    poll->turn++;
    *quiet = list_empty(&poll->ready) && list_empty(&poll->lingering);
    poll->blocked = *quiet && may_block;
  }
  os_lock_leave(&poll->lock);
  return result;
}

/* After the port was asked. true: the wait is over, and left. */
static bool poll__settle(nps_poll *poll, bool over, nps_result *result) {
  os_lock_enter(&poll->lock);
  poll->blocked = poll->woken = false;
  if (poll->closing) {
    *result = RESULT(NPS_E_CLOSED);
    over = true;
  }
  if (over) {
    poll->waiting = false;
    if (poll->closing)
      os_signal_all(&poll->changed);
  }
  os_lock_leave(&poll->lock);
  return over;
}

nps_result poll_wait(nps_poll *poll, nps_event *events, uint32_t capacity, int64_t timeout_ms, uint32_t *count) {
  bool quiet;
  nps_result result = poll__enter(poll, timeout_ms != 0, &quiet);
  if (result != RESULT_OK)
    return result;

  delivery to = {events, capacity, 0, poll->turn};
  uint64_t deadline = 0;
  if (timeout_ms > 0)
    deadline = os_now_ms() + (uint64_t)timeout_ms; /* cannot overflow: both are below 2^63 */
  int64_t block = timeout_ms;
  uint32_t got, late = 0;
  bool over;
  do {
    if (!quiet)
      block = poll__prepare(poll, &to, timeout_ms, deadline);
    quiet = false;
    got = 0;
    /* Also when the list has filled the array: what completes is queued there, or those that are ready in every wait would hide it. */
    const uint32_t room = to.count < capacity ? capacity - to.count : POLL_BATCH;
    result = os_port_wait(poll->port, poll->batch, min_u32(POLL_BATCH, room), block, &got);
    for (uint32_t i = 0; i < got; i++)
      pipe_complete(&poll->batch[i], &to);
    over = to.count > 0 || result != RESULT_OK ||
           (timeout_ms >= 0 && poll__remaining(timeout_ms, deadline, UINT64_MAX) == 0 &&
               (got == 0 || ++late == POLL_LATE_LOOKS));
  } while (!poll__settle(poll, over, &result));

  if (has_status(result, NPS_E_CLOSED))
    return result;
  *count = to.count;
  return to.count > 0 ? RESULT_OK : result;
}

/* Wakes a sleeping wait, once; a wake that failed does not count. The poll's lock is held, so that the port is still there: closing
 * begins by taking it. */
static nps_result poll__send_wake(nps_poll *poll) {
  if (!poll->blocked || poll->woken)
    return RESULT_OK;
  nps_result result = os_port_wake(poll->port);
  poll->woken = result == RESULT_OK;
  return result;
}

nps_result poll_wake(nps_poll *poll, uint64_t token) {
  os_lock_enter(&poll->lock);
  if (poll->closing) {
    os_lock_leave(&poll->lock);
    return RESULT(NPS_E_CLOSED);
  }
  if (!list_contains(&poll->wake_node))
    list_append(&poll->ready, &poll->wake_node);
  poll->wake_token = token;
  nps_result result = poll__send_wake(poll);
  os_lock_leave(&poll->lock);
  return result;
}

/* ---------------------------------------------------------------- for pipes */

bool poll_bind(nps_poll *poll, nps_pipe *pipe) {
  os_lock_enter(&poll->lock);
  bool open = !poll->closing;
  if (open) {
    list_append(&poll->bound, &pipe->bound_node);
    poll->refs++;
    pipe->refs++;
  }
  os_lock_leave(&poll->lock);
  return open;
}

bool poll_unbind(nps_poll *poll, nps_pipe *pipe) {
  os_lock_enter(&poll->lock);
  const bool bound = list_contains(&pipe->bound_node);
  if (bound) {
    list_remove(&pipe->bound_node);
    pipe->refs--;
  }
  if (list_contains(&pipe->linger_node)) {
    list_remove(&pipe->linger_node);
    pipe->refs--;
  }
  os_lock_leave(&poll->lock);
  return bound;
}

/* Wakes a sleeping wait, or leaves that to pipe_leave, with a reference to the poll. The poll's lock is held, and the pipe's. */
static void poll__wake_for(nps_poll *poll, nps_pipe *pipe) {
  if (poll__send_wake(poll) == RESULT_OK || pipe->wake_owed)
    return;
  pipe->wake_owed = true;
  poll->refs++;
}

void poll_insist_on_wake(nps_poll *poll) {
  os_lock_enter(&poll->lock);
  while (!poll->closing && poll__send_wake(poll) != RESULT_OK) {
    os_lock_leave(&poll->lock);
    os_sleep_ms(1);
    os_lock_enter(&poll->lock);
  }
  os_lock_leave(&poll->lock);
  poll_unref(poll);
}

bool poll_push(nps_poll *poll, nps_pipe *pipe) {
  os_lock_enter(&poll->lock);
  bool open = !poll->closing;
  if (open) {
    list_append(&poll->ready, &pipe->ready_node);
    poll__wake_for(poll, pipe);
  }
  os_lock_leave(&poll->lock);
  return open;
}

bool poll_linger(nps_poll *poll, nps_pipe *pipe, int64_t linger_ms) {
  os_lock_enter(&poll->lock);
  bool open = !poll->closing;
  if (open) {
    pipe->linger_until = linger_ms < 0 ? UINT64_MAX : os_now_ms() + (uint64_t)linger_ms;
    pipe->refs++;
    list_append(&poll->lingering, &pipe->linger_node);
    poll__wake_for(poll, pipe);
  }
  os_lock_leave(&poll->lock);
  return open;
}

/* ---------------------------------------------------------------- closing */

/* Takes completions while the poll closes: their events go nowhere. */
static void poll__drive(nps_poll *poll, int64_t timeout_ms) {
  delivery nowhere = {NULL, 0, 0, 0};
  uint32_t got = 0;
  (void)os_port_wait(poll->port, poll->batch, POLL_BATCH, timeout_ms, &got);
  for (uint32_t i = 0; i < got; i++)
    pipe_complete(&poll->batch[i], &nowhere);
}

static void poll__finish_lingering(nps_poll *poll) {
  for (;;) {
    os_lock_enter(&poll->lock);
    poll__expire(poll);
    const uint64_t next = poll__next_expiry(poll);
    bool none = list_empty(&poll->lingering);
    os_lock_leave(&poll->lock);
    if (none)
      return;
    poll__drive(poll, poll__remaining(NPS_FOREVER, 0, next));
  }
}

static void poll__shut_pipes(nps_poll *poll) {
  for (;;) {
    os_lock_enter(&poll->lock);
    list_node *node = list_take_first(&poll->bound);
    os_lock_leave(&poll->lock);
    if (node == NULL)
      return;
    nps_pipe *pipe = CONTAINER_OF(node, nps_pipe, bound_node);
    pipe_enter(pipe);
    pipe_shut(pipe);
    pipe->refs--; /* the bound list's */
    pipe_leave(pipe, NULL);
  }
}

static void poll__forget_ready(nps_poll *poll) {
  for (;;) {
    os_lock_enter(&poll->lock);
    list_node *node = list_take_first(&poll->ready);
    os_lock_leave(&poll->lock);
    if (node == NULL)
      return;
    if (node == &poll->wake_node)
      continue;
    nps_pipe *pipe = CONTAINER_OF(node, nps_pipe, ready_node);
    pipe_enter(pipe);
    pipe->queued = false;
    pipe->refs--;
    pipe_leave(pipe, NULL);
  }
}

/* Rule 5: nothing of the system's is pending when the memory goes. */
static void poll__drain(nps_poll *poll) {
  for (;;) {
    os_lock_enter(&poll->lock);
    bool none = poll->ops_out == 0;
    os_lock_leave(&poll->lock);
    if (none)
      return;
    poll__drive(poll, NPS_FOREVER);
  }
}

nps_result poll_close(nps_poll *poll, bool linger) {
  os_lock_enter(&poll->lock);
  if (poll->closing) {
    while (!poll->closed)
      os_signal_wait(&poll->changed, &poll->lock);
    os_lock_leave(&poll->lock);
    return RESULT(NPS_E_CLOSED);
  }
  poll->closing = true;
  while (poll->waiting && os_port_wake(poll->port) != RESULT_OK) { /* no memory for a packet: until there is some */
    os_lock_leave(&poll->lock);
    os_sleep_ms(1);
    os_lock_enter(&poll->lock);
  }
  while (poll->waiting)
    os_signal_wait(&poll->changed, &poll->lock);
  os_lock_leave(&poll->lock);

  /* From here on this thread is the only one that asks the port. */
  if (linger)
    poll__finish_lingering(poll);
  poll__shut_pipes(poll);
  poll__forget_ready(poll);
  poll__drain(poll);

  os_port_destroy(poll->port);
  buffer_pool_destroy(&poll->pool);
  while (poll->free_ops != NULL) {
    op *o = poll->free_ops;
    poll->free_ops = o->next_free;
    os_free(o);
  }
  os_lock_enter(&poll->lock);
  poll->closed = true;
  os_signal_all(&poll->changed);
  os_lock_leave(&poll->lock);
  return RESULT_OK;
}

void poll_unref(nps_poll *poll) {
  os_lock_enter(&poll->lock);
  bool last = --poll->refs == 0;
  os_lock_leave(&poll->lock);
  if (!last)
    return;
  os_signal_destroy(&poll->changed);
  os_lock_destroy(&poll->lock);
  os_free(poll);
}

void poll_release(nps_poll *poll) {
  (void)poll_close(poll, false);
  poll_unref(poll);
}
