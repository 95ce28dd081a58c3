#include "iocp.h"

enum { PIPE__DEFAULT_BUFFER = 65536, PIPE__MOST = 1 << 30 };

const bool os_direct_io = false;

/* ---- making and ending ---- */

static DWORD pipe__server_access(uint32_t direction) {
  DWORD access = 0;
  if (direction & NPS_DIRECTION_IN)
    access |= PIPE_ACCESS_INBOUND;
  if (direction & NPS_DIRECTION_OUT)
    access |= PIPE_ACCESS_OUTBOUND;
  return access;
}

/* A client starts in byte mode, and setting the other needs FILE_WRITE_ATTRIBUTES, which GENERIC_READ alone lacks; as
 * GENERIC_WRITE alone lacks FILE_READ_ATTRIBUTES, for questions. */
static DWORD pipe__client_access(uint32_t direction, uint32_t mode) {
  DWORD access = 0;
  if (direction & NPS_DIRECTION_IN)
    access |= GENERIC_READ;
  if (direction & NPS_DIRECTION_OUT)
    access |= GENERIC_WRITE;
  if (mode == NPS_MODE_MESSAGE)
    access |= FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES;
  return access;
}

/* Buffers of no byte would make every write wait for a reader. */
static DWORD pipe__buffer_size(uint32_t asked) {
  return asked != 0 ? asked : PIPE__DEFAULT_BUFFER;
}

/* A code. `first`: fail with ERROR_ACCESS_DENIED if the name is there. */
static DWORD pipe__create(
    const wchar_t *path, const nps_server_options *options, iocp_security *security, bool first, HANDLE *handle) {
  DWORD open_mode = pipe__server_access(options->direction) | FILE_FLAG_OVERLAPPED;
  if (first)
    open_mode |= FILE_FLAG_FIRST_PIPE_INSTANCE;
  DWORD pipe_mode = PIPE_WAIT;
  pipe_mode |= options->mode == NPS_MODE_MESSAGE ? PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE
                                                 : PIPE_TYPE_BYTE | PIPE_READMODE_BYTE;
  if (!(options->flags & NPS_SERVER_REMOTE_CLIENTS))
    pipe_mode |= PIPE_REJECT_REMOTE_CLIENTS;
  *handle =
      CreateNamedPipeW(path, open_mode, pipe_mode, options->max_instances, pipe__buffer_size(options->out_buffer_size),
          pipe__buffer_size(options->in_buffer_size), options->default_timeout_ms, &security->attributes);
  return *handle != INVALID_HANDLE_VALUE ? ERROR_SUCCESS : GetLastError();
}

/* Asking for the first instance first tells whether the name is new. If it is not, we join only what our own user
 * made: else whoever was quicker to take the name would share our clients (O4). */
static DWORD pipe__create_or_join(
    const wchar_t *path, const nps_server_options *options, iocp_security *security, HANDLE *handle) {
  DWORD code = pipe__create(path, options, security, true, handle);
  if (code != ERROR_ACCESS_DENIED || options->flags & NPS_SERVER_FIRST_INSTANCE)
    return code;
  code = pipe__create(path, options, security, false, handle);
  if (code != ERROR_SUCCESS)
    return code;
  code = iocp_security_check_owner(security, *handle);
  if (code != ERROR_SUCCESS)
    CloseHandle(*handle);
  return code;
}

nps_result os_pipe_create(const nps_server_options *options, os_pipe **pipe) {
  wchar_t path[IOCP_NAME_MAX + 1];
  nps_result result = iocp_name(options->name, NULL, path);
  if (result != NPS_OK)
    return result;
  os_pipe *made = os_alloc(sizeof *made);
  if (made == NULL)
    return iocp_result(ERROR_NOT_ENOUGH_MEMORY);
  iocp_security security;
  result = iocp_security_init(&security, options);
  if (result != NPS_OK) {
    os_free(made);
    return result;
  }
  DWORD code = pipe__create_or_join(path, options, &security, &made->handle);
  iocp_security_end(&security);
  if (code != ERROR_SUCCESS) {
    os_free(made);
    return iocp_result(code);
  }
  made->message = options->mode == NPS_MODE_MESSAGE;
  made->shared = (options->flags & NPS_SERVER_INHERITABLE) != 0;
  *pipe = made;
  return NPS_OK;
}

/* K3: without SECURITY_SQOS_PRESENT the server could act as us. */
static DWORD pipe__quality_of_service(uint32_t impersonation) {
  switch ((nps_impersonation)impersonation) {
  case NPS_IMPERSONATION_DEFAULT:
  case NPS_IMPERSONATION_IDENTIFICATION:
    break;
  case NPS_IMPERSONATION_ANONYMOUS:
    return SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS;
  case NPS_IMPERSONATION_FULL:
    return SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION;
  case NPS_IMPERSONATION_DELEGATION:
    return SECURITY_SQOS_PRESENT | SECURITY_DELEGATION;
  }
  return SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
}

/* A code: ERROR_NOT_SUPPORTED if the server's pipe is one of bytes. */
static DWORD pipe__read_messages(HANDLE handle) {
  DWORD state = PIPE_READMODE_MESSAGE | PIPE_WAIT;
  if (SetNamedPipeHandleState(handle, &state, NULL, NULL))
    return ERROR_SUCCESS;
  DWORD code = GetLastError();
  return code == ERROR_INVALID_PARAMETER ? ERROR_NOT_SUPPORTED : code;
}

/* A code. */
static DWORD pipe__open(const wchar_t *path, const nps_client_options *options, HANDLE *handle) {
  SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, (options->flags & NPS_CLIENT_INHERITABLE) != 0};
  *handle = CreateFileW(path, pipe__client_access(options->direction, options->mode), 0, &attributes, OPEN_EXISTING,
      FILE_FLAG_OVERLAPPED | pipe__quality_of_service(options->impersonation), NULL);
  if (*handle == INVALID_HANDLE_VALUE)
    return GetLastError();
  DWORD code = options->flags & NPS_CLIENT_CURRENT_USER ? iocp_security_check_server(*handle) : ERROR_SUCCESS;
  if (code == ERROR_SUCCESS && options->mode == NPS_MODE_MESSAGE)
    code = pipe__read_messages(*handle);
  if (code != ERROR_SUCCESS)
    CloseHandle(*handle);
  return code;
}

nps_result os_pipe_open(const nps_client_options *options, os_pipe **pipe) {
  wchar_t path[IOCP_NAME_MAX + 1];
  nps_result result = iocp_name(options->name, options->server, path);
  if (result != NPS_OK)
    return result;
  os_pipe *made = os_alloc(sizeof *made);
  if (made == NULL)
    return iocp_result(ERROR_NOT_ENOUGH_MEMORY);
  DWORD code = pipe__open(path, options, &made->handle);
  if (code != ERROR_SUCCESS) {
    os_free(made);
    return iocp_result(code);
  }
  made->message = options->mode == NPS_MODE_MESSAGE;
  made->shared = (options->flags & NPS_CLIENT_INHERITABLE) != 0;
  *pipe = made;
  return NPS_OK;
}

nps_result os_pipe_handle(os_pipe *pipe, intptr_t *os_handle) {
  *os_handle = (intptr_t)pipe->handle;
  pipe->shared = true;
  return NPS_OK;
}

void os_pipe_close(os_pipe *pipe, bool keep_handle) {
  /* What is pending completes through the port without us: a packet names the operation, not the pipe (rules 4 and
   * 5). */
  if (!keep_handle)
    CloseHandle(pipe->handle);
  os_free(pipe);
}

nps_result os_pipe_bind(os_pipe *pipe, os_port *port) {
  if (CreateIoCompletionPort(pipe->handle, port->queue, IOCP_KEY_OPERATION, 0) == NULL) {
    DWORD code = GetLastError();
    if (code == ERROR_INVALID_PARAMETER) /* a handle can be bound once */
      return iocp_make_result(NPS_E_ALREADY_REGISTERED, code);
    return iocp_result(code);
  }
  pipe->port = port;
  /* Only on handles of our own: it cannot be taken back, and others may hold duplicates of an adopted one. Not where messages are
   * read: what it does with ERROR_MORE_DATA is not documented. Should it fail, a packet follows every success. */
  if (!pipe->adopted && !pipe->message) {
    UCHAR modes = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;
    pipe->skip = SetFileCompletionNotificationModes(pipe->handle, modes) ? IOCP_SKIP_ON : IOCP_SKIP_OFF;
  }
  return NPS_OK;
}

/* ---- I/O; operations are in op.c ---- */

/* pre: take_lock held. An event with its low bit set, so that no packet comes (GetQueuedCompletionStatus's page). A
 * code. */
static DWORD pipe__read_now(os_pipe *pipe, void *memory, DWORD size, DWORD *bytes) {
  os_port *port = pipe->port;
  if (port->take_event == NULL)
    port->take_event = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (port->take_event == NULL)
    return GetLastError();

  OVERLAPPED overlapped = {0};
  overlapped.hEvent = (HANDLE)((ULONG_PTR)port->take_event | 1);
  DWORD code = ReadFile(pipe->handle, memory, size, NULL, &overlapped) ? ERROR_SUCCESS : GetLastError();
  if (code == ERROR_IO_PENDING) {
    /* Rule 5: memory and OVERLAPPED are the caller's and ours again only when the kernel says so. */
    (void)CancelIoEx(pipe->handle, &overlapped);
    (void)WaitForSingleObject(port->take_event, INFINITE);
    code = GetOverlappedResult(pipe->handle, &overlapped, bytes, FALSE) ? ERROR_SUCCESS : GetLastError();
  }
  *bytes = code == ERROR_SUCCESS || code == ERROR_MORE_DATA ? (DWORD)overlapped.InternalHigh : 0;
  return code;
}

void os_pipe_take(os_pipe *pipe, const nps_buffer *buffers, uint32_t count, os_completion *done) {
  static char pipe__nothing;
  void *memory = count != 0 ? buffers->data : &pipe__nothing;
  DWORD size = count == 0 ? 0 : buffers->size < PIPE__MOST ? (DWORD)buffers->size : PIPE__MOST;
  DWORD available = 0, bytes = 0;
  DWORD code = PeekNamedPipe(pipe->handle, NULL, 0, NULL, &available, NULL) ? ERROR_SUCCESS : GetLastError();
  const bool asks = code == ERROR_SUCCESS && available != 0;
  if (asks) {
    /* Never more than is there, so that the read does not pend; if it does all the same, it is cancelled. */
    AcquireSRWLockExclusive(&pipe->port->take_lock);
    code = pipe__read_now(pipe, memory, size < available ? size : available, &bytes);
    ReleaseSRWLockExclusive(&pipe->port->take_lock);
  }

  iocp_complete(NULL, OS_READ, code, bytes, done);
  if (pipe->message && asks && (code == ERROR_SUCCESS || code == ERROR_MORE_DATA))
    return; /* with no bytes it was an empty message, or no room for one that is not */
  bool nothing = bytes == 0 && (code == ERROR_SUCCESS || code == ERROR_MORE_DATA || code == ERROR_OPERATION_ABORTED);
  if (nothing)
    done->result = iocp_make_result(NPS_WOULD_BLOCK, 0); /* a read of 0 bytes is no end of stream (rule 7) */
  else if (done->result == NPS_OK && bytes == available)
    done->flags |= OS_DRAINED;
}

void os_pipe_give(os_pipe *pipe, const nps_buffer *buffers, uint32_t count, os_completion *done) {
  (void)pipe;
  (void)buffers;
  (void)count;
  iocp_complete(NULL, OS_WRITE, ERROR_NOT_SUPPORTED, 0, done); /* os_direct_io is false: writes are operations */
}

void os_pipe_accept(os_pipe *pipe, os_op *op) {
  (void)pipe; /* the instance that listened is the connection */
  (void)op;
}

void os_op_discard(os_op *op) {
  (void)op; /* likewise: disconnect or close ends what nobody wants */
}

DWORD iocp_let_go(os_pipe *pipe) {
  DWORD code = DisconnectNamedPipe(pipe->handle) ? ERROR_SUCCESS : GetLastError();
  switch (code) {
  case ERROR_PIPE_LISTENING: /* a cancelled connect has not ended yet (Wine): still listening, as it should */
  case ERROR_PIPE_NOT_CONNECTED: /* disconnected before, or never connected */
  case ERROR_BAD_PIPE:
    code = ERROR_SUCCESS;
    break;
  default:
    break;
  }
  pipe->old_client = code != ERROR_SUCCESS;
  return code;
}

nps_result os_pipe_disconnect(os_pipe *pipe) {
  return iocp_result(iocp_let_go(pipe));
}

void os_pipe_retire(os_pipe *pipe) {
  (void)pipe; /* an instance that has a client does not listen, nor one that was disconnected */
}
