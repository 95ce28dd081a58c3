/* system_linux.c - the walk on Linux: peers are non-blocking Unix sockets in a folder of this program's own, and what is there is
 * asked of the kernel by calls of its own (poll, FIONREAD, getpeername), on the descriptors that the library uses. */
#define _GNU_SOURCE 1 /* accept4, POLLRDHUP */

#include "real.h"

#include "epoll.h" /* the backend's: descriptors, probes, the port's queue */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/poll.h> /* <poll.h> would be core's */
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "process_linux.h"

const bool system_cuts = false;
const bool walk_knows_ops = true;

static const char *const linux__names[WALK_NAMES + 1] = {"a", "b", "in", "out", "message", "no such"};

const char *walk_kernel(void) { return "epoll"; }

const char *walk_name(uint32_t which) { return linux__names[which]; }

uint32_t walk_instances(uint32_t which) { return which == 1 ? 3 : NPS_UNLIMITED_INSTANCES; }

/* ---------------------------------------------------------------- who is connected with whom */

static int linux__fd(const walk_end *end) { return end->pipe != NULL ? end->os->fd : (int)end->handle; }

/* The client's socket gets an address of its own in the abstract name space, connected though it is. */
static void linux__mark_client(int fd, uint32_t number) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "npswalk-%ld-%u", (long)getpid(), number);
  const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
  if (bind(fd, (const struct sockaddr *)&address, size) != 0) walk_fail("the walk: a client gets no address, errno %d", errno);
}

/* null: not a client of this walk. */
static real_connection *linux__connection_at(int server_fd) {
  struct sockaddr_un address;
  socklen_t size = sizeof address;
  unsigned number = 0;
  long pid = 0;
  memset(&address, 0, sizeof address);
  if (getpeername(server_fd, (struct sockaddr *)&address, &size) != 0) walk_fail("the walk: no peer's name, errno %d", errno);
  address.sun_path[sizeof address.sun_path - 1] = '\0';
  return sscanf(address.sun_path + 1, "npswalk-%ld-%u", &pid, &number) == 2 ? real_connection_of(number) : NULL;
}

void system_made(walk_end *end) {
  if (!end->server) linux__mark_client(end->os->fd, real_connect(end)->number);
}

void system_joined(walk_end *end) {
  if (!end->server || end->os->fd < 0) return;
  real_connection *connection = linux__connection_at(end->os->fd);
  if (connection == NULL) walk_fail("a server has a client that never came");
  real_join(connection, 0, end);
}

/* ---------------------------------------------------------------- what is there */

void system_look(const walk_end *end, walk_view *view) {
  const real_side *side = real_side_of(end), *peer = real_side_of_peer(end);
  struct pollfd one = {.fd = linux__fd(end), .events = POLLIN | POLLOUT | POLLRDHUP};
  int unread = 0;
  if (poll(&one, 1, 0) < 0 || ioctl(one.fd, FIONREAD, &unread) != 0) walk_fail("the walk: a descriptor is not open, errno %d", errno);
  const bool hung_up = (one.revents & (POLLHUP | POLLERR)) != 0;
  /* An end that has shut its own reading half is told of that as if the peer had closed. */
  view->peer_done = hung_up || ((side->direction & NPS_DIRECTION_IN) != 0 && (one.revents & POLLRDHUP) != 0);
  if (end->pipe != NULL && (end->pipe->direction & NPS_DIRECTION_IN) != 0 && (one.revents & POLLRDHUP) != 0) view->peer_done = true;
  view->peer_broken = hung_up || (peer->came && (peer->direction & NPS_DIRECTION_IN) == 0) ||
                      (side->direction & NPS_DIRECTION_OUT) == 0;
  view->unread = (uint32_t)unread;
  view->room = (one.revents & POLLOUT) != 0;
}

bool walk_is_handle_of(const walk_pipe *p, intptr_t handle) { return handle >= 0 && handle == p->pipe->os->fd; }

bool walk_has_client(const walk_pipe *p) {
  const ep_listener *listener = p->pipe->os->listener;
  struct pollfd one = {.fd = listener->name.fd, .events = POLLIN};
  return listener->spare_count != 0 || (poll(&one, 1, 0) > 0 && (one.revents & POLLIN) != 0);
}

bool walk_can_write(const walk_pipe *p, const walk_view *view) {
  (void)p;
  return view->room != 0 || view->peer_broken;
}

void walk_check_flushed(const walk_pipe *p, nps_result result, uint64_t unsent) {
  (void)p;
  (void)result;
  if (unsent != 0) walk_fail("flush_state is wrong: here the system has what was accepted");
}

uint64_t walk_background_failures(walk_end *end) { return end->failures; /* no write pends: none */ }

bool walk_may_have_failed(walk_end *end) {
  (void)end;
  return false;
}

bool walk_is_connected(const os_pipe *os) { return os->fd >= 0; }

/* ---------------------------------------------------------------- operations that the backend holds */

#define LINUX_OPS 512u

static const os_op *linux__ops[LINUX_OPS];
static uint32_t linux__op_count;

static void linux__see_op(const os_op *seen) {
  if (seen == NULL) return;
  if (linux__op_count == LINUX_OPS) walk_fail("the walk: too many operations");
  linux__ops[linux__op_count++] = seen;
}

uint32_t walk_in_flight(void) {
  linux__op_count = 0;
  for (uint32_t i = 0; i < WALK_PIPES; i++) {
    const nps_pipe *pipe = world.pipes[i].pipe;
    if (pipe == NULL || pipe->os == NULL) continue;
    linux__see_op(pipe->os->in_probe);
    linux__see_op(pipe->os->out_probe);
    const os_op *waiter = pipe->os->listener == NULL ? NULL : pipe->os->listener->first_waiter;
    for (; waiter != NULL; waiter = waiter->state.next) {
      if (waiter->state.pipe == pipe->os) linux__see_op(waiter);
    }
  }
  for (uint32_t i = 0; i < WALK_POLLS; i++) {
    if (world.polls[i].poll == NULL || world.polls[i].poll->closed) continue;
    const os_op *queued = world.polls[i].poll->port->queue_first;
    for (; queued != NULL; queued = queued->state.next) linux__see_op(queued);
  }
  return linux__op_count;
}

const os_op *walk_in_flight_op(uint32_t index) { return linux__ops[index]; }

/* ---------------------------------------------------------------- peers */

static void linux__path(uint32_t which, char *path, size_t size) {
  const char *prefix = which == WALK_MESSAGE_NAME ? "NpsMessage" : "CoreFxPipe";
  (void)snprintf(path, size, "%s/%s_%s", linux_folder(), prefix, linux__names[which]);
}

static int linux__socket(struct sockaddr_un *address, uint32_t which) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  linux__path(which, address->sun_path, sizeof address->sun_path);
  const int fd = socket(AF_UNIX, (which == WALK_MESSAGE_NAME ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) walk_fail("the walk: no socket, errno %d", errno);
  return fd;
}

/* With an address of its own: credentials tell an empty message from the end, and would bring another address. */
static void linux__shape(int fd, uint32_t which, uint32_t direction) {
  const int on = 1;
  if (which == WALK_MESSAGE_NAME) (void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  int size = 1 + (int)walk_random(8000);
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  if (direction != NPS_DIRECTION_DUPLEX) (void)shutdown(fd, direction == NPS_DIRECTION_IN ? SHUT_WR : SHUT_RD);
}

walk_end *walk_peer_connect(uint32_t which, uint32_t direction) {
  struct sockaddr_un address;
  const int fd = linux__socket(&address, which);
  if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
    close(fd);
    return NULL;
  }
  walk_end *end = real_foreign();
  end->name = which;
  end->direction = direction;
  end->handle = fd;
  linux__mark_client(fd, real_connect(end)->number);
  linux__shape(fd, which, direction);
  return end;
}

walk_end *walk_peer_serve(uint32_t which, uint32_t direction, uint32_t quota) {
  struct sockaddr_un address;
  const int fd = linux__socket(&address, which);
  if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
    if (errno != EADDRINUSE) walk_fail("the walk: bind, errno %d", errno);
    close(fd);
    return NULL;
  }
  if (listen(fd, (int)(quota % 3)) != 0) walk_fail("the walk: listen, errno %d", errno);
  walk_end *end = real_foreign();
  end->name = which;
  end->server = true;
  end->direction = direction;
  end->listener = fd;
  return end;
}

void walk_peer_accept(walk_end *server) {
  while (server->connection == NULL) {
    const int fd = accept4((int)server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return;
    real_connection *connection = linux__connection_at(fd);
    if (connection == NULL) { /* a server of the library that looked whether somebody lives here */
      close(fd);
      continue;
    }
    server->handle = fd;
    real_join(connection, 0, server);
    linux__shape(fd, server->name, server->direction);
  }
}

intptr_t walk_peer_handle(const walk_end *peer) { return peer->handle; }

bool walk_peer_may_go(const walk_end *peer) { return peer->connection != NULL; }

uint32_t walk_peer_write(walk_end *peer, const void *bytes, uint32_t size) {
  const ssize_t sent = send((int)peer->handle, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? 0 : (uint32_t)sent;
}

uint32_t walk_peer_read(walk_end *peer, void *bytes, uint32_t size) {
  const ssize_t got = recv((int)peer->handle, bytes, size, MSG_DONTWAIT);
  if (got > 0) return (uint32_t)got;
  if (got == 0 || errno == ECONNRESET) real_check_end(peer);
  return 0;
}

bool walk_peer_send(walk_end *peer, const void *bytes, uint32_t size) {
  return send((int)peer->handle, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/* The whole message: what is not taken would be gone. */
bool walk_peer_receive(walk_end *peer, void *bytes, uint32_t size, uint32_t *count, bool *more) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
  struct iovec whole = {bytes, WALK_BYTES};
  struct msghdr message = {.msg_iov = &whole, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg((int)peer->handle, &message, MSG_DONTWAIT);
  if (got < 0 && errno == ECONNRESET) { /* said once, before what was sent */
    message.msg_controllen = sizeof control;
    got = recvmsg((int)peer->handle, &message, MSG_DONTWAIT);
  }
  (void)size;
  if (got < 0) return false;
  if (got == 0 && message.msg_controllen == 0) {
    real_check_end(peer);
    return false;
  }
  *count = (uint32_t)got;
  *more = false;
  return true;
}

void walk_peer_write_nothing(walk_end *peer) { (void)send((int)peer->handle, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL); }

void walk_peer_disconnect(walk_end *server) {
  if (server->connection == NULL) return;
  close((int)server->handle);
  server->handle = -1;
  real_leave(server, false, 0);
}

static void linux__stop_serving(const walk_end *server) {
  char path[120];
  if (server->listener < 0) return;
  linux__path(server->name, path, sizeof path);
  close((int)server->listener);
  if (unlink(path) != 0) walk_fail("O4: somebody has removed a living server's socket");
}

void system_adopted(walk_end *peer) { linux__stop_serving(peer); }

void system_exported(walk_end *end) { (void)end; }

void walk_peer_close(walk_end *peer) {
  linux__stop_serving(peer);
  if (peer->handle >= 0) close((int)peer->handle);
  real_leave(peer, false, 0);
  real_forget(peer);
}

/* ---------------------------------------------------------------- what is no pipe */

intptr_t walk_odd_handle(void) {
  switch (walk_random(3)) {
    case 0: return 123456789;
    case 1: return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    default: return eventfd(0, EFD_CLOEXEC);
  }
}

void walk_odd_handle_end(intptr_t handle) {
  const bool open = fcntl((int)handle, F_GETFD) >= 0;
  if (open != (handle != 123456789)) walk_fail("a handle that was not adopted was closed");
  if (open) close((int)handle);
}

/* ---------------------------------------------------------------- outcomes */

#define OUTCOME WALK_OUTCOME

uint32_t walk_impossible(walk_state state, walk_call call) {
  (void)call;
  if (state == STATE_POLL_WAITING) return UINT32_MAX; /* one thread */
  return OUTCOME(NPS_E_OUT_OF_MEMORY) | OUTCOME(NPS_E_TOO_MANY_HANDLES) | OUTCOME(NPS_E_IO); /* no faults here */
}

uint32_t walk_rare(walk_state state, walk_call call) {
  (void)state;
  (void)call;
  return 0;
}
