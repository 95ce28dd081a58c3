/* epoll.h - what the files of the Linux backend share. Read README.md first.
 *
 * LOCKS, in the order in which they are taken; the name in a field's comment is the lock that guards it:
 *     pipe lock       core's, of the pipe; held by the caller of every os_pipe_ function
 *     table lock      the process's listeners (listener_table.c); held for a few instructions
 *     listener lock   one for each listener
 *     port lock       one for each port; nothing but a few instructions and epoll_ctl runs under it
 * "constant" fields are written before the object is shared. Atomics are written by two sides; their comment says how.
 */
#ifndef NPS_EPOLL_H
#define NPS_EPOLL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4, SO_PEERCRED. NOLINT(bugprone-reserved-identifier) */
#endif

#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "../os.h"

typedef struct ep_listener ep_listener;
typedef struct ep_seat ep_seat;

/* ---- error.c ---- */

static inline nps_result ep_result(int32_t status, uint32_t detail) {
  return (nps_result)((uint64_t)(uint32_t)status << 32 | detail);
}

/* The status for an errno of which the caller knows nothing more special. */
nps_result ep_error(int error);

/* Of epoll_ctl, where ENOSPC is the user's limit of watched descriptors (max_user_watches): want that passes, and no failure of the
 * connection. */
nps_result ep_watch_error(int error);

/* ---- path.c ---- */

#define EP_PATH_LIMIT 107u /* bytes of a path that fit sun_path with their NUL */

/* Where the pipe of that name and nps_mode is: `path` holds EP_PATH_LIMIT + 1 bytes. NPS_E_INVALID_ARGUMENT,
 * NPS_E_NAME_TOO_LONG. */
nps_result ep_path_of(const char *name, uint32_t mode, char *path);

/* ---- lockfile.c ---- a lock on a path between the processes of one user: `NpsLock_<file>` in its folder, there only while held */

#define EP_LOCK_PREFIX "NpsLock_"

typedef struct ep_lockfile {
  char path[EP_PATH_LIMIT + sizeof EP_LOCK_PREFIX];
  int fd;
} ep_lockfile;

/* NPS_E_TIMED_OUT after limit_ms; NPS_E_ACCESS_DENIED if the lock file is not ours. */
nps_result ep_lockfile_take(ep_lockfile *lock, const char *path, uint32_t limit_ms);
void ep_lockfile_release(ep_lockfile *lock);

/* ---- name.c ---- a path with a listening socket of ours at it */

typedef struct ep_name {
  dev_t device; /* of the socket file that we made */
  ino_t inode;
  int fd; /* the listening socket */
  bool plain; /* its connections carry no descriptors */
} ep_name;

/* Who may connect to it, and how. */
typedef struct ep_access {
  int type; /* SOCK_STREAM or SOCK_SEQPACKET */
  uint32_t mode; /* of the file */
  uint32_t group; /* likewise, or NPS_NO_GROUP */
  bool anybody; /* the file's mode decides, not the peer's credentials */
} ep_access;

/* Takes the path, replacing a dead socket but nothing else. May wait for another process that is doing the same.
 * NPS_E_ACCESS_DENIED with EADDRINUSE: a living server has it. NPS_E_NOT_A_PIPE: no socket is there; not touched. */
nps_result ep_name_take(const char *path, const ep_access *access, ep_name *name);

/* Removes the socket file if it is still ours, and closes the listening socket. */
void ep_name_give_up(const char *path, ep_name *name);

/* ---- socket.c ---- */

/* A socket of that type, or -1 and errno. *plain: it carries bytes and never a descriptor, and so do those that it accepts. */
int ep_socket_new(int type, bool *plain);

/* The same, connected to the server at `path`: 0, or the errno of connect. EAGAIN: its backlog is full. */
int ep_socket_connect(const char *path, int type, int *fd, bool *plain);

/* 0 if the process at the other end runs as `uid`, or as root if `or_root`; EACCES if not, or the errno of asking. */
int ep_socket_check_peer(int fd, uid_t uid, bool or_root);

/* NPS_OK if it is a connected socket of the AF_UNIX family, with a stream or with messages; else why it cannot be adopted. */
nps_result ep_socket_adoptable(intptr_t os_handle, bool *message);

/* Closes the half that `direction` does not use, so that the peer sees the end of it; sets the kernel's buffer sizes
 * where they are not 0. A connection of messages has begun. */
void ep_socket_shape(int fd, bool message, uint32_t direction, uint32_t in_buffer_size, uint32_t out_buffer_size);

/* ---- port.c ---- */

typedef enum ep_slot_kind {
  EP_SLOT_FREE,
  EP_SLOT_PIPE, /* owner: os_pipe */
  EP_SLOT_SEAT /* owner: ep_seat */
} ep_slot_kind;

/* What an epoll entry stands for. The kernel is given (generation, index), never a pointer: what it hands back may be
 * older than the owner's end (rule 4). */
typedef struct ep_slot {
  union {
    void *owner;
    uint32_t next_free;
  } u;
  uint32_t generation;
  ep_slot_kind kind;
} ep_slot;

struct os_port {
  os_lock lock; /* the port lock */
  int epoll_fd; /* constant */
  int wake_fd; /* constant */
  ep_slot *slots; /* port lock, as all below */
  uint32_t slot_count;
  uint32_t free_slot; /* first of the chain, or EP_NO_SLOT */
  uint32_t references; /* 1 of the owner until os_port_destroy, 1 for each slot in use */
  os_op *queue_first; /* completions that did not fit, or that came from elsewhere */
  os_op *queue_last;
  atomic_bool queued; /* queue_first is not null; written under the port lock, read by the waiter before it sleeps */
};

#define EP_NO_SLOT UINT32_MAX
#define EP_MESSAGE_OVERHEAD 32 /* bytes by which a message must be shorter than the send buffer */
#define EP_MESSAGE_MOST                                                                                                \
  4194304u /* a larger one asks for more memory in one piece than the kernel gives: ENOBUFS, for ever */

/* A slot for `owner`. NPS_E_OUT_OF_MEMORY. */
nps_result ep_port_slot_take(os_port *port, ep_slot_kind kind, void *owner, uint32_t *slot);

/* pre: port lock held. The slot's old events are void from now on. */
void ep_port_slot_renew(os_port *port, uint32_t slot);

/* Gives the slot back: its events are void. The port may be gone when this returns, if it was destroyed before. */
void ep_port_slot_drop(os_port *port, uint32_t slot);

/* pre: port lock held. epoll_ctl for the slot; 0 or an errno. */
int ep_port_control(os_port *port, int operation, int fd, uint32_t events, uint32_t slot);

/* Queues a completion. `wake`: unless the caller is the port's own waiter. */
void ep_port_post(os_port *port, os_op *op, nps_result result, bool wake);

/* ---- pipe.c ---- */

struct os_pipe {
  os_port *port; /* written once, by bind */
  ep_listener *listener; /* constant; null for a client or adopted end */
  ep_seat *seat; /* listener lock */
  os_op *in_probe; /* port lock: pending READ_PROBE or CLOSE_PROBE */
  os_op *out_probe; /* port lock: pending WRITE_PROBE */
  int fd; /* written under pipe lock and port lock, read under either; -1: not connected */
  uint32_t slot; /* as `port` */
  uint32_t armed; /* port lock: events in the epoll set; 0: the descriptor is not in it */
  uint32_t in_buffer_size; /* constant, as the next two */
  uint32_t out_buffer_size;
  uint8_t direction;
  bool inheritable; /* constant */
  bool message; /* constant */
  bool retired; /* pipe lock */
  uint8_t *rest; /* pipe lock, as the next two: a message that the caller has had in part, or null */
  uint32_t rest_size;
  uint32_t rest_taken;
  bool reset; /* pipe lock: the peer closed without reading all */
  bool shared; /* pipe lock: others may hold this descriptor, closing ours does not end its epoll entry */
  bool plain; /* pipe lock: no descriptor is sent with the bytes, unless `shared`: then others may have allowed it */
  /* Set under the port lock when the event comes; edges are cleared under the pipe lock, before the call that uses them
   * up: an edge that comes during the call stays. */
  atomic_bool edge_in; /* something to take since the last take */
  atomic_bool edge_out; /* room since the last give */
  /* Sticky for the connection. */
  atomic_bool peer_done; /* the peer will send no more */
  atomic_bool hung_up; /* and will receive no more */
  atomic_bool split; /* out-of-band bytes: a short read does not mean that there is no more */
};

/* pre: port lock held. Notes an epoll event; `ready` gets the operations (at most two) that it completes: how many. */
uint32_t ep_pipe_event(os_pipe *pipe, uint32_t events, os_op **ready);

/* pre: pipe lock held. The client becomes the pipe's current connection; `plain`: nobody can send it descriptors. */
void ep_pipe_install(os_pipe *pipe, int fd, bool plain);

/* ---- message.c ---- */

/* An nps_buffer is an iovec (bytes.c makes sure); the kernel does not change what it is given. */
static inline struct iovec *ep_vector(const nps_buffer *buffers) {
  return (struct iovec *)(uintptr_t)buffers;
}

/* What tells a message from the end, which message.c has turned on. */
typedef union ep_credentials {
  struct cmsghdr header;
  char
      bytes[CMSG_SPACE(sizeof(struct ucred))]; /* no room for descriptors that somebody sends: the kernel closes them */
} ep_credentials;

/* pre, of all: pipe lock held. A connection of a message pipe begins, ends. */
void ep_message_begin(os_pipe *pipe, int fd);
void ep_message_end(os_pipe *pipe);

/* As os_pipe_take, os_pipe_peek. */
void ep_message_take(os_pipe *pipe, const nps_buffer *buffers, uint32_t count, os_completion *done);
void ep_message_peek(os_pipe *pipe, void *memory, uint32_t size, uint64_t *available, os_completion *done);

/* ---- listener.c, listener_table.c ---- */

/* A listener's place in one port: its descriptor's entry in that epoll set. Made when the first instance of that port
 * has to wait; goes with the last one. All fields: listener lock. */
struct ep_seat {
  ep_seat *next;
  ep_listener *listener; /* constant */
  os_port *port; /* constant */
  uint32_t slot; /* constant */
  uint32_t pipes;
};

/* One for each path that this process serves; all server instances of that name share it. */
struct ep_listener {
  os_lock lock; /* the listener lock */
  atomic_uint references; /* instances, completed connects with a client, and pumps that run */
  ep_name name; /* constant while not `busy` */
  uid_t uid; /* constant: whose clients are let in, and root's, unless `access` lets anybody in */
  ep_access access; /* constant */
  ep_listener *next; /* table lock, as the next four */
  bool busy; /* the name is being taken or given up, and nothing else may be done with it */
  uint32_t instances;
  uint32_t max_instances; /* the first instance's */
  uint32_t listening; /* instances that were not retired; at 0 the name is given up, whoever still lives */
  bool open; /* listener lock, as all below */
  os_op *first_waiter; /* pending CONNECTs, oldest first */
  os_op *last_waiter;
  ep_seat *seats;
  int *spares; /* clients that were accepted for an instance that did not want them any more */
  uint32_t spare_count;
  uint32_t spare_capacity;
  atomic_bool starved; /* the last accept failed: clients may wait without a further edge. Written under the listener
                          lock; read without it by who has just closed a descriptor */
  char path[EP_PATH_LIMIT + 1]; /* constant */
};

/* One more instance of the name in options: a reference, and the listener itself if there was none. */
nps_result ep_listener_join(const nps_server_options *options, ep_listener **listener);

/* The instance's end; pre: none of its operations is waiting. The name goes with the last instance that was not retired. */
void ep_listener_leave(ep_listener *listener, os_pipe *pipe);

/* How many instances there are, and may be. */
void ep_listener_count(const ep_listener *listener, uint32_t *instances, uint32_t *max_instances);

void ep_listener_reference(ep_listener *listener);
void ep_listener_release(ep_listener *listener);

/* OS_CONNECT: as os_pipe_start. */
os_start ep_listener_start(ep_listener *listener, os_pipe *pipe, os_op *op, os_completion *done);
bool ep_listener_cancel(ep_listener *listener, os_op *op);

/* Gives clients to waiting instances until one or the other runs out. `self`: the port whose waiter calls, or null. */
void ep_listener_pump(ep_listener *listener, os_port *self);

/* listener.c for listener_table.c. Nobody waits any more; spare clients are closed. May wait for other processes. */
void ep_listener_shut(ep_listener *listener);
void ep_listener_leave_seat(ep_listener *listener, os_pipe *pipe);

#endif
