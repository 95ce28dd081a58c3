#define _GNU_SOURCE 1

#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

struct peer {
  int fd;
};

struct peer_server {
  int fd;
  struct sockaddr_un address;
};

const char *peer_full_name(const char *name) {
  const char *folder = getenv("TMPDIR");
  if (folder == NULL || folder[0] == '\0') {
    folder = "/tmp/";
  }
  size_t size = strlen(folder) + strlen(name) + 32;
  char *path = test_new(size);
  (void)snprintf(path, size, "%s%sCoreFxPipe_%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
  return path;
}

/* Not peer_full_name: this one is for helper threads too, which may not allocate from the case. */
static void peer__address(const char *name, struct sockaddr_un *address) {
  const char *folder = getenv("TMPDIR");
  if (folder == NULL || folder[0] == '\0') {
    folder = "/tmp/";
  }
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  (void)snprintf(address->sun_path, sizeof address->sun_path, "%s%sCoreFxPipe_%s", folder,
      folder[strlen(folder) - 1] == '/' ? "" : "/", name);
}

static peer *peer__new(int fd) {
  peer *made = calloc(1, sizeof *made);
  if (made == NULL) {
    FAIL("no memory for a peer");
  }
  made->fd = fd;
  return made;
}

peer_open_status peer_try_open(const char *name, peer **opened) {
  struct sockaddr_un address;
  peer__address(name, &address);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  REQUIRE(fd >= 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
    *opened = peer__new(fd);
    return PEER_OPENED;
  }
  int error = errno;
  close(fd);
  switch (error) {
  case ENOENT:
  case ECONNREFUSED:
    return PEER_NOT_FOUND;
  case EAGAIN:
    return PEER_BUSY;
  case EACCES:
    return PEER_DENIED;
  default:
    return PEER_FAILED;
  }
}

peer_server *peer_listen(const char *name, uint32_t instances) {
  peer_server *server = calloc(1, sizeof *server);
  REQUIRE(server != NULL);
  peer__address(name, &server->address);
  server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  REQUIRE(server->fd >= 0);
  REQUIRE(bind(server->fd, (struct sockaddr *)&server->address, sizeof server->address) == 0);
  REQUIRE(listen(server->fd, (int)instances) == 0);
  return server;
}

static bool peer__ready(int fd, short events, int timeout_ms) {
  struct pollfd one = {.fd = fd, .events = events, .revents = 0};
  int got = 0;
  do {
    got = poll(&one, 1, timeout_ms);
  } while (got < 0 && errno == EINTR);
  return got > 0;
}

peer *peer_accept(peer_server *server) {
  REQUIRE(peer__ready(server->fd, POLLIN, TEST_DEADLINE_MS));
  int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  REQUIRE(fd >= 0);
  return peer__new(fd);
}

void peer_server_close(peer_server *server) {
  close(server->fd);
  unlink(server->address.sun_path);
  free(server);
}

void peer_leave_dead_name(const char *name) {
  peer_server *server = peer_listen(name, 5);
  close(server->fd);
  free(server);
}

bool peer_send(peer *to, const void *memory, size_t size) {
  size_t sent = 0;
  while (sent < size) {
    ssize_t got = send(to->fd, (const char *)memory + sent, size - sent, MSG_NOSIGNAL);
    if (got >= 0) {
      sent += (size_t)got;
    } else if (errno == EAGAIN) {
      if (!peer__ready(to->fd, POLLOUT, TEST_DEADLINE_MS)) {
        FAIL("the peer could send only %llu of %llu bytes", (unsigned long long)sent, (unsigned long long)size);
      }
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

ptrdiff_t peer_receive(peer *from, void *memory, size_t size) {
  for (;;) {
    ssize_t got = recv(from->fd, memory, size, 0);
    if (got >= 0) {
      return got;
    }
    if (errno == EAGAIN) {
      if (!peer__ready(from->fd, POLLIN, TEST_DEADLINE_MS)) {
        return -1;
      }
    } else if (errno != EINTR) {
      return 0;
    }
  }
}

bool peer_nothing_there(peer *from) {
  char byte;
  return recv(from->fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

void peer_close(peer *one) {
  peer_close_handle(peer_take_handle(one));
}

intptr_t peer_take_handle(peer *one) {
  int fd = one->fd;
  free(one);
  return fd;
}

peer *peer_of_handle(intptr_t os_handle) {
  return peer__new((int)os_handle);
}

void peer_pair(peer **one, peer **other) {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
  *one = peer__new(ends[0]);
  *other = peer__new(ends[1]);
}

void peer_close_handle(intptr_t os_handle) {
  close((int)os_handle);
}
