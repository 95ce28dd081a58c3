/* port.c - one epoll instance: its slots, its queue of completions, and the wait. */
#include "epoll.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PORT_BATCH 128u /* events of one epoll_wait at most */
#define PORT_FIRST_SLOTS 8u

/* ---- slots ---- */

static bool port__grow(os_port *port) {
  uint32_t count = port->slot_count == 0 ? PORT_FIRST_SLOTS : 2 * port->slot_count;
  if (count < port->slot_count || count > UINT32_MAX / 2) {
    return false;
  }
  ep_slot *slots = os_alloc(count * sizeof *slots);
  if (slots == NULL) {
    return false;
  }
  if (port->slot_count != 0) {
    memcpy(slots, port->slots, port->slot_count * sizeof *slots);
  }
  os_free(port->slots);
  port->slots = slots;
  for (uint32_t i = count; i > port->slot_count; i--) {
    slots[i - 1].u.next_free = port->free_slot;
    port->free_slot = i - 1;
  }
  port->slot_count = count;
  return true;
}

nps_result ep_port_slot_take(os_port *port, ep_slot_kind kind, void *owner, uint32_t *slot) {
  os_lock_enter(&port->lock);
  bool room = port->free_slot != EP_NO_SLOT || port__grow(port);
  if (room) {
    *slot = port->free_slot;
    ep_slot *taken = &port->slots[*slot];
    port->free_slot = taken->u.next_free;
    taken->u.owner = owner;
    taken->kind = kind;
    port->references++;
  }
  os_lock_leave(&port->lock);
  return room ? NPS_OK : ep_result(NPS_E_OUT_OF_MEMORY, ENOMEM);
}

void ep_port_slot_renew(os_port *port, uint32_t slot) {
  port->slots[slot].generation++;
}

/* Lets go of one reference and of the lock; the last one takes the memory with it. */
static void port__release_locked(os_port *port) {
  bool last = --port->references == 0;
  os_lock_leave(&port->lock);
  if (last) {
    os_lock_destroy(&port->lock);
    os_free(port->slots);
    os_free(port);
  }
}

void ep_port_slot_drop(os_port *port, uint32_t slot) {
  os_lock_enter(&port->lock);
  ep_slot *dropped = &port->slots[slot];
  dropped->generation++; /* rule 4: what epoll_wait has fetched for it is void */
  dropped->kind = EP_SLOT_FREE;
  dropped->u.next_free = port->free_slot;
  port->free_slot = slot;
  port__release_locked(port);
}

int ep_port_control(os_port *port, int operation, int fd, uint32_t events, uint32_t slot) {
  struct epoll_event event = {.events = events};
  event.data.u64 = (uint64_t)port->slots[slot].generation << 32 | slot;
  return epoll_ctl(port->epoll_fd, operation, fd, &event) == 0 ? 0 : errno;
}

/* ---- making, ending, waking ---- */

nps_result os_port_create(os_port **port) {
  nps_result result;
  os_port *made = os_alloc(sizeof *made);
  if (made == NULL) {
    return ep_result(NPS_E_OUT_OF_MEMORY, ENOMEM);
  }
  made->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (made->epoll_fd < 0) {
    result = ep_error(errno);
    goto free_port;
  }
  made->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (made->wake_fd < 0) {
    result = ep_error(errno);
    goto close_epoll;
  }
  /* Edge-triggered: each write is an edge, so the counter need not be read. */
  struct epoll_event wake = {.events = EPOLLIN | EPOLLET, .data.u64 = EP_NO_SLOT};
  if (epoll_ctl(made->epoll_fd, EPOLL_CTL_ADD, made->wake_fd, &wake) != 0) {
    result = ep_watch_error(errno);
    goto close_wake;
  }
  os_lock_init(&made->lock);
  made->free_slot = EP_NO_SLOT;
  made->references = 1;
  *port = made;
  return NPS_OK;
close_wake:
  close(made->wake_fd);
close_epoll:
  close(made->epoll_fd);
free_port:
  os_free(made);
  return result;
}

void os_port_destroy(os_port *port) {
  os_lock_enter(&port->lock);
  close(port->wake_fd);
  close(port->epoll_fd);
  port->wake_fd = -1;
  port->epoll_fd = -1;
  port__release_locked(port); /* pipes that are still bound keep the memory */
}

static int port__wake(os_port *port) {
  uint64_t one = 1;
  while (write(port->wake_fd, &one, sizeof one) < 0) {
    if (errno != EINTR) { /* EAGAIN would need 2^64 wakes */
      return errno;
    }
  }
  return 0;
}

nps_result os_port_wake(os_port *port) {
  int error = port__wake(port);
  return error == 0 ? NPS_OK : ep_error(error);
}

/* ---- the queue: with the port lock held ---- */

static void port__enqueue(os_port *port, os_op *op, nps_result result, uint32_t flags) {
  op->state.result = result;
  op->state.flags = flags;
  op->state.next = NULL;
  if (port->queue_last == NULL) {
    port->queue_first = op;
  } else {
    port->queue_last->state.next = op;
  }
  port->queue_last = op;
  atomic_store(&port->queued, true);
}

static uint32_t port__drain(os_port *port, os_completion *completions, uint32_t capacity) {
  uint32_t count = 0;
  while (count < capacity && port->queue_first != NULL) {
    os_op *op = port->queue_first;
    port->queue_first = op->state.next;
    op->state.next = NULL;
    completions[count++] = (os_completion){.op = op, .result = op->state.result, .flags = op->state.flags};
  }
  if (port->queue_first == NULL) {
    port->queue_last = NULL;
    atomic_store(&port->queued, false);
  }
  return count;
}

void ep_port_post(os_port *port, os_op *op, nps_result result, bool wake) {
  os_lock_enter(&port->lock);
  port__enqueue(port, op, result, 0);
  if (wake) {
    (void)port__wake(port); /* under the lock: once it is seen, the owner may end the port */
  }
  os_lock_leave(&port->lock);
}

/* ---- the wait ---- */

/* pre: port lock held. The owner of an event's slot, or null: it went, or its connection did, after the kernel made the
 * event (rule 4). */
static void *port__owner(const os_port *port, const struct epoll_event *event, ep_slot_kind kind) {
  uint32_t index = (uint32_t)event->data.u64;
  uint32_t generation = (uint32_t)(event->data.u64 >> 32);
  if (index >= port->slot_count) {
    return NULL; /* a wake: it has done its work */
  }
  const ep_slot *slot = &port->slots[index];
  return slot->kind == kind && slot->generation == generation ? slot->u.owner : NULL;
}

/* Events of pipes, in one hold of the lock. *seats: there are events of listeners too. */
static uint32_t port__collect(os_port *port, const struct epoll_event *events, uint32_t event_count,
    os_completion *completions, uint32_t capacity, bool *seats) {
  os_lock_enter(&port->lock);
  uint32_t count = port__drain(port, completions, capacity); /* the oldest first */
  for (uint32_t i = 0; i < event_count; i++) {
    os_op *ready[2];
    os_pipe *pipe = port__owner(port, &events[i], EP_SLOT_PIPE);
    uint32_t ready_count = pipe == NULL ? 0 : ep_pipe_event(pipe, events[i].events, ready);
    *seats = *seats || port__owner(port, &events[i], EP_SLOT_SEAT) != NULL;
    for (uint32_t k = 0; k < ready_count; k++) {
      uint32_t flags = atomic_load_explicit(&pipe->peer_done, memory_order_relaxed) ? OS_PEER_CLOSED : 0;
      if (count < capacity) {
        completions[count++] = (os_completion){.op = ready[k], .result = NPS_OK, .flags = flags};
      } else {
        port__enqueue(port, ready[k], NPS_OK, flags);
      }
    }
  }
  os_lock_leave(&port->lock);
  return count;
}

/* Events of listeners. A listener's lock comes before the port's: each is looked up, referenced, and pumped outside. */
static uint32_t port__pump_seats(os_port *port, const struct epoll_event *events, uint32_t event_count,
    os_completion *completions, uint32_t capacity) {
  for (uint32_t i = 0; i < event_count; i++) {
    os_lock_enter(&port->lock);
    const ep_seat *seat = port__owner(port, &events[i], EP_SLOT_SEAT);
    ep_listener *listener = seat == NULL ? NULL : seat->listener;
    if (listener != NULL) {
      ep_listener_reference(listener);
    }
    os_lock_leave(&port->lock);
    if (listener != NULL) {
      ep_listener_pump(listener, port);
      ep_listener_release(listener);
    }
  }
  os_lock_enter(&port->lock);
  uint32_t count = port__drain(port, completions, capacity);
  os_lock_leave(&port->lock);
  return count;
}

nps_result os_port_wait(
    os_port *port, os_completion *completions, uint32_t capacity, int64_t timeout_ms, uint32_t *count) {
  struct epoll_event events[PORT_BATCH];
  bool seats = false;
  int most = (int)(capacity < PORT_BATCH ? capacity : PORT_BATCH);
  int timeout = timeout_ms < 0 ? -1 : (int)(timeout_ms < INT_MAX ? timeout_ms : INT_MAX);
  if (atomic_load(&port->queued)) {
    timeout = 0;
  }
  *count = 0;
  int event_count = epoll_wait(port->epoll_fd, events, most, timeout);
  if (event_count < 0) {
    if (errno != EINTR) {
      return ep_error(errno);
    }
    event_count = 0;
  }
  if (event_count == 0 && !atomic_load(&port->queued)) {
    return NPS_OK;
  }
  *count = port__collect(port, events, (uint32_t)event_count, completions, capacity, &seats);
  if (seats) {
    *count += port__pump_seats(port, events, (uint32_t)event_count, completions + *count, capacity - *count);
  }
  return NPS_OK;
}
