/* os.h - what a backend must provide, and all that core knows of an operating system.
 *
 * The contract is completion-shaped because the hardest backend (IOCP) is. Core hands an operation (os_op) to the system;
 * it completes exactly once. A backend whose system speaks of readiness (epoll) sets `os_direct_io`: core then moves bytes with
 * os_pipe_take and os_pipe_give, and uses operations only as probes ("tell me when a take/give makes sense").
 *
 * os_types.h is the backend's own header, found through the include path: os_lock, os_signal and os_op_state. One backend is
 * linked into a library; CMake chooses it.
 *
 * THREADS. Functions that take an os_pipe are called under core's lock of that pipe, so calls for one pipe never overlap. Those
 * that take an os_port may be called from any thread at any time; only os_port_wait is called by one thread at a time. No
 * function but os_port_wait, os_sleep_ms, os_lock_enter and os_signal_wait blocks. Lock order: core's pipe lock, then core's poll
 * lock, and under either the backend's own locks; os_port_wait is entered with no lock held.
 *
 * RESULTS are nps_result: status and the system's raw code. Errors are mapped once, in the backend.
 */
#ifndef NPS_OS_H
#define NPS_OS_H

#include <stdbool.h>

#include "nps.h"
#include "os_types.h"

typedef struct os_port os_port; /* a queue of completions: an IOCP, an epoll instance */
typedef struct os_pipe os_pipe; /* one end of a pipe */

/* true: bytes move by take/give, OS_READ and OS_WRITE are never started. false: OS_WRITE_PROBE, OS_CLOSE_PROBE and os_pipe_give
 * are never used; OS_READ_PROBE and os_pipe_take serve pipes that hold no read-ahead buffer. */
extern const bool os_direct_io;

typedef enum os_op_kind {
  OS_CONNECT,     /* completes when a client has connected */
  OS_READ,        /* completes when `memory` holds between 1 and `length` bytes, of one message; or 0, an empty message */
  OS_READ_PROBE,  /* completes when a take makes sense: data, end of stream or an error */
  OS_WRITE,       /* completes when `length` bytes of `memory` are in the system's hands */
  OS_WRITE_PROBE, /* completes when a give makes sense */
  OS_CLOSE_PROBE  /* completes when the peer will send no more, read or unread data notwithstanding */
} os_op_kind;

/* One operation. Owned by the backend from a start that answered OS_PENDING until its completion came out of os_port_wait or
 * os_pipe_cancel answered true; by core otherwise. `state` is zeroed by core when the op is made and belongs to the backend. */
typedef struct os_op {
  os_op_state state;
  void *memory; /* OS_READ, OS_WRITE: not moved, not freed while the operation is pending (rule 5) */
  uint32_t length;
  os_op_kind kind;
} os_op;

#define OS_MAX_MESSAGE 16777216u /* bytes of a message that core accepts; the system may take less */

#define OS_PEER_CLOSED 1u /* the peer will send no more (it may still have unread data here) */
#define OS_DRAINED 2u     /* take: nothing is left now; the next news comes through a READ_PROBE */
#define OS_MORE 4u        /* message mode, READ and take: a part, the message goes on. READ_PROBE, unless os_direct_io: a message is there;
                             without it the probe has consumed an empty one */

typedef struct os_completion {
  os_op *op;
  nps_result result; /* NPS_OK, NPS_END_OF_STREAM, NPS_WOULD_BLOCK (take, give) or an error; a cancelled operation ends with
                        NPS_E_CLOSED */
  uint32_t bytes;
  uint32_t flags;
} os_completion;

typedef enum os_start {
  OS_DONE,    /* done or failed now, *done says how; no completion will come */
  OS_PENDING  /* exactly one completion will come (also where the call succeeded but its packet is owed) */
} os_start;

/* ---- port ---- */

nps_result os_port_create(os_port **port);

/* pre: no operation pending, no thread inside os_port_wait. */
void os_port_destroy(os_port *port);

/* Fills at most `capacity` (>= 1) completions. timeout_ms as in nps_poll_wait; may return early with none. Never answers an
 * error for what one pipe did. */
nps_result os_port_wait(os_port *port, os_completion *completions, uint32_t capacity, int64_t timeout_ms, uint32_t *count);

/* Makes os_port_wait, running or next, return. */
nps_result os_port_wake(os_port *port);

/* ---- pipe: making and ending ---- */

/* The options are complete and in range, save the name, which is valid UTF-8, not empty: its rules are the backend's. */
nps_result os_pipe_create(const nps_server_options *options, os_pipe **pipe);
nps_result os_pipe_open(const nps_client_options *options, os_pipe **pipe); /* one try, timeout_ms is core's */

typedef struct os_adopted {
  uint32_t direction; /* nps_direction */
  bool server;
  bool connected;
  bool message;
} os_adopted;
nps_result os_pipe_adopt(intptr_t os_handle, os_adopted *adopted, os_pipe **pipe);

nps_result os_pipe_handle(os_pipe *pipe, intptr_t *os_handle);

/* Ends the pipe and frees it; the handle stays open if `keep_handle`. Operations that are still pending complete all the same,
 * each once; core has asked os_pipe_cancel for each of them before. */
void os_pipe_close(os_pipe *pipe, bool keep_handle);

/* Binds to a port, once. */
nps_result os_pipe_bind(os_pipe *pipe, os_port *port);

/* ---- pipe: I/O ---- pre: bound */

/* Starts op->kind. At most one operation of {CONNECT, READ, READ_PROBE, CLOSE_PROBE} and one of {WRITE, WRITE_PROBE} of the
 * current connection is pending; those of a connection that was disconnected may linger beside them.
 * *done: CONNECT: NPS_OK when a client is there or came and left. READ: NPS_OK with bytes > 0, NPS_END_OF_STREAM. */
os_start os_pipe_start(os_pipe *pipe, os_op *op, os_completion *done);

/* Asks for the end of a pending operation. true: core has it back, no completion will come. false: its completion will come,
 * cancelled or not. `closing`: os_pipe_close follows under the same hold of the pipe's lock, so that a backend whose close ends
 * what is pending may leave it to that. */
bool os_pipe_cancel(os_pipe *pipe, os_op *op, bool closing);

/* Reads what is there now into the caller's buffers, or into the first of them alone; none is empty; count > 0. NPS_OK with
 * bytes > 0 (OS_DRAINED when known to be all), NPS_WOULD_BLOCK, NPS_END_OF_STREAM, NPS_E_OUT_OF_MEMORY (nothing was read), or
 * an error. Message mode: count may be 0; NPS_OK also with no bytes: an empty message, or with OS_MORE one that is not. */
void os_pipe_take(os_pipe *pipe, const nps_buffer *buffers, uint32_t count, os_completion *done);

/* Writes what fits now of the caller's buffers; together not empty and less than 2 GiB. NPS_OK with 0 < bytes, NPS_WOULD_BLOCK,
 * or an error. Message mode: all or nothing, and may be empty; NPS_E_INVALID_ARGUMENT: too long. */
void os_pipe_give(os_pipe *pipe, const nps_buffer *buffers, uint32_t count, os_completion *done);

/* A CONNECT completion came with NPS_OK: install its client in the pipe (current connection), or let it go to the next waiting
 * instance (the connect was cancelled, or the pipe closed, meanwhile). */
void os_pipe_accept(os_pipe *pipe, os_op *op);
void os_op_discard(os_op *op);

/* Server: ends the connection; the pipe can CONNECT again. Core has asked os_pipe_cancel for each pending operation before. */
nps_result os_pipe_disconnect(os_pipe *pipe);

/* Server: no CONNECT will be started again. The connection goes on. pre: connected; once */
void os_pipe_retire(os_pipe *pipe);

/* Writes no more: the peer reads what was written, then the end. NPS_E_NOT_SUPPORTED. pre: connected */
nps_result os_pipe_shutdown(os_pipe *pipe);

/* ---- pipe: what is known of it ---- bound or not; never blocking, whatever is pending */

typedef struct os_info {
  uint32_t in_buffer_size; /* as in nps_info */
  uint32_t out_buffer_size;
  uint32_t max_instances;
  uint32_t instances;
  uint32_t max_message;
} os_info;

/* *info is zeroed. */
nps_result os_pipe_info(os_pipe *pipe, os_info *info);

/* What a take would give now, of which up to `size` bytes (may be 0) are copied. `bytes`: how many; *available: how many there are, in
 * message mode of the next message or what is left of it. Results as of take. pre: connected */
void os_pipe_peek(os_pipe *pipe, void *memory, uint32_t size, uint64_t *available, os_completion *done);

/* What the peer has not read yet of what was given or written. NPS_E_NOT_SUPPORTED. pre: connected */
nps_result os_pipe_unread(os_pipe *pipe, uint64_t *unread);

/* As nps_pipe_peer_process, nps_pipe_peer_user, nps_pipe_impersonate, nps_revert. `server`: whether this is the server end. pre:
 * connected */
nps_result os_pipe_peer_process(os_pipe *pipe, bool server, uint32_t *process_id);
nps_result os_pipe_peer_user(os_pipe *pipe, bool server, char *user, size_t size);
nps_result os_pipe_impersonate(os_pipe *pipe);
nps_result os_revert(void);

/* ---- locks, time, memory ---- */

void os_lock_init(os_lock *lock);
void os_lock_destroy(os_lock *lock);
void os_lock_enter(os_lock *lock);
void os_lock_leave(os_lock *lock);

void os_signal_init(os_signal *signal);
void os_signal_destroy(os_signal *signal);
void os_signal_wait(os_signal *signal, os_lock *lock); /* a condition: may wake for nothing */
void os_signal_all(os_signal *signal);

uint64_t os_now_ms(void); /* monotonic */
void os_sleep_ms(uint32_t ms);

void *os_alloc(size_t size); /* zeroed; null when there is none */
void os_free(void *memory);

#endif
