/* iocp.h - what the files of the Windows backend share. README.md beside it says which file owns what.
 *
 * Nothing here is known outside this folder. Codes are GetLastError's; an NTSTATUS is translated where it arises. */
#ifndef NPS_OS_IOCP_H
#define NPS_OS_IOCP_H

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <string.h>

#include "os.h"

/* What a synchronous success leaves behind on the port (FILE_SKIP_COMPLETION_PORT_ON_SUCCESS). */
typedef enum iocp_skip {
  IOCP_SKIP_OFF, /* a packet */
  IOCP_SKIP_ON, /* nothing */
  IOCP_SKIP_UNKNOWN /* the giver of an adopted handle may have set it, and the system would not say */
} iocp_skip;

/* How far an operation is. The thread that starts it and the one that dequeues its packet may meet before the system
 * call has returned to the former; each exchanges the word once, and who comes second finishes the operation. */
typedef enum iocp_phase {
  IOCP_STARTING, /* inside the system call */
  IOCP_PENDING, /* start has answered OS_PENDING: the packet completes the operation */
  IOCP_SENTINEL, /* likewise, but the sentinel completes it; the packet, if there is one, is dropped */
  IOCP_PACKET /* the packet was dequeued while starting: start answers OS_DONE */
} iocp_phase;

/* Completion keys. All pipes share one: a packet names its operation, not its pipe, which may be gone (rule 4). */
enum { IOCP_KEY_OPERATION = 0, IOCP_KEY_WAKE = 1, IOCP_KEY_SENTINEL = 2 };

struct os_port {
  HANDLE queue;
  uint32_t batch; /* packets asked for per call; only the waiter touches this and the next two */
  uint32_t full_in_row; /* calls in a row that brought a whole batch */
  uint32_t patience; /* that many make the batch grow */
  SRWLOCK take_lock; /* guards the event and its use */
  HANDLE take_event; /* of the read inside os_pipe_take; made at the first one */
};

struct os_pipe {
  HANDLE handle;
  os_port *port; /* null until bound; core keeps the port alive while it calls us with this pipe */
  iocp_skip skip;
  bool message; /* reads messages */
  bool adopted;
  bool shared; /* others may have the handle too: it was adopted, or lent, or can be inherited */
  /* A disconnect failed: the next connect makes it good first, or it would take the old client for a new one (C7). */
  bool old_client;
};

/* ---- error.c: the only place where codes become statuses ---- */

nps_result iocp_make_result(nps_status status, uint32_t detail);

/* Of anything but I/O on a connection. */
nps_result iocp_result(DWORD code);

/* Of an operation, whether it ended at once or by a packet. */
nps_result iocp_io_result(os_op_kind kind, DWORD code);

/* ---- op.c ---- */

static inline OVERLAPPED *iocp_overlapped(os_op *op) {
  return (OVERLAPPED *)(void *)&op->state.overlapped;
}

/* Fills in a completion. `op` may be null (take). */
void iocp_complete(os_op *op, os_op_kind kind, DWORD code, DWORD bytes, os_completion *completion);

/* A packet was dequeued: true if it completes an operation, which is then in *completion. */
bool iocp_packet(const OVERLAPPED_ENTRY *packet, os_completion *completion);

/* ---- pipe.c ---- */

/* Disconnects. A code; not being connected is a success. */
DWORD iocp_let_go(os_pipe *pipe);

/* ---- name.c ---- */

/* The longest name, \\.\pipe\ included, in UTF-16 units without the NUL (CreateNamedPipeW's page). */
enum { IOCP_NAME_MAX = 256 };

/* A short or full name as a path, on this machine or on `server`. */
nps_result iocp_name(const char *name, const char *server, wchar_t path[IOCP_NAME_MAX + 1]);

/* ---- security.c ---- */

/* Who may use a pipe that we create: the user on whose behalf this thread runs, and nobody else. Points into itself:
 * not to be copied. */
typedef struct iocp_security {
  SECURITY_ATTRIBUTES attributes;
  SECURITY_DESCRIPTOR descriptor;
  union {
    TOKEN_USER token;
    BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  } user;
  union {
    ACL acl;
    BYTE bytes[sizeof(ACL) + sizeof(ACCESS_ALLOWED_ACE) + SECURITY_MAX_SID_SIZE];
  } access;
  union {
    TOKEN_MANDATORY_LABEL token;
    BYTE bytes[sizeof(TOKEN_MANDATORY_LABEL) + SECURITY_MAX_SID_SIZE];
  } level;
  union {
    ACL acl;
    BYTE bytes[sizeof(ACL) + sizeof(SYSTEM_MANDATORY_LABEL_ACE) + SECURITY_MAX_SID_SIZE];
  } label;
  union {
    TOKEN_OWNER token;
    BYTE bytes[sizeof(TOKEN_OWNER) + SECURITY_MAX_SID_SIZE];
  } owner; /* of what this user makes without naming one */
  PSECURITY_DESCRIPTOR explicit; /* the caller's, or null */
} iocp_security;

/* As options.security says; to be ended unless it fails. */
nps_result iocp_security_init(iocp_security *security, const nps_server_options *options);
void iocp_security_end(iocp_security *security);

/* A code: ERROR_ACCESS_DENIED if the pipe's owner is neither that user nor whom the caller's descriptor makes the owner. */
DWORD iocp_security_check_owner(const iocp_security *security, HANDLE pipe);

/* A code: ERROR_ACCESS_DENIED if the pipe's owner is not the user on whose behalf this thread runs. */
DWORD iocp_security_check_server(HANDLE pipe);

#endif
