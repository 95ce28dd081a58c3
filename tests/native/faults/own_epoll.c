/* own_epoll.c - faults of Linux calls that need more than "answer this instead".
 *
 * EAGAIN promises an edge later. So after one that is not true, the descriptor's entry in each epoll set is set again, which makes the
 * kernel look at the level: to the library, what it asked for came just after. */
#define _GNU_SOURCE 1

#include <linux/fs.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

#include "gates.h"
#include "nps.h"

int fault_own_accept4(const fault_error *error, int fd, struct sockaddr *address, socklen_t *size, int flags);
void *fault_own_calloc(const fault_error *error, size_t count, size_t size);
int fault_own_close(const fault_error *error, int fd);
int fault_own_epoll_ctl(const fault_error *error, int epoll_fd, int operation, int fd, struct epoll_event *event);
void fault_own_free(const fault_error *error, void *memory);
ssize_t fault_own_recvmsg(const fault_error *error, int fd, struct msghdr *message, int flags);
ssize_t fault_own_recvmsg_epoll_message(const fault_error *error, int fd, struct msghdr *message, int flags);
ssize_t fault_own_recv_epoll_bytes(const fault_error *error, int fd, void *memory, size_t size, int flags);
ssize_t fault_own_send(const fault_error *error, int fd, const void *memory, size_t size, int flags);
ssize_t fault_own_sendmsg(const fault_error *error, int fd, const struct msghdr *message, int flags);
long fault_own_syscall_epoll_lock(const fault_error *error, long number, void *word, int operation, unsigned int value,
    void *timeout, void *word2, unsigned int value3);
long fault_own_syscall_epoll_name(const fault_error *error, long number, int from_folder, const char *from,
    int to_folder, const char *to, unsigned int flags);

/* ---- which descriptor is in which epoll set ---- */

#define ENTRIES 64

typedef struct entry {
  bool used;
  int epoll_fd;
  int fd;
  struct epoll_event event;
} entry;

static atomic_flag s_busy = ATOMIC_FLAG_INIT;
static entry s_entries[ENTRIES];

static void own__enter(void) {
  while (atomic_flag_test_and_set(&s_busy)) {
    /* a few instructions and a system call */
  }
}

static void own__leave(void) {
  atomic_flag_clear(&s_busy);
}

void fault_own_reset(void) {
  for (size_t i = 0; i < ENTRIES; i++) {
    s_entries[i].used = false;
  }
}

static void own__remember(int epoll_fd, int operation, int fd, const struct epoll_event *event) {
  entry *at = NULL;
  for (size_t i = 0; i < ENTRIES; i++) {
    entry *one = &s_entries[i];
    bool same = one->used && one->fd == fd && one->epoll_fd == epoll_fd;
    if (same || (!one->used && at == NULL)) {
      at = one;
      if (same) {
        break;
      }
    }
  }
  if (at == NULL) {
    abort(); /* more entries than a scenario has */
  }
  *at = (entry){.used = operation != EPOLL_CTL_DEL, .epoll_fd = epoll_fd, .fd = fd, .event = *event};
}

static void own__again(int fd) {
  own__enter();
  for (size_t i = 0; i < ENTRIES; i++) {
    if (s_entries[i].used && s_entries[i].fd == fd) {
      (void)epoll_ctl(s_entries[i].epoll_fd, EPOLL_CTL_MOD, fd, &s_entries[i].event);
    }
  }
  own__leave();
}

int fault_own_epoll_ctl(const fault_error *error, int epoll_fd, int operation, int fd, struct epoll_event *event) {
  bool taking_away = operation == EPOLL_CTL_DEL || (operation == EPOLL_CTL_MOD && (event->events & EPOLLOUT) == 0);
  if (error != NULL) {
    if (taking_away) {
      fault_forgive(error); /* at worst a needless wake-up */
    }
    errno = (int)error->code;
    return -1;
  }
  own__enter();
  int done = epoll_ctl(epoll_fd, operation, fd, event);
  if (done == 0) {
    own__remember(epoll_fd, operation, fd, event);
  }
  own__leave();
  return done;
}

/* The descriptor is closed whatever close says. */
int fault_own_close(const fault_error *error, int fd) {
  own__enter();
  for (size_t i = 0; i < ENTRIES; i++) {
    if (s_entries[i].fd == fd || s_entries[i].epoll_fd == fd) {
      s_entries[i].used = false;
    }
  }
  int done = close(fd);
  own__leave();
  if (error != NULL) {
    errno = (int)error->code;
    return -1;
  }
  return done;
}

/* ---- calls that would block ---- */

static void own__fail(const fault_error *error, int fd) {
  if (error->code == EAGAIN) {
    own__again(fd);
  }
  errno = (int)error->code;
}

int fault_own_accept4(const fault_error *error, int fd, struct sockaddr *address, socklen_t *size, int flags) {
  if (error == NULL) {
    return accept4(fd, address, size, flags);
  }
  if (error->code == ECONNABORTED) { /* the client is not in the queue any more */
    int client = accept4(fd, address, size, flags);
    if (client < 0) {
      return -1;
    }
    close(client);
  }
  own__fail(error, fd);
  return -1;
}

ssize_t fault_own_recvmsg(const fault_error *error, int fd, struct msghdr *message, int flags) {
  if (error != NULL) {
    own__fail(error, fd);
    return -1;
  }
  return recvmsg(fd, message, flags);
}

ssize_t fault_own_recvmsg_epoll_message(const fault_error *error, int fd, struct msghdr *message, int flags) {
  return fault_own_recvmsg(error, fd, message, flags);
}

ssize_t fault_own_recv_epoll_bytes(const fault_error *error, int fd, void *memory, size_t size, int flags) {
  if (error != NULL) {
    own__fail(error, fd);
    return -1;
  }
  return recv(fd, memory, size, flags);
}

ssize_t fault_own_send(const fault_error *error, int fd, const void *memory, size_t size, int flags) {
  if (error != NULL) {
    own__fail(error, fd);
    return -1;
  }
  return send(fd, memory, size, flags);
}

ssize_t fault_own_sendmsg(const fault_error *error, int fd, const struct msghdr *message, int flags) {
  if (error != NULL) {
    own__fail(error, fd);
    return -1;
  }
  return sendmsg(fd, message, flags);
}

/* ---- memory ---- */

void *fault_own_calloc(const fault_error *error, size_t count, size_t size) {
  if (error != NULL) {
    errno = (int)error->code;
    return NULL;
  }
  return calloc(count, size);
}

void fault_own_free(const fault_error *error, void *memory) {
  (void)error;
  free(memory);
}

/* ---- syscall: an extension, a function of any arguments called as one of these ---- */

/* A sleep may end for nothing; a wake wakes, whatever it says. */
long fault_own_syscall_epoll_lock(const fault_error *error, long number, void *word, int operation, unsigned int value,
    void *timeout, void *word2, unsigned int value3) {
  bool wakes = (operation & FUTEX_CMD_MASK) == FUTEX_WAKE;
  long done = error == NULL || wakes ? syscall(number, word, operation, value, timeout, word2, value3) : -1;
  if (error != NULL) {
    errno = (int)error->code;
    return -1;
  }
  return done;
}

void (*fault_before_exchange)(const char *path);

long fault_own_syscall_epoll_name(const fault_error *error, long number, int from_folder, const char *from,
    int to_folder, const char *to, unsigned int flags) {
  if (error != NULL) {
    errno = (int)error->code;
    return -1;
  }
  void (*before)(const char *path) = fault_before_exchange;
  if (before != NULL && flags == RENAME_EXCHANGE) {
    fault_before_exchange = NULL;
    before(to);
  }
  return syscall(number, from_folder, from, to_folder, to, flags);
}

/* ---- what nps.h should say of a code ---- */

static int32_t own__connect_status(uint32_t code) {
  switch (code) {
  case EAGAIN:
    return NPS_E_PIPE_BUSY;
  case ECONNREFUSED:
  case ENOENT:
    return NPS_E_NOT_FOUND;
  case EPROTOTYPE:
    return NPS_E_NOT_A_PIPE;
  default:
    return 0;
  }
}

int32_t fault_status_of(const char *import, uint32_t code) {
  int32_t special = strcmp(import, "connect") == 0 ? own__connect_status(code) : 0;
  if (special != 0) {
    return special;
  }
  if (strcmp(import, "open") == 0 && (code == EISDIR || code == ELOOP)) {
    return NPS_E_ACCESS_DENIED;
  }
  if ((strcmp(import, "recv") == 0 || strcmp(import, "recvmsg") == 0) && code == ECONNRESET) {
    return NPS_END_OF_STREAM;
  }
  if (strcmp(import, "epoll_ctl") == 0 && code == ENOSPC) {
    return NPS_E_OUT_OF_MEMORY; /* the user's limit of watched descriptors */
  }
  switch (code) {
  case EMFILE:
  case ENFILE:
    return NPS_E_TOO_MANY_HANDLES;
  case ENOMEM:
  case ENOBUFS:
    return NPS_E_OUT_OF_MEMORY;
  case EACCES:
  case EPERM:
    return NPS_E_ACCESS_DENIED;
  case EPIPE:
  case ECONNRESET:
    return NPS_E_BROKEN_PIPE;
  case ENOTCONN:
    return NPS_E_NOT_CONNECTED;
  default:
    return NPS_E_IO;
  }
}

/* Taking a name: the place is never as it was looked at; a server whose backlog is full lives. */
bool fault_may_mean(const char *import, uint32_t code, int64_t result) {
  bool moved = strcmp(import, "syscall") == 0 && (code == EEXIST || code == ENOENT);
  bool busy = strcmp(import, "connect") == 0 && code == EAGAIN;
  return (moved || busy) && nps_result_status(result) == NPS_E_ACCESS_DENIED && nps_result_detail(result) == EADDRINUSE;
}
