/* floor_iocp.c - the floor on Windows: bare overlapped pipes on completion ports, with
 * FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, a read posted ahead on every end, and one write in flight. A write
 * in flight uses the driver's memory, and blocks the next one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include "transport.h"

enum { BATCH = 64, PATH_CAPACITY = 128, QUOTA = 65536, MANY_ENDS_READ = 4096 };

typedef enum io_kind { IO_CONNECT, IO_READ, IO_WRITE } io_kind;

typedef struct io_op {
  OVERLAPPED overlapped; /* first: a packet's OVERLAPPED is its io_op */
  bench_end *end;
  io_kind kind;
} io_op;

struct bench_io {
  bench_side *side;
  HANDLE handle;
  io_op in; /* the connect, then the reads */
  io_op out;
  bool writing;
  uint32_t capacity;
  uint8_t buffer[];
};

struct bench_side {
  HANDLE port;
  uint32_t ends;
  uint32_t size;
  OVERLAPPED_ENTRY entries[BATCH];
};

bench_side *transport_side_open(uint32_t ends, uint32_t size) {
  bench_side *side = bench_alloc(sizeof *side);
  side->ends = ends;
  side->size = size;
  side->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
  bench_require(side->port != NULL, "CreateIoCompletionPort");
  return side;
}

void transport_side_close(bench_side *side) {
  CloseHandle(side->port);
  free(side);
}

static void floor__path(wchar_t *path, const char *name) {
  static const char prefix[] = "\\\\.\\pipe\\";
  size_t length = 0;
  for (const char *c = prefix; *c != '\0'; c++)
    path[length++] = (wchar_t)*c;
  for (const char *c = name; *c != '\0' && length < PATH_CAPACITY - 1; c++)
    path[length++] = (wchar_t)*c;
  path[length] = L'\0';
}

static void floor__init(bench_side *side, bench_end *end, HANDLE handle) {
  uint32_t capacity = side->ends == 1 ? BENCH_READ_CAPACITY : side->ends > BATCH * 4 ? side->size : MANY_ENDS_READ;
  bench_io *io = bench_alloc(sizeof *io + capacity);
  io->side = side;
  io->handle = handle;
  io->capacity = capacity;
  io->in.end = end;
  io->out.end = end;
  io->out.kind = IO_WRITE;
  end->io = io;
  bench_require(CreateIoCompletionPort(handle, side->port, 0, 0) != NULL, "CreateIoCompletionPort");
  bench_require(
      SetFileCompletionNotificationModes(handle, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE),
      "SetFileCompletionNotificationModes");
}

/* A read came to its end: false when the peer has closed. */
static bool floor__received(bench_end *end, DWORD error, DWORD bytes) {
  if (error == ERROR_SUCCESS) {
    driver_readable(end, end->io->buffer, bytes);
    return true;
  }
  SetLastError(error);
  bench_require(error == ERROR_BROKEN_PIPE, "ReadFile");
  driver_closed(end);
  return false;
}

/* Keeps a read posted. */
static void floor__read(bench_end *end) {
  bench_io *io = end->io;
  for (;;) {
    DWORD bytes = 0;
    DWORD error = ERROR_SUCCESS;
    memset(&io->in.overlapped, 0, sizeof io->in.overlapped);
    io->in.kind = IO_READ;
    if (!ReadFile(io->handle, io->buffer, io->capacity, &bytes, &io->in.overlapped))
      error = GetLastError();
    if (error == ERROR_IO_PENDING || !floor__received(end, error, bytes))
      return;
  }
}

static void floor__connect(bench_end *end) {
  bench_io *io = end->io;
  memset(&io->in.overlapped, 0, sizeof io->in.overlapped);
  io->in.kind = IO_CONNECT;
  bench_require(
      !ConnectNamedPipe(io->handle, &io->in.overlapped) && GetLastError() == ERROR_IO_PENDING, "ConnectNamedPipe");
}

void transport_listen(bench_side *side, bench_end *end, const char *name) {
  wchar_t path[PATH_CAPACITY];
  floor__path(path, name);
  HANDLE handle = CreateNamedPipeW(path, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
      PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS, PIPE_UNLIMITED_INSTANCES, QUOTA, QUOTA, 0, NULL);
  bench_require(handle != INVALID_HANDLE_VALUE, "CreateNamedPipe");
  floor__init(side, end, handle);
  floor__connect(end);
}

void transport_listen_again(bench_end *end) {
  bench_require(DisconnectNamedPipe(end->io->handle), "DisconnectNamedPipe");
  floor__connect(end);
}

void transport_open(bench_side *side, bench_end *end, const char *name) {
  wchar_t path[PATH_CAPACITY];
  floor__path(path, name);
  HANDLE handle = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
      FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
  bench_require(handle != INVALID_HANDLE_VALUE, "CreateFile");
  floor__init(side, end, handle);
  floor__read(end);
}

/* Waits for the packet of a cancelled read: its memory is about to be freed. */
static void floor__drain(bench_io *io) {
  OVERLAPPED_ENTRY entry;
  ULONG count;
  do {
    bench_require(
        GetQueuedCompletionStatusEx(io->side->port, &entry, 1, &count, INFINITE, FALSE), "GetQueuedCompletionStatusEx");
  } while (entry.lpOverlapped != &io->in.overlapped);
}

void transport_close(bench_end *end) {
  bench_io *io = end->io;
  if (CancelIoEx(io->handle, &io->in.overlapped))
    floor__drain(io);
  CloseHandle(io->handle);
  free(io);
  end->io = NULL;
}

uint32_t transport_write(bench_end *end, const uint8_t *data, uint32_t size) {
  bench_io *io = end->io;
  DWORD bytes = 0;
  if (io->writing)
    return 0;
  memset(&io->out.overlapped, 0, sizeof io->out.overlapped);
  if (WriteFile(io->handle, data, size, &bytes, &io->out.overlapped))
    return bytes;
  bench_require(GetLastError() == ERROR_IO_PENDING, "WriteFile");
  io->writing = true;
  return size;
}

static void floor__complete(const OVERLAPPED_ENTRY *entry) {
  io_op *op = (io_op *)(void *)entry->lpOverlapped;
  DWORD bytes = 0;
  DWORD error = ERROR_SUCCESS;
  if (!GetOverlappedResult(op->end->io->handle, &op->overlapped, &bytes, FALSE))
    error = GetLastError();
  switch (op->kind) {
  case IO_CONNECT:
    SetLastError(error);
    bench_require(error == ERROR_SUCCESS, "ConnectNamedPipe");
    driver_connected(op->end);
    floor__read(op->end);
    break;
  case IO_READ:
    if (floor__received(op->end, error, bytes))
      floor__read(op->end);
    break;
  case IO_WRITE:
    SetLastError(error);
    bench_require(error == ERROR_SUCCESS, "WriteFile");
    op->end->io->writing = false;
    driver_writable(op->end);
    break;
  }
}

void transport_wait(bench_side *side, int timeout_ms) {
  ULONG count = 0;
  DWORD timeout = timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms;
  ULONG batch =
      side->ends < BATCH ? side->ends : BATCH; /* a batch that cannot be filled costs a failing request under Wine */
  if (!GetQueuedCompletionStatusEx(side->port, side->entries, batch, &count, timeout, FALSE)) {
    bench_require(GetLastError() == WAIT_TIMEOUT, "GetQueuedCompletionStatusEx");
    return;
  }
  for (ULONG i = 0; i < count; i++)
    floor__complete(&side->entries[i]);
}
