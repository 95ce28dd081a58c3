/* floor_epoll.c - the floor on Linux: bare Unix domain sockets and epoll, edge-triggered. A short read is taken for
 * "drained", which is safe here: these peers close only when nothing is unread, and send no descriptors. EPOLLOUT is
 * asked for when a write was refused. */
#define _GNU_SOURCE /* accept4 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "transport.h"

enum { BATCH = 128, BACKLOG = 128 };

struct bench_io {
  bench_side *side;
  int descriptor;
  bool watches_writable;
};

struct bench_side {
  int epoll;
  int listener; /* level-triggered in `epoll`, with a null pointer for its data; -1: none */
  bench_end *waiting;
  struct sockaddr_un address;
  struct epoll_event events[BATCH];
  uint8_t buffer[BENCH_READ_CAPACITY];
};

bench_side *transport_side_open(uint32_t ends, uint32_t size) {
  bench_side *side = bench_alloc(sizeof *side);
  (void)ends;
  (void)size;
  side->epoll = epoll_create1(EPOLL_CLOEXEC);
  bench_require(side->epoll >= 0, "epoll_create1");
  side->listener = -1;
  return side;
}

void transport_side_close(bench_side *side) {
  close(side->epoll);
  if (side->listener >= 0) {
    close(side->listener);
    unlink(side->address.sun_path);
  }
  free(side);
}

static void floor__address(struct sockaddr_un *address, const char *name) {
  const char *folder = getenv("TMPDIR");
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  int length = snprintf(address->sun_path, sizeof address->sun_path, "%s/%s", folder != NULL ? folder : "/tmp", name);
  bench_require(length > 0 && (size_t)length < sizeof address->sun_path, "the socket's path is too long");
}

static void floor__watch(bench_io *io, bench_end *end, int operation, bool writable) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.ptr = end};
  if (writable)
    event.events |= EPOLLOUT;
  io->watches_writable = writable;
  bench_require(epoll_ctl(io->side->epoll, operation, io->descriptor, &event) == 0, "epoll_ctl");
}

static bench_io *floor__io(bench_side *side, bench_end *end) {
  if (end->io == NULL)
    end->io = bench_alloc(sizeof *end->io);
  end->io->side = side;
  end->io->descriptor = -1;
  return end->io;
}

void transport_listen(bench_side *side, bench_end *end, const char *name) {
  (void)floor__io(side, end);
  side->waiting = end;
  if (side->listener >= 0)
    return;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  floor__address(&side->address, name);
  side->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bench_require(side->listener >= 0, "socket");
  bench_require(bind(side->listener, (const struct sockaddr *)&side->address, sizeof side->address) == 0, "bind");
  bench_require(listen(side->listener, BACKLOG) == 0, "listen");
  bench_require(epoll_ctl(side->epoll, EPOLL_CTL_ADD, side->listener, &event) == 0, "epoll_ctl");
}

void transport_listen_again(bench_end *end) {
  close(end->io->descriptor);
  end->io->descriptor = -1;
  end->io->side->waiting = end;
}

void transport_open(bench_side *side, bench_end *end, const char *name) {
  struct sockaddr_un address;
  bench_io *io = floor__io(side, end);
  floor__address(&address, name);
  io->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bench_require(io->descriptor >= 0, "socket");
  bench_require(connect(io->descriptor, (const struct sockaddr *)&address, sizeof address) == 0, "connect");
  floor__watch(io, end, EPOLL_CTL_ADD, false);
}

void transport_close(bench_end *end) {
  if (end->io->descriptor >= 0)
    close(end->io->descriptor);
  free(end->io);
  end->io = NULL;
}

uint32_t transport_write(bench_end *end, const uint8_t *data, uint32_t size) {
  bench_io *io = end->io;
  ssize_t sent = send(io->descriptor, data, size, MSG_NOSIGNAL);
  if (sent > 0)
    return (uint32_t)sent;
  bench_require(errno == EAGAIN, "send");
  if (!io->watches_writable)
    floor__watch(io, end, EPOLL_CTL_MOD, true);
  return 0;
}

static void floor__accept(bench_side *side) {
  bench_end *end = side->waiting;
  bench_require(end != NULL, "a client that nobody waits for");
  end->io->descriptor = accept4(side->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  bench_require(end->io->descriptor >= 0, "accept4");
  side->waiting = NULL;
  floor__watch(end->io, end, EPOLL_CTL_ADD, false);
  driver_connected(end);
}

static void floor__read(bench_side *side, bench_end *end) {
  for (;;) {
    ssize_t count = recv(end->io->descriptor, side->buffer, sizeof side->buffer, 0);
    if (count == 0) {
      driver_closed(end);
      return;
    }
    if (count < 0) {
      bench_require(errno == EAGAIN, "recv");
      return;
    }
    driver_readable(end, side->buffer, (uint32_t)count);
    if ((size_t)count < sizeof side->buffer)
      return;
  }
}

void transport_wait(bench_side *side, int timeout_ms) {
  int count = epoll_wait(side->epoll, side->events, BATCH, timeout_ms);
  bench_require(count >= 0 || errno == EINTR, "epoll_wait");
  for (int i = 0; i < count; i++) {
    bench_end *end = side->events[i].data.ptr;
    if (end == NULL) {
      floor__accept(side);
      continue;
    }
    if (side->events[i].events & ~(uint32_t)EPOLLOUT)
      floor__read(side, end);
    if (side->events[i].events & EPOLLOUT)
      driver_writable(end);
  }
}
