/* status.c - what statuses and arguments are called. */
#include "base.h"

typedef struct status_text {
  const char *name;
  const char *text;
} status_text;

static const status_text status__good[] = {
    {"NPS_OK", "Done."},
    {"NPS_WOULD_BLOCK", "Not now; an event will say when."},
    {"NPS_END_OF_STREAM", "The peer closed, and all that it sent was read."},
    {"NPS_MORE_DATA", "This was a part of a message; the rest follows."},
};

static const status_text status__bad[] = {
    {"NPS_OK", "Done."},
    {"NPS_E_INVALID_ARGUMENT", "An argument is not valid; the detail says which."},
    {"NPS_E_OUT_OF_MEMORY", "There is not enough memory."},
    {"NPS_E_CLOSED", "The pipe or its poll has been closed."},
    {"NPS_E_NOT_REGISTERED", "The pipe is not registered with a poll."},
    {"NPS_E_ALREADY_REGISTERED", "The pipe is registered with a poll already, or its handle is bound to another port."},
    {"NPS_E_WAIT_BUSY", "Another thread is waiting on this poll."},
    {"NPS_E_NOT_FOUND", "Nobody serves a pipe of that name."},
    {"NPS_E_PIPE_BUSY", "Every instance of the pipe is taken."},
    {"NPS_E_ACCESS_DENIED", "Access is denied, or the name belongs to another server."},
    {"NPS_E_NAME_TOO_LONG", "The pipe's name is too long; the detail says the limit."},
    {"NPS_E_NOT_A_PIPE", "What is there is not a named pipe."},
    {"NPS_E_NOT_OVERLAPPED", "The handle was not opened for overlapped I/O."},
    {"NPS_E_NOT_CONNECTED", "The pipe has no peer; connect first."},
    {"NPS_E_BROKEN_PIPE", "The peer has closed the pipe."},
    {"NPS_E_TIMED_OUT", "The time limit passed."},
    {"NPS_E_TOO_MANY_HANDLES", "The process or the system has no handle left."},
    {"NPS_E_NOT_SUPPORTED", "This is not supported on this system, this kind of pipe or in this direction."},
    {"NPS_E_IO", "The system reported an error; the detail is its code."},
};

static const char *const argument__names[] = {
    "none",
    "poll",
    "pipe",
    "result",
    "options",
    "size",
    "name",
    "direction",
    "max_instances",
    "flags",
    "in_buffer_size",
    "out_buffer_size",
    "read_ahead",
    "write_limit",
    "timeout_ms",
    "pool_buffers",
    "pool_buffer_size",
    "events",
    "capacity",
    "interest",
    "buffer",
    "os_handle",
    "linger_ms",
    "info.size",
    "mode",
    "security",
    "file_mode",
    "descriptor",
    "impersonation",
    "server",
    "buffer_count",
    "message",
};

static const status_text *status__find(int32_t status) {
  static const status_text unknown = {"unknown", "unknown"};
  const int32_t good = (int32_t)(sizeof status__good / sizeof status__good[0]);
  const int32_t bad = (int32_t)(sizeof status__bad / sizeof status__bad[0]);
  if (status >= 0)
    return status < good ? &status__good[status] : &unknown;
  return status > -bad ? &status__bad[-status] : &unknown;
}

const char *nps_status_name(int32_t status) {
  return status__find(status)->name;
}

const char *nps_status_text(int32_t status) {
  return status__find(status)->text;
}

const char *nps_argument_name(uint32_t argument) {
  return argument < sizeof argument__names / sizeof argument__names[0] ? argument__names[argument] : "unknown";
}
