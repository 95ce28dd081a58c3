/* pipe.c - one end of a connection, or a server instance without one. */
#include "epoll.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_IN_EVENTS (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)
#define PIPE_OUT_EVENTS (EPOLLOUT | EPOLLHUP | EPOLLERR)
#define PIPE_END_EVENTS (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

const bool os_direct_io = true;

/* ---- making and ending ---- */

static nps_result pipe__new(uint32_t direction, bool message, os_pipe **pipe) {
  os_pipe *made = os_alloc(sizeof *made);
  if (made == NULL) {
    return ep_result(NPS_E_OUT_OF_MEMORY, ENOMEM);
  }
  made->fd = -1;
  made->direction = (uint8_t)direction;
  made->message = message;
  *pipe = made;
  return NPS_OK;
}

/* What sockets do not have. */
static bool pipe__can_serve(const nps_server_options *options) {
  return (options->flags & NPS_SERVER_REMOTE_CLIENTS) == 0 && options->default_timeout_ms == 0 &&
         options->security != NPS_SECURITY_DESCRIPTOR;
}

nps_result os_pipe_create(const nps_server_options *options, os_pipe **pipe) {
  os_pipe *made;
  if (!pipe__can_serve(options)) {
    return ep_result(NPS_E_NOT_SUPPORTED, 0);
  }
  nps_result result = pipe__new(options->direction, options->mode == NPS_MODE_MESSAGE, &made);
  if (result != NPS_OK) {
    return result;
  }
  made->inheritable = (options->flags & NPS_SERVER_INHERITABLE) != 0;
  made->in_buffer_size = options->in_buffer_size;
  made->out_buffer_size = options->out_buffer_size;
  result = ep_listener_join(options, &made->listener);
  if (result != NPS_OK) {
    os_free(made);
    return result;
  }
  *pipe = made;
  return NPS_OK;
}

static nps_result pipe__open_error(int error, const char *path) {
  struct stat there;
  switch (error) {
  case ECONNREFUSED: /* a dead socket, or no socket at all */
    if (stat(path, &there) == 0 && !S_ISSOCK(there.st_mode)) {
      return ep_result(NPS_E_NOT_A_PIPE, ENOTSOCK);
    }
    return ep_result(NPS_E_NOT_FOUND, (uint32_t)error);
  case ENOENT:
  case ENOTDIR:
    return ep_result(NPS_E_NOT_FOUND, (uint32_t)error);
  case EAGAIN:
    return ep_result(NPS_E_PIPE_BUSY, (uint32_t)error);
  case EPROTOTYPE:
    return ep_result(NPS_E_NOT_A_PIPE, (uint32_t)error);
  default:
    return ep_error(error);
  }
}

/* Likewise. */
static bool pipe__can_open(const nps_client_options *options) {
  return options->impersonation <= NPS_IMPERSONATION_IDENTIFICATION &&
         (options->server == NULL || strcmp(options->server, ".") == 0);
}

/* O4: somebody else may squat on the name. 0 or an errno. */
static int pipe__check_server(const nps_client_options *options, int fd) {
  bool or_root = (options->flags & NPS_CLIENT_CURRENT_USER) == 0;
  return (options->flags & NPS_CLIENT_ANY_USER) != 0 ? 0 : ep_socket_check_peer(fd, geteuid(), or_root);
}

nps_result os_pipe_open(const nps_client_options *options, os_pipe **pipe) {
  char path[EP_PATH_LIMIT + 1];
  int fd = -1;
  bool plain;
  os_pipe *made;
  if (!pipe__can_open(options)) {
    return ep_result(NPS_E_NOT_SUPPORTED, 0);
  }
  nps_result result = ep_path_of(options->name, options->mode, path);
  if (result != NPS_OK) {
    return result;
  }
  result = pipe__new(options->direction, options->mode == NPS_MODE_MESSAGE, &made);
  if (result != NPS_OK) {
    return result;
  }
  int error = ep_socket_connect(path, made->message ? SOCK_SEQPACKET : SOCK_STREAM, &fd, &plain);
  if (error != 0) {
    result = pipe__open_error(error, path);
    goto free_pipe;
  }
  error = pipe__check_server(options, fd);
  if (error != 0) {
    result = ep_error(error);
    goto close_socket;
  }
  made->inheritable = (options->flags & NPS_CLIENT_INHERITABLE) != 0;
  ep_pipe_install(made, fd, plain);
  *pipe = made;
  return NPS_OK;
close_socket:
  close(fd);
free_pipe:
  os_free(made);
  return result;
}

nps_result os_pipe_adopt(intptr_t os_handle, os_adopted *adopted, os_pipe **pipe) {
  os_pipe *made;
  bool message;
  nps_result result = ep_socket_adoptable(os_handle, &message);
  if (result != NPS_OK) {
    return result;
  }
  result = pipe__new(NPS_DIRECTION_DUPLEX, message, &made);
  if (result != NPS_OK) {
    return result;
  }
  ep_pipe_install(made, (int)os_handle, false);
  made->shared = true;
  *adopted = (os_adopted){.direction = NPS_DIRECTION_DUPLEX, .server = false, .connected = true, .message = message};
  *pipe = made;
  return NPS_OK;
}

nps_result os_pipe_handle(os_pipe *pipe, intptr_t *os_handle) {
  if (pipe->fd < 0) {
    return ep_result(NPS_E_NOT_CONNECTED, 0);
  }
  pipe->shared = true;
  *os_handle = pipe->fd;
  return NPS_OK;
}

nps_result os_pipe_bind(os_pipe *pipe, os_port *port) {
  nps_result result = ep_port_slot_take(port, EP_SLOT_PIPE, pipe, &pipe->slot);
  if (result == NPS_OK) {
    pipe->port = port;
  }
  return result;
}

/* Ends the connection, if there is one. Events of it that were fetched already are void afterwards (rules 3 and 4). */
static void pipe__end_connection(os_pipe *pipe, bool keep_handle) {
  int fd = pipe->fd;
  if (pipe->port != NULL) {
    os_lock_enter(&pipe->port->lock);
    if (pipe->armed != 0 && (pipe->shared || pipe->inheritable || keep_handle)) {
      (void)ep_port_control(pipe->port, EPOLL_CTL_DEL, fd, 0, pipe->slot); /* else close does it */
    }
    ep_port_slot_renew(pipe->port, pipe->slot);
    pipe->armed = 0;
    pipe->fd = -1;
    os_lock_leave(&pipe->port->lock);
  } else {
    pipe->fd = -1;
  }
  ep_message_end(pipe);
  if (fd >= 0 && !keep_handle) {
    close(fd);
    if (pipe->listener != NULL && atomic_load(&pipe->listener->starved)) {
      ep_listener_pump(pipe->listener, NULL); /* the descriptor that accept lacked */
    }
  }
}

void os_pipe_close(os_pipe *pipe, bool keep_handle) {
  pipe__end_connection(pipe, keep_handle);
  if (pipe->listener != NULL) {
    ep_listener_leave(pipe->listener, pipe);
  }
  if (pipe->port != NULL) {
    ep_port_slot_drop(pipe->port, pipe->slot);
  }
  os_free(pipe);
}

nps_result os_pipe_disconnect(os_pipe *pipe) {
  /* C8: others may have the descriptor, and the client must see a break all the same. */
  if (pipe->fd >= 0 && (pipe->shared || pipe->inheritable)) {
    (void)shutdown(pipe->fd, SHUT_RDWR);
  }
  pipe__end_connection(pipe, false);
  return NPS_OK;
}

void ep_pipe_install(os_pipe *pipe, int fd, bool plain) {
  if (pipe->message) {
    ep_message_begin(pipe, fd);
  }
  ep_socket_shape(fd, pipe->message, pipe->direction, pipe->in_buffer_size, pipe->out_buffer_size);
  /* No event can come yet: the descriptor is not in the epoll set, and those of the last connection are void. */
  atomic_store_explicit(&pipe->edge_in, false, memory_order_relaxed);
  atomic_store_explicit(&pipe->edge_out, false, memory_order_relaxed);
  atomic_store_explicit(&pipe->peer_done, false, memory_order_relaxed);
  atomic_store_explicit(&pipe->hung_up, false, memory_order_relaxed);
  atomic_store_explicit(&pipe->split, false, memory_order_relaxed);
  pipe->shared = pipe->reset = false;
  pipe->plain = plain && !pipe->inheritable; /* a program that inherits it could allow them */
  if (pipe->inheritable) {
    (void)fcntl(fd, F_SETFD, 0); /* cannot fail on a descriptor of ours */
  }
  if (pipe->port != NULL) {
    os_lock_enter(&pipe->port->lock);
  }
  pipe->fd = fd;
  if (pipe->port != NULL) {
    os_lock_leave(&pipe->port->lock);
  }
}

/* The listener's reference and descriptor pass from the operation to the pipe. */
void os_pipe_accept(os_pipe *pipe, os_op *op) {
  ep_listener *listener = op->state.listener;
  ep_pipe_install(pipe, op->state.fd, listener->name.plain);
  op->state.listener = NULL;
  op->state.fd = -1;
  ep_listener_release(listener);
}

/* ---- events ---- */

/* pre: port lock held. Sees to it that `events` are in the epoll set; 0 or an errno. Entering and changing both look at
 * the level, so that what came before is not missed. */
static int pipe__arm(os_pipe *pipe, uint32_t events) {
  /* An end that only writes has shut its reading half: asking for that half would report our own shutdown as the
   * peer's. */
  uint32_t in = pipe->direction == NPS_DIRECTION_OUT ? 0 : (uint32_t)(EPOLLIN | EPOLLRDHUP | EPOLLPRI);
  uint32_t wanted = pipe->armed | EPOLLET | in | events;
  if (wanted == pipe->armed) {
    return 0;
  }
  int error =
      ep_port_control(pipe->port, pipe->armed == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, pipe->fd, wanted, pipe->slot);
  if (error == 0) {
    pipe->armed = wanted;
  }
  return error;
}

/* The peer frees room with every read and each time an EPOLLOUT would wake us: nobody waits for it, so take it away.
 * The next WRITE_PROBE puts it back, which looks at the level. */
static void pipe__disarm_out(os_pipe *pipe) {
  uint32_t wanted = pipe->armed & ~(uint32_t)EPOLLOUT;
  if (wanted != pipe->armed && ep_port_control(pipe->port, EPOLL_CTL_MOD, pipe->fd, wanted, pipe->slot) == 0) {
    pipe->armed = wanted;
  }
}

uint32_t ep_pipe_event(os_pipe *pipe, uint32_t events, os_op **ready) {
  uint32_t count = 0;
  if ((events & PIPE_END_EVENTS) != 0) {
    atomic_store_explicit(&pipe->peer_done, true, memory_order_relaxed);
  }
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) { /* EPOLLRDHUP alone is half-close: writing goes on */
    atomic_store_explicit(&pipe->hung_up, true, memory_order_relaxed);
  }
  if ((events & EPOLLPRI) != 0) {
    atomic_store_explicit(&pipe->split, true, memory_order_relaxed);
  }
  if ((events & PIPE_IN_EVENTS) != 0) {
    atomic_store(&pipe->edge_in, true);
    if (pipe->in_probe != NULL && (pipe->in_probe->kind == OS_READ_PROBE || (events & PIPE_END_EVENTS) != 0)) {
      ready[count++] = pipe->in_probe;
      pipe->in_probe = NULL;
    }
  }
  if ((events & PIPE_OUT_EVENTS) != 0) {
    atomic_store(&pipe->edge_out, true);
    if (pipe->out_probe != NULL) {
      ready[count++] = pipe->out_probe;
      pipe->out_probe = NULL;
    } else {
      pipe__disarm_out(pipe);
    }
  }
  return count;
}

/* ---- operations ---- */

/* pre: port lock held. Whether what the probe asks for is known to be so already. */
static bool pipe__answered(const os_pipe *pipe, os_op_kind kind) {
  switch (kind) {
  case OS_READ_PROBE:
    return atomic_load(&pipe->edge_in) || atomic_load(&pipe->peer_done);
  case OS_CLOSE_PROBE:
    return atomic_load(&pipe->peer_done);
  case OS_WRITE_PROBE:
    return atomic_load(&pipe->edge_out) || atomic_load(&pipe->hung_up);
  case OS_CONNECT: /* no probe */
  case OS_READ:
  case OS_WRITE:
    return false;
  }
  return false;
}

static os_start pipe__start_probe(os_pipe *pipe, os_op *op, os_completion *done) {
  bool out = op->kind == OS_WRITE_PROBE;
  os_lock_enter(&pipe->port->lock);
  bool answered = pipe__answered(pipe, op->kind);
  int error = answered ? 0 : pipe__arm(pipe, out ? (uint32_t)EPOLLOUT : 0);
  bool pending = !answered && error == 0;
  if (pending && out) {
    pipe->out_probe = op;
  } else if (pending) {
    pipe->in_probe = op;
  }
  bool over = atomic_load(&pipe->peer_done);
  os_lock_leave(&pipe->port->lock); /* an event that came since arming is waiting for this lock: it finds the probe */
  if (pending) {
    return OS_PENDING;
  }
  *done = (os_completion){
      .op = op, .result = error == 0 ? NPS_OK : ep_watch_error(error), .flags = over ? OS_PEER_CLOSED : 0};
  return OS_DONE;
}

os_start os_pipe_start(os_pipe *pipe, os_op *op, os_completion *done) {
  nps_result refused = NPS_OK;
  switch (op->kind) {
  case OS_CONNECT:
    if (pipe->listener != NULL) {
      return ep_listener_start(pipe->listener, pipe, op, done);
    }
    refused = ep_result(NPS_E_NOT_SUPPORTED, 0);
    break;
  case OS_READ_PROBE:
  case OS_WRITE_PROBE:
  case OS_CLOSE_PROBE:
    if (pipe->fd >= 0) {
      return pipe__start_probe(pipe, op, done);
    }
    refused = ep_result(NPS_E_NOT_CONNECTED, 0);
    break;
  case OS_READ: /* never started: os_direct_io */
  case OS_WRITE:
    refused = ep_result(NPS_E_NOT_SUPPORTED, 0);
    break;
  }
  *done = (os_completion){.op = op, .result = refused};
  return OS_DONE;
}

bool os_pipe_cancel(os_pipe *pipe, os_op *op, bool closing) {
  (void)closing; /* either way a probe is taken back at once */
  if (op->kind == OS_CONNECT) {
    return ep_listener_cancel(pipe->listener, op);
  }
  os_lock_enter(&pipe->port->lock);
  bool mine = pipe->in_probe == op || pipe->out_probe == op; /* else its completion is on the way (rule 2) */
  if (pipe->in_probe == op) {
    pipe->in_probe = NULL;
  }
  if (pipe->out_probe == op) {
    pipe->out_probe = NULL;
  }
  os_lock_leave(&pipe->port->lock);
  return mine;
}
