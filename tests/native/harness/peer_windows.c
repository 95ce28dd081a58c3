#include "peer.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* Overlapped handles, each call waited for: that is how a blocking call gets a deadline, and how one thread can send
 * while another receives. */
struct peer {
  HANDLE pipe;
  HANDLE send_event;
  HANDLE receive_event;
};

struct peer_server {
  char name[300];
  uint32_t instances;
  HANDLE next; /* the instance that listens; there is always one while instances are left */
};

static void peer__path(const char *name, char path[300]) {
  (void)snprintf(path, 300, "\\\\.\\pipe\\%s", name);
}

const char *peer_full_name(const char *name) {
  char *path = test_new(300);
  peer__path(name, path);
  return path;
}

static peer *peer__new(HANDLE pipe) {
  peer *made = calloc(1, sizeof *made);
  REQUIRE(made != NULL);
  made->pipe = pipe;
  made->send_event = CreateEventW(NULL, TRUE, FALSE, NULL);
  made->receive_event = CreateEventW(NULL, TRUE, FALSE, NULL);
  REQUIRE(made->send_event != NULL && made->receive_event != NULL);
  return made;
}

peer_open_status peer_try_open(const char *name, peer **opened) {
  char path[300];
  peer__path(name, path);
  HANDLE pipe = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
  if (pipe != INVALID_HANDLE_VALUE) {
    *opened = peer__new(pipe);
    return PEER_OPENED;
  }
  switch (GetLastError()) {
  case ERROR_FILE_NOT_FOUND:
    return PEER_NOT_FOUND;
  case ERROR_PIPE_BUSY:
    return PEER_BUSY;
  case ERROR_ACCESS_DENIED:
    return PEER_DENIED;
  default:
    return PEER_FAILED;
  }
}

static HANDLE peer__create(const peer_server *server, DWORD more_flags) {
  return CreateNamedPipeA(server->name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | more_flags,
      PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, server->instances, 65536, 65536, 0,
      NULL);
}

peer_server *peer_listen(const char *name, uint32_t instances) {
  peer_server *server = calloc(1, sizeof *server);
  REQUIRE(server != NULL);
  peer__path(name, server->name);
  server->instances = instances;
  server->next = peer__create(server, FILE_FLAG_FIRST_PIPE_INSTANCE);
  REQUIRE(server->next != INVALID_HANDLE_VALUE);
  return server;
}

void peer_leave_dead_name(const char *name) {
  (void)name;
}

/* The bytes moved, or -1 with *error. Cancels at the deadline with *error = ERROR_TIMEOUT. */
static int64_t peer__finish(HANDLE pipe, OVERLAPPED *overlapped, BOOL started, DWORD *error) {
  DWORD moved = 0;
  bool late = false;
  *error = started ? ERROR_SUCCESS : GetLastError();
  if (*error == ERROR_IO_PENDING) {
    if (WaitForSingleObject(overlapped->hEvent, TEST_DEADLINE_MS) != WAIT_OBJECT_0) {
      late = true;
      CancelIoEx(pipe, overlapped);
    }
  } else if (*error != ERROR_SUCCESS) {
    return -1;
  }
  if (!GetOverlappedResult(pipe, overlapped, &moved, TRUE)) {
    *error = late ? ERROR_TIMEOUT : GetLastError();
    return -1;
  }
  *error = ERROR_SUCCESS;
  return (int64_t)moved;
}

peer *peer_accept(peer_server *server) {
  REQUIRE(server->next != INVALID_HANDLE_VALUE);
  peer *accepted = peer__new(server->next);
  OVERLAPPED overlapped = {0};
  DWORD error;
  overlapped.hEvent = accepted->receive_event;
  int64_t done = peer__finish(server->next, &overlapped, ConnectNamedPipe(server->next, &overlapped), &error);
  REQUIRE(done >= 0 || error == ERROR_PIPE_CONNECTED || error == ERROR_NO_DATA);
  server->next = peer__create(server, 0); /* none, when all instances are taken */
  return accepted;
}

void peer_server_close(peer_server *server) {
  if (server->next != INVALID_HANDLE_VALUE) {
    CloseHandle(server->next);
  }
  free(server);
}

bool peer_send(peer *to, const void *memory, size_t size) {
  size_t sent = 0;
  while (sent < size) {
    OVERLAPPED overlapped = {0};
    DWORD error;
    DWORD part = size - sent > 1048576 ? 1048576 : (DWORD)(size - sent);
    overlapped.hEvent = to->send_event;
    int64_t moved = peer__finish(
        to->pipe, &overlapped, WriteFile(to->pipe, (const char *)memory + sent, part, NULL, &overlapped), &error);
    if (moved < 0) {
      REQUIRE(error != ERROR_TIMEOUT);
      return false;
    }
    sent += (size_t)moved;
  }
  return true;
}

ptrdiff_t peer_receive(peer *from, void *memory, size_t size) {
  OVERLAPPED overlapped = {0};
  DWORD error;
  DWORD part = size > 1048576 ? 1048576 : (DWORD)size;
  overlapped.hEvent = from->receive_event;
  int64_t moved = peer__finish(from->pipe, &overlapped, ReadFile(from->pipe, memory, part, NULL, &overlapped), &error);
  if (moved >= 0) {
    return (ptrdiff_t)moved;
  }
  return error == ERROR_TIMEOUT ? -1 : 0;
}

bool peer_nothing_there(peer *from) {
  DWORD there = 0;
  return PeekNamedPipe(from->pipe, NULL, 0, NULL, &there, NULL) && there == 0;
}

void peer_close(peer *one) {
  peer_close_handle(peer_take_handle(one));
}

intptr_t peer_take_handle(peer *one) {
  intptr_t handle = (intptr_t)one->pipe;
  CloseHandle(one->send_event);
  CloseHandle(one->receive_event);
  free(one);
  return handle;
}

peer *peer_of_handle(intptr_t os_handle) {
  return peer__new((HANDLE)os_handle);
}

void peer_pair(peer **one, peer **other) {
  const char *name = test_name();
  peer_server *server = peer_listen(name, 1);
  *one = peer_open(name);
  *other = peer_accept(server);
  peer_server_close(server);
}

void peer_close_handle(intptr_t os_handle) {
  CloseHandle((HANDLE)os_handle);
}
