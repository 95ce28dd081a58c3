/* listener_table.c - the listeners of this process by path: the first server instance of a name takes it, the last one
 * that was not retired gives it up. */
#include "epoll.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TABLE_BUCKETS 256u

/* Guards s_buckets and what epoll.h says, for a few instructions. A name is taken and given up without it, since that may wait for other
 * processes: meanwhile its listener is `busy`, and who comes for the same path waits, so that instances of one process never compete. */
static os_lock s_lock; /* all zero: free */
static os_signal s_settled; /* a listener is busy no more */
static ep_listener *s_buckets[TABLE_BUCKETS];

static ep_listener **table__bucket(const char *path) {
  uint32_t hash = 2166136261u; /* FNV-1a */
  for (const char *at = path; *at != '\0'; at++) {
    hash = (hash ^ (uint8_t)*at) * 16777619u;
  }
  return &s_buckets[hash % TABLE_BUCKETS];
}

static ep_listener *table__find(const char *path) {
  ep_listener *listener = *table__bucket(path);
  while (listener != NULL && strcmp(listener->path, path) != 0) {
    listener = listener->next;
  }
  return listener;
}

static void table__insert(ep_listener *listener) {
  ep_listener **bucket = table__bucket(listener->path);
  listener->next = *bucket;
  *bucket = listener;
  listener->busy = true;
}

static void table__remove(ep_listener *listener) {
  ep_listener **link = table__bucket(listener->path);
  while (*link != listener) {
    link = &(*link)->next;
  }
  *link = listener->next;
}

static void table__settle(ep_listener *listener) {
  listener->busy = false;
  os_signal_all(&s_settled);
}

/* pre: table lock held, which is left meanwhile. */
static nps_result table__add(const char *path, const ep_access *access, uint32_t max_instances, ep_listener **added) {
  ep_listener *listener = os_alloc(sizeof *listener);
  if (listener == NULL) {
    return ep_result(NPS_E_OUT_OF_MEMORY, ENOMEM);
  }
  os_lock_init(&listener->lock);
  memcpy(listener->path, path, strlen(path) + 1);
  listener->uid = geteuid();
  listener->access = *access;
  listener->max_instances = max_instances;
  listener->open = true;
  table__insert(listener);
  os_lock_leave(&s_lock);
  nps_result result = ep_name_take(path, access, &listener->name);
  os_lock_enter(&s_lock);
  table__settle(listener);
  if (result != NPS_OK) {
    table__remove(listener);
    os_lock_destroy(&listener->lock);
    os_free(listener);
    return result;
  }
  *added = listener;
  return NPS_OK;
}

static ep_access table__access(const nps_server_options *options) {
  bool by_mode = options->security == NPS_SECURITY_FILE_MODE;
  return (ep_access){.type = options->mode == NPS_MODE_MESSAGE ? SOCK_SEQPACKET : SOCK_STREAM,
      .mode = by_mode ? options->file_mode : 0600,
      .group = options->file_group,
      .anybody = by_mode};
}

/* All instances of a name agree: the first one's file is there already. */
static bool table__agrees(const ep_listener *listener, const ep_access *access) {
  return listener->access.type == access->type && listener->access.mode == access->mode &&
         listener->access.group == access->group && listener->access.anybody == access->anybody;
}

nps_result ep_listener_join(const nps_server_options *options, ep_listener **joined) {
  char path[EP_PATH_LIMIT + 1];
  nps_result result = ep_path_of(options->name, options->mode, path);
  if (result != NPS_OK) {
    return result;
  }
  ep_access access = table__access(options);
  os_lock_enter(&s_lock);
  ep_listener *listener = table__find(path);
  while (listener != NULL && listener->busy) {
    os_signal_wait(&s_settled, &s_lock);
    listener = table__find(path);
  }
  if (listener == NULL) {
    result = table__add(path, &access, options->max_instances, &listener);
  } else if ((options->flags & NPS_SERVER_FIRST_INSTANCE) != 0 || !table__agrees(listener, &access)) {
    result = ep_result(NPS_E_ACCESS_DENIED, EADDRINUSE);
  } else if (listener->max_instances != NPS_UNLIMITED_INSTANCES && listener->instances >= listener->max_instances) {
    result = ep_result(NPS_E_PIPE_BUSY, 0);
  }
  if (result == NPS_OK) {
    listener->instances++;
    listener->listening++;
    ep_listener_reference(listener);
    *joined = listener;
  }
  os_lock_leave(&s_lock);
  return result;
}

/* pre: table lock held, which is left meanwhile. With the last one the path is anybody's, also a new listener's of this process; who still
 * has this one has it for its connections alone. */
static void table__one_less(ep_listener *listener) {
  if (--listener->listening == 0) {
    listener->busy = true;
    os_lock_leave(&s_lock);
    ep_listener_shut(listener);
    os_lock_enter(&s_lock);
    table__remove(listener);
    table__settle(listener);
  }
}

void os_pipe_retire(os_pipe *pipe) {
  pipe->retired = true;
  ep_listener_leave_seat(pipe->listener, pipe); /* so that a listener which is shut has none */
  os_lock_enter(&s_lock);
  table__one_less(pipe->listener);
  os_lock_leave(&s_lock);
}

void ep_listener_leave(ep_listener *listener, os_pipe *pipe) {
  ep_listener_leave_seat(listener, pipe);
  os_lock_enter(&s_lock);
  listener->instances--;
  if (!pipe->retired) {
    table__one_less(listener);
  }
  os_lock_leave(&s_lock);
  ep_listener_release(listener);
}

void ep_listener_count(const ep_listener *listener, uint32_t *instances, uint32_t *max_instances) {
  os_lock_enter(&s_lock);
  *instances = listener->instances;
  *max_instances = listener->max_instances;
  os_lock_leave(&s_lock);
}

void ep_listener_reference(ep_listener *listener) {
  atomic_fetch_add_explicit(&listener->references, 1, memory_order_relaxed);
}

void ep_listener_release(ep_listener *listener) {
  if (atomic_fetch_sub_explicit(&listener->references, 1, memory_order_acq_rel) == 1) {
    os_lock_destroy(&listener->lock);
    os_free(listener);
  }
}
