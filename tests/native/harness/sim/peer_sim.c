/* peer.h over the simulated kernel: the other end is a file of that kernel. A peer that waits lets the kernel work, and the other
 * threads of the case. */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors.h"
#include "test.h"

#define MOST_AT_ONCE 1048576u

struct peer {
  sim_file *file;
};

struct peer_server {
  char name[300];
  uint32_t left; /* instances that may still be made */
  sim_file *next; /* the instance that listens; null when all are taken */
};

const char *peer_full_name(const char *name) {
  size_t size = strlen(sim_name_prefix()) + strlen(name) + 1;
  char *full = test_new(size);
  (void)snprintf(full, size, "%s%s", sim_name_prefix(), name);
  return full;
}

static peer *peer__new(sim_file *file) {
  peer *made = calloc(1, sizeof *made);
  REQUIRE(made != NULL);
  made->file = file;
  return made;
}

/* ---------------------------------------------------------------- connecting */

peer_open_status peer_try_open(const char *name, peer **opened) {
  actors_pass();
  sim_file *file = NULL;
  nps_result result = sim_try_connect(name, NPS_DIRECTION_DUPLEX, &file);
  switch (nps_result_status(result)) {
  case NPS_OK:
    *opened = peer__new(file);
    return PEER_OPENED;
  case NPS_E_NOT_FOUND:
    return PEER_NOT_FOUND;
  case NPS_E_PIPE_BUSY:
    return PEER_BUSY;
  case NPS_E_ACCESS_DENIED:
    return PEER_DENIED;
  default:
    return PEER_FAILED;
  }
}

static sim_file *peer__serve(peer_server *server) {
  if (!os_direct_io && server->left-- == 0) {
    server->left = 0;
    return NULL;
  }
  return sim_serve(server->name, NPS_DIRECTION_DUPLEX, 0);
}

peer_server *peer_listen(const char *name, uint32_t instances) {
  peer_server *server = calloc(1, sizeof *server);
  REQUIRE(server != NULL);
  (void)snprintf(server->name, sizeof server->name, "%s", name);
  server->left = instances;
  server->next = peer__serve(server);
  REQUIRE(server->next != NULL);
  return server;
}

static bool peer__has_client(void *context) {
  const sim_view view = sim_look(context);
  return view.connected || view.backlog != 0;
}

peer *peer_accept(peer_server *server) {
  REQUIRE(server->next != NULL);
  REQUIRE(actors_wait(peer__has_client, server->next, test_deadline()));
  REQUIRE(sim_accept(server->next));
  peer *accepted = peer__new(server->next);
  server->next = peer__serve(server);
  return accepted;
}

void peer_server_close(peer_server *server) {
  if (server->next != NULL) {
    sim_close(server->next);
  }
  free(server);
}

void peer_leave_dead_name(const char *name) {
  FAIL("the simulated kernel has no dead name like %s", name);
}

/* ---------------------------------------------------------------- bytes */

static bool peer__can_send(void *context) {
  const sim_view view = sim_look(context);
  return !view.connected || view.peer_broken || view.room != 0;
}

/* What a helper thread moves at once: perhaps a part, and then another thread's turn comes. */
static uint32_t peer__part(size_t size) {
  uint32_t most = size > MOST_AT_ONCE ? MOST_AT_ONCE : (uint32_t)size;
  if (!actors_is_helper() || most <= 1 || sim_chance(sim_current()->whole_percent)) {
    return most;
  }
  actors_pass();
  return 1 + sim_random(most);
}

bool peer_send(peer *to, const void *memory, size_t size) {
  size_t sent = 0;
  actors_pass();
  while (sent < size) {
    uint32_t part = peer__part(size - sent);
    if (!actors_wait(peer__can_send, to->file, test_deadline())) {
      FAIL("the peer could send only %llu of %llu bytes", (unsigned long long)sent, (unsigned long long)size);
    }
    const sim_view view = sim_look(to->file);
    if (!view.connected || view.peer_broken) {
      return false;
    }
    sent += sim_write(to->file, (const char *)memory + sent, part);
  }
  return true;
}

static bool peer__can_receive(void *context) {
  const sim_view view = sim_look(context);
  return !view.connected || view.unread != 0 || view.peer_done;
}

ptrdiff_t peer_receive(peer *from, void *memory, size_t size) {
  actors_pass();
  uint32_t part = size == 0 ? 0 : peer__part(size);
  if (!actors_wait(peer__can_receive, from->file, test_deadline())) {
    return -1;
  }
  return (ptrdiff_t)sim_read(from->file, memory, part);
}

bool peer_nothing_there(peer *from) {
  return !peer__can_receive(from->file);
}

/* ---------------------------------------------------------------- handles */

void peer_close(peer *one) {
  peer_close_handle(peer_take_handle(one));
}

intptr_t peer_take_handle(peer *one) {
  intptr_t handle = sim_handle(one->file);
  free(one);
  return handle;
}

peer *peer_of_handle(intptr_t os_handle) {
  sim_file *file = sim_file_of_handle(os_handle);
  REQUIRE(file != NULL);
  return peer__new(file);
}

void peer_pair(peer **one, peer **other) {
  const char *name = test_name();
  peer_server *server = peer_listen(name, 1);
  *one = peer_open(name);
  *other = peer_accept(server);
  peer_server_close(server);
}

void peer_close_handle(intptr_t os_handle) {
  sim_file *file = sim_file_of_handle(os_handle);
  REQUIRE(file != NULL);
  sim_close(file);
  actors_pass();
}
