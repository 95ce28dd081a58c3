/* system_windows.c - the walk on Windows: peers are overlapped pipe handles of this program's own, and what is there is asked of the
 * system by calls of its own (PeekNamedPipe, FILE_PIPE_LOCAL_INFORMATION), on the handles that the library uses.
 *
 * A peer's write that does not fit pends, as a program's would: its bytes count as sent, and may be lost when the peer closes. */
#include "real.h"

#include "ntdll.h"

#include <stdio.h>
#include <stdlib.h>

#include "process_windows.h"

#define OUTCOME WALK_OUTCOME

enum { WINDOWS_LOCAL_INFORMATION = 24 }; /* FilePipeLocalInformation */
enum { WINDOWS_DISCONNECTED = 1, WINDOWS_CONNECTED = 3, WINDOWS_CLOSING = 4 }; /* NamedPipeState; 0: may not be asked */

/* FILE_PIPE_LOCAL_INFORMATION (ntifs.h), which the SDK lacks. */
typedef struct windows_local {
  ULONG type, configuration, maximum_instances, current_instances, inbound_quota, read_available, outbound_quota, write_quota;
  ULONG state, end;
} windows_local;

/* What a foreign peer has under way. */
typedef struct windows_peer {
  OVERLAPPED connect, write;
  bool connecting, writing;
  uint8_t bytes[WALK_BYTES];
} windows_peer;

const bool system_cuts = true;
const bool walk_knows_ops = false; /* those of connections that are over are the system's alone */

const char *walk_kernel(void) { return "iocp"; }

/* A client can come to one instance of "out" only: an outbound server's handle cannot be asked whether it has. */
uint32_t walk_instances(uint32_t which) { return which == 1 ? 3 : which == 3 ? 1 : NPS_UNLIMITED_INSTANCES; }

static HANDLE windows__handle(const walk_end *end) { return end->pipe != NULL ? windows_handle_of(end->os) : (HANDLE)end->handle; }

static windows_local windows__ask(const walk_end *end) {
  windows_local local;
  nt_io_status io_status;
  memset(&local, 0, sizeof local);
  if (NtQueryInformationFile(windows__handle(end), &io_status, &local, sizeof local, WINDOWS_LOCAL_INFORMATION) != 0) local.state = 0;
  return local;
}

static uint32_t windows__unread(const walk_end *end) {
  DWORD available = 0;
  return PeekNamedPipe(windows__handle(end), NULL, 0, NULL, &available, NULL) ? available : 0;
}

/* ---------------------------------------------------------------- who is connected with whom */

typedef struct windows_search {
  const walk_end *client;
  walk_end *found;
  uint32_t count;
} windows_search;

static void windows__is_it(walk_end *end, void *context) {
  windows_search *search = context;
  if (!end->server || end->connection != NULL || end->name != search->client->name) return;
  const ULONG state = windows__ask(end).state;
  const bool alone = state == 0 && walk_instances(end->name) == 1;
  if (state != WINDOWS_CONNECTED && state != WINDOWS_CLOSING && !alone) return;
  search->found = end;
  search->count++;
}

static void windows__find_server(walk_end *client) {
  windows_search search = {client, NULL, 0};
  real_each_end(windows__is_it, &search);
  if (search.count != 1) walk_fail("C9: a client has come, and %u instances have it", search.count);
  real_join(real_connect(client), 0, search.found);
}

void system_made(walk_end *end) {
  if (!end->server) windows__find_server(end);
}

void system_joined(walk_end *end) { (void)end; /* it has, since its client came */ }

/* ---------------------------------------------------------------- a peer's operations */

static void windows__give_peer(walk_end *end) {
  windows_peer *made = calloc(1, sizeof *made);
  if (made == NULL) walk_fail("the walk: no memory");
  made->connect.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
  made->write.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (made->connect.hEvent == NULL || made->write.hEvent == NULL) walk_fail("the walk: no event");
  end->system = made;
}

static void windows__take_peer(walk_end *end) {
  windows_peer *peer = end->system;
  CloseHandle(peer->connect.hEvent);
  CloseHandle(peer->write.hEvent);
  free(peer);
  end->system = NULL;
}

void system_exported(walk_end *end) { windows__give_peer(end); }

void system_adopted(walk_end *peer) { windows__take_peer(peer); }

/* Looks whether the peer's write is done. */
static void windows__look_at_write(walk_end *end) {
  windows_peer *peer = end->system;
  DWORD moved = 0;
  if (!peer->writing || WaitForSingleObject(peer->write.hEvent, 0) != WAIT_OBJECT_0) return;
  peer->writing = false;
  if (GetOverlappedResult(windows__handle(end), &peer->write, &moved, FALSE) && end->connection != NULL) {
    real_side_of(end)->in_hand = 0;
  }
}

/* Nothing of the peer is under way afterwards. */
static void windows__stop(walk_end *end) {
  windows_peer *peer = end->system;
  DWORD moved = 0;
  windows__look_at_write(end);
  if (peer->writing) {
    (void)CancelIoEx(windows__handle(end), &peer->write);
    const BOOL done = GetOverlappedResult(windows__handle(end), &peer->write, &moved, TRUE);
    if (done && end->connection != NULL) real_side_of(end)->in_hand = 0;
  }
  if (peer->connecting) {
    (void)CancelIoEx(windows__handle(end), &peer->connect);
    (void)GetOverlappedResult(windows__handle(end), &peer->connect, &moved, TRUE);
  }
  peer->writing = peer->connecting = false;
}

/* W4: more than the system keeps is unread here, so that the rest is a write of the library that pends, and will fail now. */
static void windows__fail_writer(const walk_end *end) {
  const real_side *other = real_side_of_peer(end);
  if (other == NULL || other->end == NULL || other->end->pipe == NULL) return;
  const nps_pipe *pipe = other->end->pipe;
  const windows_local local = windows__ask(end);
  const ULONG quota = end->side == 0 ? local.inbound_quota : local.outbound_quota;
  const bool writing = op_is_pending(pipe->out) && pipe->out->os.kind == OS_WRITE;
  if (local.state != 0 && writing && windows__unread(end) > quota) other->end->failures++;
}

/* ---------------------------------------------------------------- what is there */

void system_look(const walk_end *end, walk_view *view) {
  const real_side *peer = real_side_of_peer(end);
  const ULONG state = windows__ask(end).state;
  if (peer->end != NULL && peer->end->pipe == NULL) windows__look_at_write(peer->end);
  const bool gone = peer->end == NULL || state == WINDOWS_CLOSING || state == WINDOWS_DISCONNECTED;
  view->peer_done = view->peer_broken = gone;
  view->unread = (end->direction & NPS_DIRECTION_IN) != 0 ? windows__unread(end) : 0;
}

bool walk_is_handle_of(const walk_pipe *p, intptr_t handle) { return (HANDLE)handle == windows_handle_of(p->pipe->os); }

bool walk_has_client(const walk_pipe *p) { return walk_end_of(p)->connection != NULL; }

/* A write of the library is done at the latest when the peer has read all, or is gone. */
bool walk_can_write(const walk_pipe *p, const walk_view *view) {
  const nps_pipe *pipe = p->pipe;
  if (!op_is_pending(pipe->out) || view->peer_done) return true;
  const walk_end *end = walk_end_of(p);
  const real_side *peer = real_side_of_peer(end);
  const op *in = peer->end->pipe != NULL ? peer->end->pipe->in : NULL;
  const uint64_t ahead = in != NULL && !op_is_pending(in) ? in->filled - in->taken : 0;
  return real_side_of(end)->notes.sent == peer->notes.seen + ahead;
}

/* All that was accepted is the system's: the peer can read it. */
void walk_check_flushed(const walk_pipe *p, nps_result result, uint64_t unsent) {
  const walk_end *end = walk_end_of(p);
  if (result != NPS_OK || unsent != 0 || end == NULL || end->connection == NULL) return;
  const real_side *side = real_side_of(end), *peer = real_side_of_peer(end);
  if (peer->end == NULL || peer->end->pipe != NULL || peer->cut || (peer->direction & NPS_DIRECTION_IN) == 0) return;
  if (peer->notes.seen + windows__unread(peer->end) != side->notes.sent) walk_fail("flush_state is wrong: bytes are not there");
}

uint64_t walk_background_failures(walk_end *end) { return end->failures; }

bool walk_may_have_failed(walk_end *end) { return end->connection == NULL || real_side_of_peer(end)->end == NULL; }

bool walk_is_connected(const os_pipe *os) { return os != NULL; }

uint32_t walk_in_flight(void) { return 0; }

const os_op *walk_in_flight_op(uint32_t index) {
  (void)index;
  return NULL;
}

/* ---------------------------------------------------------------- peers */

static walk_end *windows__foreign(uint32_t which, uint32_t direction, bool server, HANDLE handle) {
  walk_end *end = real_foreign();
  end->name = which;
  end->direction = direction;
  end->server = server;
  end->handle = (intptr_t)handle;
  windows__give_peer(end);
  return end;
}

walk_end *walk_peer_connect(uint32_t which, uint32_t direction) {
  const DWORD access = ((direction & NPS_DIRECTION_IN) != 0 ? GENERIC_READ : 0) | ((direction & NPS_DIRECTION_OUT) != 0 ? GENERIC_WRITE : 0);
  const HANDLE handle = CreateFileA(windows_path(which), access, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
  if (handle == INVALID_HANDLE_VALUE) return NULL;
  DWORD mode = PIPE_READMODE_MESSAGE;
  if (which == WALK_MESSAGE_NAME && !SetNamedPipeHandleState(handle, &mode, NULL, NULL)) walk_fail("the walk: SetNamedPipeHandleState, error %lu", GetLastError());
  walk_end *end = windows__foreign(which, direction, false, handle);
  windows__find_server(end);
  return end;
}

walk_end *walk_peer_serve(uint32_t which, uint32_t direction, uint32_t quota) {
  const DWORD access = ((direction & NPS_DIRECTION_IN) != 0 ? PIPE_ACCESS_INBOUND : 0) |
                       ((direction & NPS_DIRECTION_OUT) != 0 ? PIPE_ACCESS_OUTBOUND : 0);
  const DWORD mode = which == WALK_MESSAGE_NAME ? PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE : PIPE_TYPE_BYTE;
  const HANDLE handle = CreateNamedPipeA(windows_path(which), access | FILE_FLAG_OVERLAPPED, mode | PIPE_WAIT,
                                         walk_instances(which), quota, quota, 0, NULL);
  return handle == INVALID_HANDLE_VALUE ? NULL : windows__foreign(which, direction, true, handle);
}

intptr_t walk_peer_handle(const walk_end *peer) { return peer->handle; }

bool walk_peer_may_go(const walk_end *end) {
  windows_peer *peer = end->system;
  if (peer->connecting && WaitForSingleObject(peer->connect.hEvent, 0) == WAIT_OBJECT_0) peer->connecting = false;
  if (peer->writing && WaitForSingleObject(peer->write.hEvent, 0) == WAIT_OBJECT_0) peer->writing = false;
  return !peer->connecting && !peer->writing;
}

void walk_peer_accept(walk_end *server) {
  windows_peer *peer = server->system;
  if (server->connection != NULL || peer->connecting) return;
  peer->connecting = !ConnectNamedPipe((HANDLE)server->handle, &peer->connect) && GetLastError() == ERROR_IO_PENDING;
}

static bool windows__write(walk_end *end, const void *bytes, uint32_t size) {
  windows_peer *peer = end->system;
  windows__look_at_write(end);
  if (peer->writing || (end->direction & NPS_DIRECTION_OUT) == 0) return false;
  memcpy(peer->bytes, bytes, size);
  if (WriteFile((HANDLE)end->handle, peer->bytes, size, NULL, &peer->write)) return true;
  if (GetLastError() != ERROR_IO_PENDING) return false;
  peer->writing = true;
  real_side_of(end)->in_hand = size + (end->name == WALK_MESSAGE_NAME);
  return true;
}

uint32_t walk_peer_write(walk_end *end, const void *bytes, uint32_t size) { return windows__write(end, bytes, size) ? size : 0; }

bool walk_peer_send(walk_end *peer, const void *bytes, uint32_t size) { return windows__write(peer, bytes, size); }

/* PeekNamedPipe does not show an empty message: the read is begun, and ended if it pends. */
bool walk_peer_receive(walk_end *peer, void *bytes, uint32_t size, uint32_t *count, bool *more) {
  const HANDLE handle = (HANDLE)peer->handle;
  OVERLAPPED overlapped = {.hEvent = windows_event()};
  DWORD available = 0, got = 0;
  if (!PeekNamedPipe(handle, NULL, 0, NULL, &available, NULL)) {
    real_check_end(peer);
    return false;
  }
  const BOOL now = ReadFile(handle, bytes, size, NULL, &overlapped);
  DWORD code = now ? ERROR_SUCCESS : GetLastError();
  if (code == ERROR_IO_PENDING) (void)CancelIoEx(handle, &overlapped);
  if (code == ERROR_SUCCESS || code == ERROR_IO_PENDING || code == ERROR_MORE_DATA) {
    code = GetOverlappedResult(handle, &overlapped, &got, TRUE) ? ERROR_SUCCESS : GetLastError();
  }
  *count = got;
  *more = code == ERROR_MORE_DATA;
  if (code == ERROR_SUCCESS || *more) return true;
  if (code == ERROR_OPERATION_ABORTED) return false;
  if (code != ERROR_BROKEN_PIPE) walk_fail("the walk: ReadFile, error %lu", code);
  real_check_end(peer);
  return false;
}

void walk_peer_write_nothing(walk_end *end) {
  if (end->connection != NULL) (void)windows__write(end, "", 0);
}

uint32_t walk_peer_read(walk_end *end, void *bytes, uint32_t size) {
  const HANDLE handle = (HANDLE)end->handle;
  OVERLAPPED overlapped = {.hEvent = windows_event()};
  DWORD available = 0, got = 0;
  if ((end->direction & NPS_DIRECTION_IN) == 0) return 0;
  if (!PeekNamedPipe(handle, NULL, 0, NULL, &available, NULL)) {
    real_check_end(end);
    return 0;
  }
  if (available == 0) return 0;
  const BOOL now = ReadFile(handle, bytes, size < available ? size : available, NULL, &overlapped);
  if (!now && GetLastError() != ERROR_IO_PENDING) walk_fail("the walk: ReadFile, error %lu", GetLastError());
  if (!GetOverlappedResult(handle, &overlapped, &got, TRUE)) walk_fail("the walk: a read ends with error %lu", GetLastError());
  return got;
}

void walk_peer_disconnect(walk_end *server) {
  if (server->connection == NULL) return;
  windows__fail_writer(server);
  windows__stop(server);
  if (!DisconnectNamedPipe((HANDLE)server->handle)) walk_fail("the walk: DisconnectNamedPipe, error %lu", GetLastError());
  real_leave(server, true, 0);
}

void walk_peer_close(walk_end *end) {
  windows__fail_writer(end);
  windows__stop(end);
  CloseHandle((HANDLE)end->handle);
  real_leave(end, false, end->connection == NULL ? 0 : real_side_of(end)->in_hand);
  windows__take_peer(end);
  real_forget(end);
}

/* ---------------------------------------------------------------- what cannot be adopted */

intptr_t walk_odd_handle(void) {
  HANDLE ends[2];
  switch (walk_random(3)) {
    case 0: return 123456789;
    case 1: return (intptr_t)CreateEventW(NULL, TRUE, FALSE, NULL);
    default: break;
  }
  if (!CreatePipe(&ends[0], &ends[1], NULL, 0)) walk_fail("the walk: CreatePipe, error %lu", GetLastError());
  CloseHandle(ends[1]);
  return (intptr_t)ends[0]; /* not overlapped */
}

void walk_odd_handle_end(intptr_t handle) {
  DWORD flags;
  const bool open = GetHandleInformation((HANDLE)handle, &flags);
  if (open != (handle != 123456789)) walk_fail("a handle that was not adopted was closed");
  if (open) CloseHandle((HANDLE)handle);
}

/* ---------------------------------------------------------------- outcomes */

uint32_t walk_impossible(walk_state state, walk_call call) {
  if (state == STATE_POLL_WAITING) return UINT32_MAX; /* one thread */
  const bool message = call == CALL_MESSAGE_WRITE || call == CALL_MESSAGE_WRITE_VECTOR;
  if (message && state != STATE_NONE) return OUTCOME(NPS_E_INVALID_ARGUMENT) | OUTCOME(NPS_E_OUT_OF_MEMORY) | OUTCOME(NPS_E_IO); /* any length */
  return OUTCOME(NPS_E_OUT_OF_MEMORY) | OUTCOME(NPS_E_TOO_MANY_HANDLES) | OUTCOME(NPS_E_IO); /* no faults here */
}

/* What a run of the length that Wine allows may miss, with seeds and times that differ. */
static bool windows__is_rare(walk_state state, walk_call call) {
  switch (state) {
    case STATE_IDLE_DEREGISTERED:
    case STATE_POLL_CLOSED: return call != CALL_POLL_WAIT;
    case STATE_LINGERING: return call != CALL_REGISTER && call != CALL_RELEASE;
    default: return call == CALL_REGISTER_OTHER;
  }
}

uint32_t walk_rare(walk_state state, walk_call call) {
  if (windows__is_rare(state, call)) return UINT32_MAX;
  /* Wine does not enforce FILE_FLAG_FIRST_PIPE_INSTANCE. */
  if (call == CALL_CREATE) return windows_is_wine() ? OUTCOME(NPS_E_ACCESS_DENIED) : 0;
  if (call == CALL_ADOPT) return ~(OUTCOME(NPS_OK) | OUTCOME(NPS_E_NOT_CONNECTED));
  /* Writes end at once when the peer goes: what is told of them then is a matter of who was quicker. */
  const bool gone = state == STATE_GONE || state == STATE_GONE_DEREGISTERED;
  if (gone && call == CALL_WRITE) return OUTCOME(NPS_OK) | OUTCOME(NPS_WOULD_BLOCK) | OUTCOME(NPS_E_NOT_SUPPORTED);
  if (call == CALL_FLUSH_STATE || (gone && call == CALL_CLOSE_LINGER)) return OUTCOME(NPS_WOULD_BLOCK);
  if (state == STATE_GONE_DEREGISTERED && (call == CALL_READ || call == CALL_DISCONNECT)) {
    return OUTCOME(NPS_OK) | OUTCOME(NPS_WOULD_BLOCK) | OUTCOME(NPS_E_NOT_SUPPORTED);
  }
  if (state == STATE_NEW_CONNECTED && (call == CALL_DISCONNECT || call == CALL_RELISTEN)) { /* an adopted server */
    return OUTCOME(NPS_OK) | OUTCOME(NPS_WOULD_BLOCK);
  }
  /* Few pipes are of one direction. */
  const bool bytes = call == CALL_READ || call == CALL_READ_NOTHING || call == CALL_WRITE || call == CALL_WRITE_NOTHING;
  return bytes && state != STATE_CONNECTED ? OUTCOME(NPS_E_NOT_SUPPORTED) : 0;
}
