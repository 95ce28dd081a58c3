/* name.c - taking a path for a listening socket, and giving it up, without ever removing what is not a dead socket. */
#include "epoll.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME_TAKE_LIMIT_MS 2000u /* others hold it for a few system calls; longer is a process that was stopped */
#define NAME_LEAVE_LIMIT_MS 50u /* close must not hang */
#define NAME_ATTEMPTS 64
#define NAME_MOVE_NEW 1u /* renameat2's RENAME_NOREPLACE */
#define NAME_MOVE_SWAP 2u /* renameat2's RENAME_EXCHANGE */

typedef struct name__place {
  struct stat found; /* valid if `stale` */
  bool stale; /* a dead socket is there */
} name__place;

/* Who is at the path? NPS_OK: nobody, or a dead socket. */
static nps_result name__look(const char *path, int type, name__place *place) {
  place->stale = false;
  if (lstat(path, &place->found) != 0) {
    return errno == ENOENT ? NPS_OK : ep_error(errno);
  }
  if (!S_ISSOCK(place->found.st_mode)) {
    return ep_result(NPS_E_NOT_A_PIPE, ENOTSOCK);
  }
  int probe = -1;
  bool plain;
  int error = ep_socket_connect(path, type, &probe, &plain);
  if (error == 0) {
    close(probe); /* the living server sees a client that came and left */
  }
  switch (error) {
  case 0:
  case EAGAIN: /* alive, with a full backlog */
    return ep_result(NPS_E_ACCESS_DENIED, EADDRINUSE);
  case ECONNREFUSED:
    place->stale = true;
    return NPS_OK;
  case ENOENT: /* gone meanwhile */
    return NPS_OK;
  case EPROTOTYPE:
    return ep_result(NPS_E_NOT_A_PIPE, EPROTOTYPE);
  default:
    return ep_error(error);
  }
}

/* A name in the folder of `path` that nobody else chooses, and never a longer one than fits. */
static nps_result name__temporary(const char *path, char *temporary) {
  static const char s_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
  static const char s_prefix[] = ".nps-";
  const char *slash = strrchr(path, '/');
  size_t length = slash == NULL ? 0 : (size_t)(slash - path) + 1;
  size_t room = EP_PATH_LIMIT - length;
  uint8_t random[12];
  while (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) { /* so few come whole */
    if (errno != EINTR) {
      return ep_error(errno);
    }
  }
  memcpy(temporary, path, length);
  if (room >= sizeof s_prefix - 1 + sizeof random) {
    memcpy(temporary + length, s_prefix, sizeof s_prefix - 1);
    length += sizeof s_prefix - 1;
  }
  for (size_t i = 0; i < sizeof random && length < EP_PATH_LIMIT; i++) {
    temporary[length++] = s_letters[random[i] % (sizeof s_letters - 1)];
  }
  temporary[length] = '\0';
  return NPS_OK;
}

static nps_result name__bind_temporary(int fd, const char *path, char *temporary) {
  int error = EADDRINUSE;
  for (int attempt = 0; attempt < NAME_ATTEMPTS && error == EADDRINUSE; attempt++) {
    nps_result result = name__temporary(path, temporary);
    if (result != NPS_OK) {
      return result;
    }
    if (strcmp(temporary, path) != 0) {
      struct sockaddr_un address = {.sun_family = AF_UNIX};
      memcpy(address.sun_path, temporary, strlen(temporary) + 1);
      error = bind(fd, (const struct sockaddr *)&address, (socklen_t)sizeof address) == 0 ? 0 : errno;
    }
  }
  return error == 0 ? NPS_OK : ep_error(error);
}

/* chmod that follows no link: the folder may be one that others can write. (fchmodat does it this way too, but not in every libc.) */
static int name__set_mode(const char *file, mode_t mode) {
  char same[32];
  int fd = open(file, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    return errno;
  }
  (void)snprintf(same, sizeof same, "/proc/self/fd/%d", fd);
  struct stat opened;
  int error = fstat(fd, &opened) != 0 ? errno : !S_ISSOCK(opened.st_mode) ? EACCES : chmod(same, mode) != 0 ? errno : 0;
  close(fd);
  return error;
}

/* Gives the file its group and mode; 0 or an errno. */
static int name__protect(const char *file, const struct stat *made, const ep_access *access) {
  if (access->group != NPS_NO_GROUP && access->group != made->st_gid &&
      lchown(file, (uid_t)-1, (gid_t)access->group) != 0) {
    return errno;
  }
  return (made->st_mode & 07777u) == access->mode ? 0 : name__set_mode(file, access->mode);
}

/* A listening socket at a temporary path, for those who may connect only before the first client could. */
static nps_result name__listen(const char *path, const ep_access *access, char *temporary, ep_name *name) {
  struct stat made;
  name->fd = ep_socket_new(access->type, &name->plain);
  if (name->fd < 0) {
    return ep_error(errno);
  }
  (void)fchmod(name->fd, 0600); /* Linux gives the socket's mode to the file that bind makes */
  nps_result result = name__bind_temporary(name->fd, path, temporary);
  if (result != NPS_OK) {
    goto close_socket;
  }
  if (lstat(temporary, &made) != 0) {
    result = ep_error(errno);
    goto remove_file;
  }
  int error = name__protect(temporary, &made, access);
  if (error != 0 || listen(name->fd, SOMAXCONN) != 0) {
    result = ep_error(error != 0 ? error : errno);
    goto remove_file;
  }
  name->device = made.st_dev;
  name->inode = made.st_ino;
  return NPS_OK;
remove_file:
  unlink(temporary);
close_socket:
  close(name->fd);
  return result;
}

static int name__rename(const char *from, const char *to, uint32_t how) {
  return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, how) == 0 ? 0 : errno;
}

/* Only the dead socket that was probed is thrown away. Once it is gone its number can be a new file's, which was made later. */
static bool name__is_same(const struct stat *now, const struct stat *probed) {
  return now->st_dev == probed->st_dev && now->st_ino == probed->st_ino &&
         now->st_mtim.tv_sec == probed->st_mtim.tv_sec && now->st_mtim.tv_nsec == probed->st_mtim.tv_nsec;
}

/* What was exchanged for our socket is another server's, which was quicker: it gets its name back. */
static nps_result name__put_back(char *temporary, const char *path) {
  int error = name__rename(temporary, path, NAME_MOVE_SWAP);
  if (error == 0) {
    return NPS_WOULD_BLOCK;
  }
  if (rename(temporary, path) != 0) {
    temporary[0] = '\0'; /* not ours to remove */
  }
  return ep_error(error);
}

/* Moves the socket into place. NPS_WOULD_BLOCK: what is there is not what was looked at (a server that knows nothing of
 * our lock was quicker), look again. */
static nps_result name__move(char *temporary, const char *path, const name__place *place) {
  struct stat old;
  int error = name__rename(temporary, path, place->stale ? NAME_MOVE_SWAP : NAME_MOVE_NEW);
  if (error == EINVAL || error == ENOSYS) { /* a file system that can only rename */
    return rename(temporary, path) == 0 ? NPS_OK : ep_error(errno);
  }
  if (error == EEXIST || error == ENOENT) {
    return NPS_WOULD_BLOCK;
  }
  if (error != 0) {
    return ep_error(error);
  }
  if (!place->stale) {
    return NPS_OK;
  }
  if (lstat(temporary, &old) == 0 && name__is_same(&old, &place->found)) {
    unlink(temporary);
    return NPS_OK;
  }
  return name__put_back(temporary, path);
}

static nps_result name__take_locked(const char *path, const ep_access *access, ep_name *name) {
  char temporary[EP_PATH_LIMIT + 1];
  name__place place;
  nps_result result = name__look(path, access->type, &place);
  if (result != NPS_OK) {
    return result;
  }
  result = name__listen(path, access, temporary, name);
  if (result != NPS_OK) {
    return result;
  }
  result = name__move(temporary, path, &place);
  for (int attempt = 1; result == NPS_WOULD_BLOCK && attempt < NAME_ATTEMPTS; attempt++) {
    result = name__look(path, access->type, &place);
    if (result == NPS_OK) {
      result = name__move(temporary, path, &place);
    }
  }
  if (result == NPS_OK) {
    return NPS_OK;
  }
  unlink(temporary);
  close(name->fd);
  return result == NPS_WOULD_BLOCK ? ep_result(NPS_E_ACCESS_DENIED, EADDRINUSE) : result;
}

nps_result ep_name_take(const char *path, const ep_access *access, ep_name *name) {
  ep_lockfile lock;
  nps_result result = ep_lockfile_take(&lock, path, NAME_TAKE_LIMIT_MS);
  if (result == NPS_OK) {
    result = name__take_locked(path, access, name);
    ep_lockfile_release(&lock);
  }
  return result;
}

static bool name__is_ours(const char *path, const ep_name *name) {
  struct stat there;
  /* Another server may have put its own socket there. It cannot have ours' number: the inode lives as long as the
   * listening socket. */
  return lstat(path, &there) == 0 && there.st_dev == name->device && there.st_ino == name->inode;
}

/* pre: the lock file is held. Unlinks our socket. A server that knows nothing of the lock may replace it between a look
 * and an unlink: so it is moved aside, looked at again, and put back if it is not ours. */
static void name__remove(const char *path, const ep_name *name) {
  char aside[EP_PATH_LIMIT + 1];
  if (!name__is_ours(path, name)) {
    return;
  }
  if (name__temporary(path, aside) != NPS_OK || name__rename(path, aside, NAME_MOVE_NEW) != 0) {
    unlink(path); /* a file system that cannot do that */
  } else if (name__is_ours(aside, name) || name__rename(aside, path, NAME_MOVE_NEW) != 0) {
    unlink(aside);
  }
}

void ep_name_give_up(const char *path, ep_name *name) {
  ep_lockfile lock;
  if (ep_lockfile_take(&lock, path, NAME_LEAVE_LIMIT_MS) == NPS_OK) {
    name__remove(path, name);
    close(name->fd);
    ep_lockfile_release(&lock);
  } else {
    close(name->fd); /* a dead socket stays: the next server replaces it */
  }
}
