/* lockfile.c - one process at a time decides about a path. The lock is flock on a file beside it, which no short name of a pipe is at; the
 * file is unlinked before the lock is let go, so that none stays behind, and so a lock counts only if the file is still the one at the
 * path. */
#include "epoll.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* One try: NPS_OK; NPS_WOULD_BLOCK: somebody else has it, or had it a moment ago; or an error. */
static nps_result lockfile__try(ep_lockfile *lock) {
  struct stat held;
  struct stat there;
  nps_result result = NPS_WOULD_BLOCK;
  lock->fd = open(lock->path, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
  if (lock->fd < 0) {
    if (errno == EINTR) {
      return NPS_WOULD_BLOCK;
    }
    /* A link or a folder at our lock's path is somebody's attempt to keep us out (O4). */
    return errno == ELOOP || errno == EISDIR ? ep_result(NPS_E_ACCESS_DENIED, (uint32_t)errno) : ep_error(errno);
  }
  if (fstat(lock->fd, &held) != 0) {
    result = ep_error(errno);
  } else if (!S_ISREG(held.st_mode) || held.st_uid != geteuid()) {
    result = ep_result(NPS_E_ACCESS_DENIED, EACCES);
  } else if (flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
    result = errno == EWOULDBLOCK || errno == EINTR ? NPS_WOULD_BLOCK : ep_error(errno);
  } else if (lstat(lock->path, &there) == 0 && there.st_dev == held.st_dev && there.st_ino == held.st_ino) {
    return NPS_OK;
  }
  close(lock->fd);
  return result;
}

nps_result ep_lockfile_take(ep_lockfile *lock, const char *path, uint32_t limit_ms) {
  const char *slash = strrchr(path, '/');
  size_t folder = slash == NULL ? 0 : (size_t)(slash - path) + 1;
  memcpy(lock->path, path, folder);
  memcpy(lock->path + folder, EP_LOCK_PREFIX, sizeof EP_LOCK_PREFIX - 1);
  memcpy(lock->path + folder + sizeof EP_LOCK_PREFIX - 1, path + folder, strlen(path + folder) + 1);
  uint64_t deadline = os_now_ms() + limit_ms;
  for (;;) {
    nps_result result = lockfile__try(lock);
    if (result != NPS_WOULD_BLOCK) {
      return result;
    }
    if (os_now_ms() >= deadline) {
      return ep_result(NPS_E_TIMED_OUT, EWOULDBLOCK);
    }
    os_sleep_ms(1);
  }
}

void ep_lockfile_release(ep_lockfile *lock) {
  unlink(lock->path);
  close(lock->fd);
}
