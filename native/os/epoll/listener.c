/* listener.c - one listening socket and the server instances that wait for its clients. */
#include "epoll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- waiting instances: all with the listener lock held ---- */

static void listener__enqueue(ep_listener *listener, os_pipe *pipe, os_op *op) {
  op->state.waiting = true;
  op->state.pipe = pipe;
  op->state.next = NULL;
  op->state.previous = listener->last_waiter;
  if (listener->last_waiter == NULL) {
    listener->first_waiter = op;
  } else {
    listener->last_waiter->state.next = op;
  }
  listener->last_waiter = op;
}

static void listener__dequeue(ep_listener *listener, os_op *op) {
  if (op->state.previous == NULL) {
    listener->first_waiter = op->state.next;
  } else {
    op->state.previous->state.next = op->state.next;
  }
  if (op->state.next == NULL) {
    listener->last_waiter = op->state.previous;
  } else {
    op->state.next->state.previous = op->state.previous;
  }
  op->state.next = NULL;
  op->state.previous = NULL;
  op->state.waiting = false;
}

/* Completes the oldest waiting connect, on its own port: with a client, or with an error (fd < 0). */
static void listener__complete_first(ep_listener *listener, int fd, nps_result result, const os_port *self) {
  os_op *op = listener->first_waiter;
  os_port *port = op->state.pipe->port; /* lives: an operation is pending on it until the post */
  listener__dequeue(listener, op);
  op->state.pipe = NULL;
  op->state.fd = fd;
  op->state.listener = NULL;
  if (fd >= 0) {
    ep_listener_reference(listener); /* rule 1: before the completion can be seen */
    op->state.listener = listener;
  }
  ep_port_post(port, op, result, port != self);
}

/* ---- clients: all with the listener lock held ---- */

/* The next client: 0 and *fd; EAGAIN: there is none; or another errno. */
static int listener__next_client(ep_listener *listener, int *fd) {
  if (listener->spare_count != 0) {
    *fd = listener->spares[0];
    listener->spare_count--;
    for (uint32_t i = 0; i < listener->spare_count; i++) { /* few: one for each cancelled connect at most */
      listener->spares[i] = listener->spares[i + 1];
    }
    return 0;
  }
  for (;;) {
    int client = accept4(listener->name.fd, NULL, NULL, SOCK_CLOEXEC);
    if (client >= 0) {
      if (listener->access.anybody || ep_socket_check_peer(client, listener->uid, true) == 0) {
        *fd = client;
        atomic_store(&listener->starved, false);
        return 0;
      }
      close(client); /* of another user: as if it had never come */
    } else if (errno != EINTR && errno != ECONNABORTED) {
      int error = errno;
      atomic_store(&listener->starved, error != EAGAIN);
      return error;
    }
  }
}

static void listener__pump(ep_listener *listener, const os_port *self) {
  while (listener->first_waiter != NULL) {
    int fd = -1;
    int error = listener__next_client(listener, &fd);
    if (error == EAGAIN) {
      return;
    }
    if (error != 0) { /* C5: one instance hears of it; the others go on waiting, and `starved` stays */
      listener__complete_first(listener, -1, ep_error(error), self);
      return;
    }
    listener__complete_first(listener, fd, NPS_OK, self);
  }
}

/* A client that nobody waits for now goes to the next connect. Without memory for that it sees a break, never a hang
 * (C8). */
static void listener__keep_spare(ep_listener *listener, int fd) {
  if (listener->spare_count == listener->spare_capacity) {
    uint32_t capacity = listener->spare_capacity == 0 ? 4 : 2 * listener->spare_capacity;
    int *spares = os_alloc(capacity * sizeof *spares);
    if (spares == NULL) {
      close(fd);
      return;
    }
    for (uint32_t i = 0; i < listener->spare_count; i++) {
      spares[i] = listener->spares[i];
    }
    os_free(listener->spares);
    listener->spares = spares;
    listener->spare_capacity = capacity;
  }
  listener->spares[listener->spare_count++] = fd;
}

/* ---- seats: all with the listener lock held ---- */

static nps_result listener__take_seat(ep_listener *listener, os_pipe *pipe) {
  ep_seat *seat = listener->seats;
  if (pipe->seat != NULL) {
    return NPS_OK;
  }
  while (seat != NULL && seat->port != pipe->port) {
    seat = seat->next;
  }
  if (seat == NULL) {
    seat = os_alloc(sizeof *seat);
    if (seat == NULL) {
      return ep_result(NPS_E_OUT_OF_MEMORY, ENOMEM);
    }
    seat->listener = listener;
    seat->port = pipe->port;
    nps_result result = ep_port_slot_take(seat->port, EP_SLOT_SEAT, seat, &seat->slot);
    if (result != NPS_OK) {
      os_free(seat);
      return result;
    }
    os_lock_enter(&seat->port->lock);
    int error = ep_port_control(seat->port, EPOLL_CTL_ADD, listener->name.fd, EPOLLIN | EPOLLET, seat->slot);
    os_lock_leave(&seat->port->lock);
    if (error != 0) {
      ep_port_slot_drop(seat->port, seat->slot);
      os_free(seat);
      return ep_watch_error(error);
    }
    seat->next = listener->seats;
    listener->seats = seat;
  }
  seat->pipes++;
  pipe->seat = seat;
  return NPS_OK;
}

static void listener__end_seat(ep_listener *listener, ep_seat *seat) {
  ep_seat **link = &listener->seats;
  while (*link != seat) {
    link = &(*link)->next;
  }
  *link = seat->next;
  os_lock_enter(&seat->port->lock);
  (void)ep_port_control(seat->port, EPOLL_CTL_DEL, listener->name.fd, 0, seat->slot);
  os_lock_leave(&seat->port->lock);
  ep_port_slot_drop(seat->port, seat->slot); /* rule 4: events that were fetched already find no owner */
  os_free(seat);
}

void ep_listener_leave_seat(ep_listener *listener, os_pipe *pipe) {
  os_lock_enter(&listener->lock);
  ep_seat *seat = pipe->seat;
  pipe->seat = NULL;
  if (seat != NULL && --seat->pipes == 0) {
    listener__end_seat(listener, seat);
  }
  os_lock_leave(&listener->lock);
}

/* ---- the listener ---- */

os_start ep_listener_start(ep_listener *listener, os_pipe *pipe, os_op *op, os_completion *done) {
  int fd = -1;
  os_lock_enter(&listener->lock);
  /* Instances that wait longer come first; the one lock over accept and queueing means that no edge falls between. */
  int error = listener->first_waiter == NULL ? listener__next_client(listener, &fd) : EAGAIN;
  nps_result result = NPS_OK;
  if (error == EAGAIN) {
    result = listener__take_seat(listener, pipe); /* entering the epoll set looks at the level: nothing is missed */
  } else if (error != 0) {
    result = ep_error(error);
  }
  bool pending = error == EAGAIN && result == NPS_OK;
  if (pending) {
    listener__enqueue(listener, pipe, op);
    if (atomic_load(&listener->starved)) {
      listener__pump(listener, NULL);
    }
  }
  os_lock_leave(&listener->lock);
  if (pending) {
    return OS_PENDING;
  }
  if (fd >= 0) {
    ep_pipe_install(pipe, fd, listener->name.plain);
  }
  *done = (os_completion){.op = op, .result = result};
  return OS_DONE;
}

bool ep_listener_cancel(ep_listener *listener, os_op *op) {
  os_lock_enter(&listener->lock);
  bool waiting = op->state.waiting;
  if (waiting) {
    listener__dequeue(listener, op);
  }
  os_lock_leave(&listener->lock);
  return waiting;
}

void ep_listener_pump(ep_listener *listener, os_port *self) {
  os_lock_enter(&listener->lock);
  if (listener->open) {
    listener__pump(listener, self);
  }
  os_lock_leave(&listener->lock);
}

/* C9: a client that was accepted for an instance which does not want it goes to the next. */
void os_op_discard(os_op *op) {
  ep_listener *listener = op->state.listener;
  if (listener == NULL) {
    return;
  }
  os_lock_enter(&listener->lock);
  if (!listener->open) {
    close(op->state.fd);
  } else if (listener->first_waiter != NULL) {
    listener__complete_first(listener, op->state.fd, NPS_OK, NULL);
  } else {
    listener__keep_spare(listener, op->state.fd);
  }
  os_lock_leave(&listener->lock);
  op->state.listener = NULL;
  op->state.fd = -1;
  ep_listener_release(listener);
}

void ep_listener_shut(ep_listener *listener) {
  os_lock_enter(&listener->lock);
  listener->open = false;
  for (uint32_t i = 0; i < listener->spare_count; i++) {
    close(listener->spares[i]);
  }
  os_free(listener->spares);
  listener->spares = NULL;
  listener->spare_count = 0;
  os_lock_leave(&listener->lock);
  ep_name_give_up(listener->path, &listener->name);
}
