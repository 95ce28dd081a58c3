/* nps.h - named pipes by readiness. The C ABI of NamedPipeShim, and its manual.
 *
 * Windows named pipes are driven by completions; programs want readiness: "which of my ten thousand pipes can
 * I read now?". This library turns the one into the other, and offers the same calls on Linux over Unix domain
 * sockets, at the path where .NET's System.IO.Pipes puts them.
 *
 * A program's day:
 *     nps_poll_create                     one poll for each loop (thread)
 *     nps_pipe_create / nps_pipe_open     a server instance / a client
 *     nps_pipe_register                   binds the pipe to the poll, starts it
 *     nps_pipe_connect                    server: accept a client (would-block, then a writable event)
 *     nps_poll_wait                       events: token + readiness
 *     nps_pipe_read / nps_pipe_write      until they answer would-block
 *     nps_pipe_close, nps_pipe_release    end of the pipe, end of its memory
 *     nps_poll_close, nps_poll_release
 *
 * THREADS. Every call may come from any thread, at any time, with two exceptions: one thread at a time may be
 * inside nps_poll_wait of one poll (a second gets NPS_E_WAIT_BUSY), and a release call is the owner's last use of
 * the object: no other call on it may be running or follow. Two threads may read and write one pipe at once.
 * The library creates no thread and calls nothing back. No call may come from a signal handler, and a thread inside a call
 * must not be cancelled or terminated: what it holds would be held for ever. A child of fork must not use the library; and
 * until it ends or calls exec it keeps its parent's connections open, so that their peers see no end.
 *
 * OWNERSHIP. The caller owns every buffer it passes; the library has let go of it when the call returns.
 * Objects come from create/open/adopt and go by release. A pipe keeps its poll's memory alive: the order of
 * release does not matter.
 *
 * EVENTS are edges (as with EPOLLET): readable says "became readable". A direction is armed by register, by
 * reregister, and by a call that emptied (read) or filled (write) the pipe: one that answered NPS_WOULD_BLOCK, or
 * that moved fewer bytes than it was offered. Becoming ready disarms it and yields one event. So: read until
 * would-block or until a read gives fewer bytes than its buffer holds, then wait. A needless event may come; a
 * missing one never.
 *
 * MESSAGES. On a pipe of NPS_MODE_MESSAGE (both ends must say so) a write call is one message, whole or not at all,
 * and a read call gives bytes of one message only:
 *     NPS_OK            the message, or the last part of one, *count bytes; with *count 0 it was an empty message
 *     NPS_MORE_DATA     a part of a message, *count bytes, 0 only if the caller's buffer has size 0; the rest comes with
 *                       the next reads. A part may be smaller than the buffer, where it was read ahead
 *     NPS_WOULD_BLOCK   no message, or the rest is not there yet; NPS_END_OF_STREAM no more messages. *count is 0
 * So read until would-block: a read that gave less than its buffer holds says nothing of what is left, and does not
 * arm. A write of 0 bytes is an empty message. write_limit does not apply; a message may have up to
 * nps_info.max_message bytes.
 *
 * ON DEMAND. With NPS_INTEREST_ON_DEMAND the system is not asked to watch a connection before a call on it has answered
 * NPS_WOULD_BLOCK: for programs that read and write first, and wait only when that fails. A call that answered
 * would-block, connect too, arms as always, and its event comes as always. But
 *     - register, reregister and a connect that answered NPS_OK promise no event: take both directions for ready;
 *     - a short read or write does not arm: go on until would-block;
 *     - the peer's close is told by a read (end of stream) or a write: it is an event only where a call waits.
 * It is a matter of cost, and events may come that were not promised. Linux: the connection enters the epoll set with
 * the first read or write that answered would-block, and stays there until disconnect, as without the bit. Windows:
 * no read is posted before a call wants bytes, which posts one, takes what it brings at once, and answers would-block
 * if that is nothing; so bytes that are there already cost no completion packet. (On a pipe of messages, and on most
 * that were adopted, each read has its packet: would-block first, then the event.) Writing is as without the bit.
 */
#ifndef NPS_H
#define NPS_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#if defined(NPS_BUILD)
#define NPS_API __declspec(dllexport)
#else
#define NPS_API __declspec(dllimport)
#endif
#else
#define NPS_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- versions */

/* Library version, major << 16 | minor << 8 | patch; and the version of this ABI, raised when a program built
 * for the former one could no longer work. Compare NPS_ABI_VERSION with nps_abi_version() at the start. */
#define NPS_VERSION 0x000100
#define NPS_ABI_VERSION 1

NPS_API uint32_t nps_version(void);
NPS_API uint32_t nps_abi_version(void);

/* ---------------------------------------------------------------- results */

/* What a call answers: the status in the upper 32 bits (signed), a detail in the lower 32. So `result < 0` is
 * an error and `result == NPS_OK` is plain success. The detail is
 *     for NPS_E_INVALID_ARGUMENT   which argument or option was wrong: an nps_argument
 *     for NPS_E_NAME_TOO_LONG      the limit, in the units of the system (Windows: UTF-16 units; Linux: bytes)
 *     for every other error        the raw code of the system (GetLastError or errno), 0 where there is none. */
typedef int64_t nps_result;

typedef enum nps_status {
  NPS_OK = 0,
  NPS_WOULD_BLOCK = 1,    /* not now; an event will say when */
  NPS_END_OF_STREAM = 2,  /* the peer closed, all that it sent was read; stays until disconnect or close */
  NPS_MORE_DATA = 3,      /* message mode: this was a part of a message, the rest follows */

  NPS_E_INVALID_ARGUMENT = -1,
  NPS_E_OUT_OF_MEMORY = -2,
  NPS_E_CLOSED = -3,              /* this object was closed here, or its poll was */
  NPS_E_NOT_REGISTERED = -4,
  NPS_E_ALREADY_REGISTERED = -5,  /* with this poll or with another; or bound to another completion port */
  NPS_E_WAIT_BUSY = -6,           /* another thread is waiting on this poll */
  NPS_E_NOT_FOUND = -7,           /* nobody serves that name */
  NPS_E_PIPE_BUSY = -8,           /* open: every instance has a client (Windows), the backlog is full (Linux);
                                     create: max_instances are there already */
  NPS_E_ACCESS_DENIED = -9,       /* not allowed; or create: somebody else has the name */
  NPS_E_NAME_TOO_LONG = -10,
  NPS_E_NOT_A_PIPE = -11,         /* what is at that name, or what was to be adopted, is not a named pipe */
  NPS_E_NOT_OVERLAPPED = -12,     /* Windows, adopt: the handle was not opened for overlapped I/O */
  NPS_E_NOT_CONNECTED = -13,      /* no client yet, or none any more; connect first */
  NPS_E_BROKEN_PIPE = -14,        /* write: the peer closed */
  NPS_E_TIMED_OUT = -15,
  NPS_E_TOO_MANY_HANDLES = -16,   /* the process or the system has no handle left */
  NPS_E_NOT_SUPPORTED = -17,      /* not on this system, not on this kind of pipe, or not in this direction; to listen with
                                     a pipe that was retired */
  NPS_E_IO = -18                  /* any other failure of the system: see the detail */
} nps_status;

/* Which argument NPS_E_INVALID_ARGUMENT speaks of. */
typedef enum nps_argument {
  NPS_ARGUMENT_NONE = 0,
  NPS_ARGUMENT_POLL = 1,             /* the poll pointer is null */
  NPS_ARGUMENT_PIPE = 2,             /* the pipe pointer is null */
  NPS_ARGUMENT_RESULT = 3,           /* the pointer that takes the result is null */
  NPS_ARGUMENT_OPTIONS = 4,          /* the options pointer is null */
  NPS_ARGUMENT_OPTIONS_SIZE = 5,     /* options.size is not one that this library knows */
  NPS_ARGUMENT_NAME = 6,             /* null, empty, not UTF-8, reserved, or with a separator in it */
  NPS_ARGUMENT_DIRECTION = 7,
  NPS_ARGUMENT_MAX_INSTANCES = 8,    /* 1 to 254, or NPS_UNLIMITED_INSTANCES */
  NPS_ARGUMENT_FLAGS = 9,            /* a bit that is not defined */
  NPS_ARGUMENT_IN_BUFFER_SIZE = 10,
  NPS_ARGUMENT_OUT_BUFFER_SIZE = 11,
  NPS_ARGUMENT_READ_AHEAD = 12,
  NPS_ARGUMENT_WRITE_LIMIT = 13,
  NPS_ARGUMENT_TIMEOUT = 14,         /* below NPS_FOREVER */
  NPS_ARGUMENT_POOL_BUFFERS = 15,
  NPS_ARGUMENT_POOL_BUFFER_SIZE = 16,
  NPS_ARGUMENT_EVENTS = 17,          /* the event array is null */
  NPS_ARGUMENT_CAPACITY = 18,        /* an array of no event */
  NPS_ARGUMENT_INTEREST = 19,        /* neither readable nor writable, or a bit that is not defined */
  NPS_ARGUMENT_BUFFER = 20,          /* null with a size that is not 0 */
  NPS_ARGUMENT_HANDLE = 21,          /* adopt: not a handle at all */
  NPS_ARGUMENT_LINGER = 22,          /* below NPS_FOREVER */
  NPS_ARGUMENT_INFO_SIZE = 23,       /* info.size is not one that this library knows */
  NPS_ARGUMENT_MODE = 24,
  NPS_ARGUMENT_SECURITY = 25,
  NPS_ARGUMENT_FILE_MODE = 26,       /* not 1 to 0777; or set, though `security` does not ask for it */
  NPS_ARGUMENT_DESCRIPTOR = 27,      /* no security descriptor; or set, though `security` does not ask for it */
  NPS_ARGUMENT_IMPERSONATION = 28,
  NPS_ARGUMENT_SERVER = 29,          /* empty, not UTF-8, or with a separator in it */
  NPS_ARGUMENT_BUFFER_COUNT = 30,    /* above NPS_MAX_BUFFERS */
  NPS_ARGUMENT_MESSAGE = 31          /* longer than nps_info.max_message; nothing was sent */
} nps_argument;

static inline int32_t nps_result_status(nps_result result) { return (int32_t)(uint32_t)((uint64_t)result >> 32); }
static inline uint32_t nps_result_detail(nps_result result) { return (uint32_t)(uint64_t)result; }

/* The name of a status ("NPS_E_NOT_FOUND"), one English sentence about it, and the name of an argument
 * ("max_instances"). Static strings, never null: an unknown value has the text "unknown". */
NPS_API const char *nps_status_name(int32_t status);
NPS_API const char *nps_status_text(int32_t status);
NPS_API const char *nps_argument_name(uint32_t argument);

/* ---------------------------------------------------------------- options */

#define NPS_FOREVER (-1)             /* a time in ms without an end */
#define NPS_UNLIMITED_INSTANCES 255
#define NPS_NO_GROUP 0xFFFFFFFF      /* no group asked for */

/* Which way bytes flow, seen from the end that is being created or opened. */
typedef enum nps_direction {
  NPS_DIRECTION_IN = 1,              /* this end reads */
  NPS_DIRECTION_OUT = 2,             /* this end writes */
  NPS_DIRECTION_DUPLEX = 3
} nps_direction;

typedef enum nps_mode {
  NPS_MODE_BYTE = 0,                 /* a stream */
  NPS_MODE_MESSAGE = 1
} nps_mode;

typedef enum nps_server_flags {
  NPS_SERVER_FIRST_INSTANCE = 1,     /* fail with NPS_E_ACCESS_DENIED if the name exists already */
  NPS_SERVER_INHERITABLE = 2,        /* programs that this one starts inherit the handle (Linux: of each connection) */
  NPS_SERVER_REMOTE_CLIENTS = 4      /* let clients of other machines connect, too. Linux: NPS_E_NOT_SUPPORTED */
} nps_server_flags;

typedef enum nps_client_flags {
  NPS_CLIENT_INHERITABLE = 1,
  NPS_CLIENT_CURRENT_USER = 2,       /* NPS_E_ACCESS_DENIED unless the server belongs to exactly our user */
  NPS_CLIENT_ANY_USER = 4            /* connect whoever the server belongs to. Without either: on Linux it must be our
                                        user or root; on Windows it may be anybody, who can learn who we are, no more */
} nps_client_flags;

/* Who may connect to a server. Those who may not are told NPS_E_ACCESS_DENIED. */
typedef enum nps_security {
  NPS_SECURITY_CURRENT_USER = 0,     /* the current user; on Linux root as well */
  NPS_SECURITY_CURRENT_ELEVATION = 1, /* likewise, and not with less privilege: Windows, no process of a lower
                                        integrity level, so that an elevated server has elevated clients only. Linux
                                        knows no such thing: as the former */
  NPS_SECURITY_DESCRIPTOR = 2,       /* Windows: whom `descriptor` lets; Linux: NPS_E_NOT_SUPPORTED */
  NPS_SECURITY_FILE_MODE = 3         /* Linux: whoever may write the socket file, by file_mode and file_group;
                                        Windows: NPS_E_NOT_SUPPORTED */
} nps_security;

/* What a server may do in its client's name. Windows; on Linux no server may act as its client, and every server
 * learns who it is: only the first two are supported. */
typedef enum nps_impersonation {
  NPS_IMPERSONATION_DEFAULT = 0,     /* identification */
  NPS_IMPERSONATION_IDENTIFICATION = 1, /* learn who it is */
  NPS_IMPERSONATION_ANONYMOUS = 2,   /* not even that */
  NPS_IMPERSONATION_FULL = 3,        /* act as the client on the server's machine */
  NPS_IMPERSONATION_DELEGATION = 4   /* and on others */
} nps_impersonation;

/* Options structs begin with their size, so that they can grow. nps_..._options_init fills in the size and every
 * default; set the name and what you want to differ. Options are independent of each other. Strings are UTF-8,
 * NUL-terminated, and read only during the call. */

typedef struct nps_poll_options {
  uint32_t size;
  uint32_t pool_buffers;             /* read-ahead buffers at most, shared by all pipes of the poll, made when first
                                        needed; default 256, at most 65,536; 0 = none: pipes only probe.
                                        Linux reads into the caller's memory and needs none. */
  uint32_t pool_buffer_size;         /* bytes of each; default 65,536; 4,096 to 1,048,576 */
  uint32_t flags;                    /* 0 */
} nps_poll_options;

typedef struct nps_server_options {
  uint32_t size;
  uint32_t direction;                /* nps_direction; default duplex */
  const char *name;                  /* short ("demo") or full (Windows: \\.\pipe\demo; Linux: an absolute path) */
  uint32_t max_instances;            /* of this name: 1 to 254 or NPS_UNLIMITED_INSTANCES, the default. Windows: all
                                        instances of a name give the same number. Linux: counted in this process */
  uint32_t flags;                    /* nps_server_flags */
  uint32_t in_buffer_size;           /* bytes that the kernel keeps for each direction; 0 = the default (Windows */
  uint32_t out_buffer_size;          /* 65,536, Linux the system's); at most 16,777,216 */
  uint32_t read_ahead;               /* bytes that the library may read ahead for this pipe; default 65,536, at most
                                        1,048,576 and never more than the poll's buffer size; 0 = never: the pipe
                                        holds no buffer, and data goes straight into the caller's memory */
  uint32_t write_limit;              /* bytes that one write call accepts at most; default 65,536; 1 to 16,777,216 */
  /* A struct that ends here is accepted too. All instances of a name agree in what follows. */
  uint32_t mode;                     /* nps_mode; default byte. Linux: a message pipe is a SOCK_SEQPACKET socket, which
                                        programs other than this library's do not expect; its short name has a file of
                                        another prefix, so that "demo" may be a byte pipe and a message pipe */
  uint32_t default_timeout_ms;       /* Windows: how long WaitNamedPipe waits if its caller leaves that to the server; 0 =
                                        the system's 50 ms. Linux has no such thing: NPS_E_NOT_SUPPORTED if it is not 0 */
  uint32_t security;                 /* nps_security; default the current user */
  uint32_t file_mode;                /* NPS_SECURITY_FILE_MODE: permissions of the socket file, 1 to 0777; else 0. The
                                        lock beside it stays the user's own */
  uint32_t file_group;               /* NPS_SECURITY_FILE_MODE: its group; NPS_NO_GROUP, the default: the system's */
  uint32_t reserved;                 /* 0 */
  const char *descriptor;            /* NPS_SECURITY_DESCRIPTOR: a security descriptor in SDDL; else null. For a
                                        second instance it must let our own user make one ("FA") */
} nps_server_options;

typedef struct nps_client_options {
  uint32_t size;
  uint32_t direction;                /* must fit the server's */
  const char *name;
  int64_t timeout_ms;                /* how long nps_pipe_open tries again while the name is not there or busy,
                                        blocking the calling thread; 0 (default) = one try; NPS_FOREVER */
  uint32_t flags;                    /* nps_client_flags */
  uint32_t read_ahead;               /* as for a server */
  uint32_t write_limit;
  uint32_t reserved;                 /* 0 */
  /* A struct that ends here is accepted too. */
  uint32_t mode;                     /* nps_mode: how this end reads; default byte, also on a Windows message pipe */
  uint32_t impersonation;            /* nps_impersonation */
  const char *server;                /* the machine; null or ".": this one. Linux: NPS_E_NOT_SUPPORTED if it is another */
} nps_client_options;

typedef struct nps_adopt_options {
  uint32_t size;
  uint32_t flags;                    /* 0 */
  uint32_t read_ahead;
  uint32_t write_limit;
} nps_adopt_options;

/* `size` is sizeof the caller's struct; no more than that is written. NPS_E_INVALID_ARGUMENT for a null pointer or
 * a size that this library does not know. */
NPS_API nps_result nps_poll_options_init(nps_poll_options *options, uint32_t size);
NPS_API nps_result nps_server_options_init(nps_server_options *options, uint32_t size);
NPS_API nps_result nps_client_options_init(nps_client_options *options, uint32_t size);
NPS_API nps_result nps_adopt_options_init(nps_adopt_options *options, uint32_t size);

/* ---------------------------------------------------------------- poll */

typedef struct nps_poll nps_poll;
typedef struct nps_pipe nps_pipe;

typedef enum nps_interest {
  NPS_INTEREST_READABLE = 1,
  NPS_INTEREST_WRITABLE = 2,
  NPS_INTEREST_ON_DEMAND = 4         /* beside one of the others: watch only after a would-block, see above */
} nps_interest;

typedef enum nps_readiness {
  NPS_READABLE = 1,                  /* a read will give data, end of stream or an error */
  NPS_WRITABLE = 2,                  /* a write will accept bytes or fail; for a server: a client has connected */
  NPS_CLOSED = 4,                    /* the peer will send no more; what it sent before can still be read */
  NPS_ERROR = 8,                     /* something failed in the background: nps_pipe_take_error says what */
  NPS_WAKE = 16                      /* not a pipe: nps_poll_wake was called, the token is its */
} nps_readiness;

typedef struct nps_event {
  uint64_t token;                    /* as given to register, reregister or wake */
  uint32_t readiness;                /* nps_readiness bits; NPS_CLOSED and NPS_ERROR come whatever the interest */
  uint32_t reserved;
} nps_event;

/* Creates a poll. `options` may be null: all defaults. The caller owns *poll.
 * Errors: NPS_E_INVALID_ARGUMENT, NPS_E_OUT_OF_MEMORY, NPS_E_TOO_MANY_HANDLES. */
NPS_API nps_result nps_poll_create(const nps_poll_options *options, nps_poll **poll);

/* Waits until there is an event, `timeout_ms` have passed (0: looks once; NPS_FOREVER), or another thread wakes or
 * closes the poll. Fills at most `capacity` events, one for each pipe, and sets *count (0 after a time-out, which is
 * NPS_OK). Completions that yield no event do not end the wait. Lingering closes are driven by this call.
 * Returns NPS_OK; NPS_E_WAIT_BUSY; NPS_E_CLOSED (also when closed meanwhile); NPS_E_INVALID_ARGUMENT. */
NPS_API nps_result nps_poll_wait(nps_poll *poll, nps_event *events, uint32_t capacity, int64_t timeout_ms, uint32_t *count);

/* Makes the wait that is running, or the next one, yield one event with NPS_WAKE and this token. Wakes that come
 * before the event is handed out are one: the last token counts. */
NPS_API nps_result nps_poll_wake(nps_poll *poll, uint64_t token);

/* Closes the poll and every pipe that is bound to it. A waiting thread returns with NPS_E_CLOSED. Lingering closes are
 * carried to their end or their time limit, everything else is cancelled; returns only when the system has let go
 * of every buffer. A second close waits for the first and answers NPS_E_CLOSED. */
NPS_API nps_result nps_poll_close(nps_poll *poll);

/* Gives the caller's reference back; closes first if that was not done, then without lingering. Null is allowed. */
NPS_API void nps_poll_release(nps_poll *poll);

/* ---------------------------------------------------------------- pipe: making and ending */

/* Creates a server instance of a name; it waits for a client from nps_pipe_connect on (Linux: clients may queue from
 * now on). Who may connect: options.security; remote clients only if asked for.
 * Errors: NPS_E_INVALID_ARGUMENT, NPS_E_NAME_TOO_LONG, NPS_E_PIPE_BUSY (max_instances are there), NPS_E_ACCESS_DENIED
 * (the name is somebody else's, detail: Windows 5, Linux EADDRINUSE for a living server of another process, EACCES),
 * NPS_E_NOT_A_PIPE (Linux: a file that is no socket is at the path; it is not touched), NPS_E_NOT_SUPPORTED (an option that this
 * system lacks), NPS_E_TIMED_OUT (Linux: another process was taking the name, and has not come to an end within 2 s),
 * NPS_E_TOO_MANY_HANDLES, NPS_E_OUT_OF_MEMORY, NPS_E_IO. */
NPS_API nps_result nps_pipe_create(const nps_server_options *options, nps_pipe **pipe);

/* Opens the client end. The server may learn who we are, not act as us, unless options.impersonation says otherwise.
 * Errors: NPS_E_NOT_FOUND, NPS_E_PIPE_BUSY, NPS_E_ACCESS_DENIED, after timeout_ms the last of the first two; as for
 * create otherwise. */
NPS_API nps_result nps_pipe_open(const nps_client_options *options, nps_pipe **pipe);

/* Makes a pipe of a handle (Windows) or descriptor (Linux: a connected AF_UNIX socket, a stream or SOCK_SEQPACKET)
 * that the caller owns. It is a message pipe if the handle reads messages, or the socket is SOCK_SEQPACKET. On
 * success the pipe owns it; on failure nothing has changed. `options` may be null. Errors: NPS_E_NOT_A_PIPE,
 * NPS_E_NOT_OVERLAPPED, NPS_E_NOT_CONNECTED (Linux; Windows: a client whose server has disconnected it),
 * NPS_E_NOT_SUPPORTED (Windows: PIPE_NOWAIT), NPS_E_INVALID_ARGUMENT (no such handle). */
NPS_API nps_result nps_pipe_adopt(intptr_t os_handle, const nps_adopt_options *options, nps_pipe **pipe);

/* Gives the handle to the caller, who closes it from then on; the pipe is closed without closing the handle. Only
 * before the first register: NPS_E_ALREADY_REGISTERED after that (Windows cannot unbind a handle from its port).
 * NPS_E_NOT_SUPPORTED: an unconnected server on Linux has no descriptor of its own. */
NPS_API nps_result nps_pipe_export(nps_pipe *pipe, intptr_t *os_handle);

/* Lends the handle, for queries; valid while the pipe is open. NPS_E_NOT_CONNECTED: a server on Linux without a
 * client. */
NPS_API nps_result nps_pipe_os_handle(nps_pipe *pipe, intptr_t *os_handle);

/* Closes the pipe. Bytes that write accepted are still delivered: for at most linger_ms (NPS_FOREVER: until they are
 * gone or the peer closes) while somebody waits on the poll, or in nps_poll_close. No nps_poll_wait that starts after
 * this has returned yields an event of this pipe. NPS_OK: closed; NPS_WOULD_BLOCK: it goes on in the background,
 * until the last byte is out; NPS_E_CLOSED: it was closed before. */
NPS_API nps_result nps_pipe_close(nps_pipe *pipe, int64_t linger_ms);

/* Closes at once; bytes still in the library's hands are lost. Also ends a lingering close. */
NPS_API nps_result nps_pipe_abort(nps_pipe *pipe);

/* Gives the caller's reference back; aborts first if the pipe was not closed. Never blocks. A lingering close goes on
 * without the caller. Null is allowed. */
NPS_API void nps_pipe_release(nps_pipe *pipe);

/* ---------------------------------------------------------------- pipe: registration */

/* Binds the pipe to the poll. Before that, connect, read and write answer NPS_WOULD_BLOCK. A connected pipe starts
 * reading and yields writable. After deregister it can be registered again, with the same poll. Errors:
 * NPS_E_ALREADY_REGISTERED, NPS_E_CLOSED, NPS_E_INVALID_ARGUMENT, NPS_E_OUT_OF_MEMORY. */
NPS_API nps_result nps_pipe_register(nps_pipe *pipe, nps_poll *poll, uint64_t token, uint32_t interest);

/* Changes token and interest, and reports anew what is ready now. NPS_E_NOT_REGISTERED. */
NPS_API nps_result nps_pipe_reregister(nps_pipe *pipe, uint64_t token, uint32_t interest);

/* No nps_poll_wait that starts after this has returned yields an event of this pipe. I/O calls go on working.
 * NPS_E_NOT_REGISTERED. */
NPS_API nps_result nps_pipe_deregister(nps_pipe *pipe);

/* ---------------------------------------------------------------- pipe: I/O, never blocking */

/* Server: accepts a client. NPS_OK: connected (also when it was before; a client that came and left counts: its bytes
 * can be read, then comes end of stream), and a writable event; NPS_WOULD_BLOCK: a writable event will come, or an
 * error event, after which nps_pipe_take_error tells and connect may be called again. NPS_E_NOT_SUPPORTED: it was retired,
 * and its connection has ended. On a client end: NPS_OK. */
NPS_API nps_result nps_pipe_connect(nps_pipe *pipe);

/* Server: ends the connection, or the connecting; unread bytes and errors of the old connection are gone, readiness is
 * cleared, and connect works again. With `listen` not 0 it also does that connect, in one call, and answers for it.
 * NPS_E_NOT_SUPPORTED on a client end: close it; with `listen` also on a pipe that was retired. */
NPS_API nps_result nps_pipe_disconnect(nps_pipe *pipe, int32_t listen);

/* Server with a client: this instance will not listen again. The connection goes on as it was; once it has ended, connect answers
 * NPS_E_NOT_SUPPORTED, and disconnect with `listen` ends it and answers that. The instance counts for max_instances until it is
 * closed. Windows: an instance that has a client does not listen, and its name is taken until it is closed. Linux: the
 * name is given up when its last instance that was not retired is closed or retired; clients that nobody has accepted
 * see the end, later ones NPS_E_NOT_FOUND, and the name can be taken anew, by a server whose max_instances does not count
 * those of before. NPS_OK, also when said before; NPS_E_NOT_CONNECTED (nothing has changed: close it);
 * NPS_E_NOT_SUPPORTED on a client end; NPS_E_CLOSED. */
NPS_API nps_result nps_pipe_retire(nps_pipe *pipe);

/* Reads up to `size` bytes into the caller's buffer; *count says how many. NPS_OK (*count > 0, or size 0; message
 * mode: see MESSAGES, also for NPS_MORE_DATA); NPS_WOULD_BLOCK; NPS_END_OF_STREAM; NPS_E_NOT_CONNECTED (server
 * without a client, not connecting); NPS_E_NOT_SUPPORTED (a pipe that only writes); NPS_E_CLOSED; NPS_E_OUT_OF_MEMORY
 * (the system's too; nothing was lost, and the next read may do); NPS_E_IO. */
NPS_API nps_result nps_pipe_read(nps_pipe *pipe, void *buffer, size_t size, size_t *count);

/* Writes up to `size` bytes; *count says how many were accepted: those are delivered in order unless the peer closes
 * or the pipe is aborted. NPS_OK (*count > 0, or size 0: nothing happens, but on a message pipe, which sends an empty
 * message); NPS_WOULD_BLOCK (an earlier write is under way, or the pipe is full); NPS_E_BROKEN_PIPE (the peer closed;
 * goes on failing until disconnect); others as for read. */
NPS_API nps_result nps_pipe_write(nps_pipe *pipe, const void *buffer, size_t size, size_t *count);

/* The same with several buffers, as if they were one behind another: a read fills them in order; a write sends them
 * as one contiguous run, on a message pipe as one message. At most NPS_MAX_BUFFERS; a buffer of size 0 may be null. */
typedef struct nps_buffer {
  void *data;                        /* a write does not change it */
  size_t size;
} nps_buffer;

#define NPS_MAX_BUFFERS 1024
NPS_API nps_result nps_pipe_read_vector(nps_pipe *pipe, const nps_buffer *buffers, uint32_t buffer_count, size_t *count);
NPS_API nps_result nps_pipe_write_vector(nps_pipe *pipe, const nps_buffer *buffers, uint32_t buffer_count, size_t *count);

/* NPS_OK: everything accepted has been handed to the system; NPS_WOULD_BLOCK: *unsent bytes are still in the
 * library's hands, and a writable event follows when they are gone. */
NPS_API nps_result nps_pipe_flush_state(nps_pipe *pipe, uint64_t *unsent);

/* The error of something that failed in the background (a connect, an accepted write), once: *error is NPS_OK if
 * there is none. */
NPS_API nps_result nps_pipe_take_error(nps_pipe *pipe, nps_result *error);

/* Says that this end will write no more; reading goes on. NPS_OK: said; writes answer NPS_E_CLOSED from now on, until
 * disconnect. NPS_WOULD_BLOCK: a write is under way (Windows); call again after the writable event. Linux: the peer
 * reads what was written, then end of stream, and gets NPS_CLOSED. Windows: a byte pipe cannot do it,
 * NPS_E_NOT_SUPPORTED; on a message pipe it sends an empty message, which the peer must know to be the end.
 * NPS_E_NOT_CONNECTED; NPS_E_NOT_SUPPORTED also on a pipe that only reads; NPS_E_CLOSED: said before; where a write has
 * failed, what the next one would answer. */
NPS_API nps_result nps_pipe_shutdown(nps_pipe *pipe);

/* ---------------------------------------------------------------- pipe: what is known of it
 * None of these blocks, whatever is pending; none needs a poll, or arms anything. */

typedef enum nps_end {
  NPS_END_CLIENT = 0,
  NPS_END_SERVER = 1
} nps_end;

typedef struct nps_info {
  uint32_t size;                     /* set by the caller: sizeof; no more than that is written */
  uint32_t direction;                /* nps_direction, of this end */
  uint32_t mode;                     /* nps_mode */
  uint32_t end;                      /* nps_end */
  uint32_t in_buffer_size;           /* bytes that the system keeps for what this end reads, and writes; 0: not said. */
  uint32_t out_buffer_size;          /* Linux: of a connected end, the second only, with the system's own overhead in it */
  uint32_t max_instances;            /* of the name; 0: not known (a client on Linux) */
  uint32_t instances;
  uint32_t max_message;              /* bytes of the longest message that this end can write; 0 on a byte pipe, and on Linux
                                        while not connected */
} nps_info;

/* NPS_OK; NPS_E_INVALID_ARGUMENT (size); NPS_E_CLOSED; NPS_E_IO. */
NPS_API nps_result nps_pipe_info(nps_pipe *pipe, nps_info *info);

/* Looks at what a read would give now, without taking it: copies up to `size` bytes (0, and a null buffer, are
 * allowed) and says how many in *count. *available: bytes that can be read now, as far as the library and the system
 * know; of a message pipe those of the next message, or of what is left of it. NPS_OK: *available > 0, or the next
 * message is an empty one (which Windows does not always show); NPS_WOULD_BLOCK: nothing is there, as far as is
 * known, and no event is promised: read, and wait. Others as for read; NPS_E_NOT_CONNECTED also while a client is waited for. */
NPS_API nps_result nps_pipe_peek(nps_pipe *pipe, void *buffer, size_t size, size_t *count, uint64_t *available);

/* Whether the peer has read all that was written. NPS_OK: it has; NPS_WOULD_BLOCK: not yet, and no event will say
 * when: ask again. *unread is how much is left, in the library's hands and the system's: on Linux, the system's
 * memory in use for it, which is more than its bytes, and 0 exactly when all was read. NPS_E_NOT_SUPPORTED on
 * Windows, whose count is spoiled by reads that the peer has posted; FlushFileBuffers on the lent handle waits,
 * blocking. NPS_E_NOT_CONNECTED; NPS_E_BROKEN_PIPE: the peer closed. */
NPS_API nps_result nps_pipe_drain_state(nps_pipe *pipe, uint64_t *unread);

/* ---------------------------------------------------------------- pipe: who is at the other end
 * NPS_E_NOT_CONNECTED: nobody. */

/* The peer's process: the one that opened the client end, or that made the server. It may have ended since, or have
 * handed its end to another. Linux: 0 if it is in another pid namespace. */
NPS_API nps_result nps_pipe_peer_process(nps_pipe *pipe, uint32_t *process_id);

/* The peer's user, as NUL-terminated text: a SID ("S-1-5-21-...") on Windows, a user id in decimal on Linux. `size`
 * bytes are at `user`, NPS_USER_SIZE is enough for every user; NPS_E_INVALID_ARGUMENT (buffer) if they are not.
 * Linux: the user that the peer ran as when it connected or began to listen. Windows, on a server: the user that the
 * client showed, which is known only after something was read from it: until then NPS_WOULD_BLOCK, and readable is
 * the event; and NPS_E_ACCESS_DENIED if the client opened with an anonymous level. On a client: the owner of the
 * server's process, which is as reliable as process ids are. */
#define NPS_USER_SIZE 192
NPS_API nps_result nps_pipe_peer_user(nps_pipe *pipe, char *user, size_t size);

/* Windows, on a server: this thread acts as the client from now on, until nps_revert, as far as the client allows
 * (nps_client_options.impersonation). NPS_WOULD_BLOCK: nothing was read from the client yet. NPS_E_ACCESS_DENIED;
 * NPS_E_NOT_SUPPORTED on a client, and on Linux. On every result but NPS_OK the thread is who it was. */
NPS_API nps_result nps_pipe_impersonate(nps_pipe *pipe);

/* Ends what nps_pipe_impersonate began in this thread. A process that cannot become itself again must not go on: if the
 * system refuses, the process is ended at once. NPS_E_NOT_SUPPORTED on Linux. */
NPS_API nps_result nps_revert(void);

#ifdef __cplusplus
}
#endif

#endif
