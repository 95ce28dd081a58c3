/* socket.c - the calls on one AF_UNIX socket that are not I/O. */
#include "epoll.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Linux 6.16; its headers have it later than its kernels. Two systems number their options otherwise. */
#if !defined SO_PASSRIGHTS && !defined __hppa__ && !defined __sparc__
#define SO_PASSRIGHTS 83
#endif

/* Whether from now on nobody can send it descriptors: they fail with EPERM there. */
static bool socket__refuse_descriptors(int fd) {
#ifdef SO_PASSRIGHTS
  int pass = 0;
  return setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &pass, (socklen_t)sizeof pass) == 0;
#else
  (void)fd;
  return false;
#endif
}

int ep_socket_new(int type, bool *plain) {
  /* Non-blocking so that a full backlog answers EAGAIN; AF_UNIX never answers EINPROGRESS. */
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0) {
    *plain = socket__refuse_descriptors(fd);
  }
  return fd;
}

int ep_socket_connect(const char *path, int type, int *fd, bool *plain) {
  int client = ep_socket_new(type, plain);
  if (client < 0) {
    return errno;
  }
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  memcpy(address.sun_path, path, strlen(path) + 1);
  while (connect(client, (const struct sockaddr *)&address, (socklen_t)sizeof address) != 0) {
    int error = errno;
    if (error != EINTR) {
      close(client);
      return error;
    }
  }
  *fd = client;
  return 0;
}

int ep_socket_check_peer(int fd, uid_t uid, bool or_root) {
  struct ucred peer;
  socklen_t size = (socklen_t)sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return errno;
  }
  return (or_root && peer.uid == 0) || peer.uid == uid ? 0 : EACCES;
}

/* NPS_OK if that option of the socket is `wanted`, `refused` if it is not, or why it could not be asked. */
static nps_result socket__check_option(int fd, int option, int wanted, nps_result refused) {
  int value = 0;
  socklen_t size = (socklen_t)sizeof value;
  if (getsockopt(fd, SOL_SOCKET, option, &value, &size) != 0) {
    return ep_error(errno);
  }
  return value == wanted ? NPS_OK : refused;
}

nps_result ep_socket_adoptable(intptr_t os_handle, bool *message) {
  struct stat status;
  if (os_handle < 0 || os_handle > INT_MAX) {
    return ep_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_HANDLE);
  }
  int fd = (int)os_handle;
  if (fstat(fd, &status) != 0) {
    return errno == EBADF ? ep_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_HANDLE) : ep_error(errno);
  }
  if (!S_ISSOCK(status.st_mode)) {
    return ep_result(NPS_E_NOT_A_PIPE, ENOTSOCK);
  }
  nps_result result = socket__check_option(fd, SO_DOMAIN, AF_UNIX, ep_result(NPS_E_NOT_A_PIPE, ENOTSOCK));
  *message = result == NPS_OK && socket__check_option(fd, SO_TYPE, SOCK_SEQPACKET, NPS_WOULD_BLOCK) == NPS_OK;
  if (result == NPS_OK && !*message) {
    result = socket__check_option(fd, SO_TYPE, SOCK_STREAM, ep_result(NPS_E_NOT_SUPPORTED, EPROTOTYPE));
  }
  if (result == NPS_OK) {
    result = socket__check_option(fd, SO_ACCEPTCONN, 0, ep_result(NPS_E_NOT_A_PIPE, EINVAL));
  }
  if (result != NPS_OK) {
    return result;
  }
  struct sockaddr_un peer;
  socklen_t size = (socklen_t)sizeof peer;
  return getpeername(fd, (struct sockaddr *)&peer, &size) == 0 ? NPS_OK : ep_error(errno);
}

static uint32_t socket__send_buffer(int fd) {
  int size = 0;
  socklen_t length = (socklen_t)sizeof size;
  return getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0 ? (uint32_t)size : 0;
}

/* pre: nothing can be sent to it any more. What was sent before stands in the way of a peer that waits for room, and the system does not tell
 * that one of a half that was shut (C8: a break, never a hang). */
static void socket__discard_unread(int fd, bool message) {
  char unread[4096];
  ep_credentials control;
  bool more;
  do {
    struct iovec all = {unread, sizeof unread}; /* cppcheck-suppress legacyUninitvar; what is there is not read */
    struct msghdr header = {.msg_iov = &all, .msg_iovlen = 1};
    header.msg_control = message ? control.bytes : NULL;
    header.msg_controllen = message ? sizeof control.bytes : 0;
    ssize_t taken = recvmsg(fd, &header, MSG_DONTWAIT);
    more = taken >= 0 ? taken > 0 || header.msg_controllen != 0 : errno == EINTR || errno == ECONNRESET;
  } while (more);
}

void ep_socket_shape(int fd, bool message, uint32_t direction, uint32_t in_buffer_size, uint32_t out_buffer_size) {
  /* Failures are ignored on purpose: shutdown fails only if the peer has gone, which the first read or write tells; a
   * size that the system does not like is cut to its own limits. */
  if (direction != NPS_DIRECTION_DUPLEX) {
    (void)shutdown(fd, direction == NPS_DIRECTION_IN ? SHUT_WR : SHUT_RD);
  }
  if (direction == NPS_DIRECTION_OUT) {
    socket__discard_unread(fd, message);
  }
  if (in_buffer_size != 0) {
    int size = (int)in_buffer_size;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, (socklen_t)sizeof size);
  }
  /* The system keeps twice the size, for its own use. A message must fit as a whole: that buffer only grows. */
  if (out_buffer_size != 0 && !(message && 2 * out_buffer_size <= socket__send_buffer(fd))) {
    int size = (int)out_buffer_size;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, (socklen_t)sizeof size);
  }
}
