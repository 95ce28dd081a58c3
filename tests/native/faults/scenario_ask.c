/* scenario_ask.c - message pipes, and the calls that ask about a connection or half-close it. */
#include <string.h>

#include "scenarios.h"
#include "sys.h"
#include "world.h"

#if !defined(_WIN32)
#include <unistd.h> /* getegid, getgroups */
#endif

#define SERVER_TOKEN 1u
#define CLIENT_TOKEN 2u

/* What the answer may be besides NPS_OK where no fault strikes. */
static void ask__identity(world *w, nps_pipe *pipe) {
  uint32_t process = 0;
  char user[NPS_USER_SIZE];
  nps_result result;
  WORLD_OK(w, nps_pipe_peer_process(pipe, &process));
  WORLD_TRY(w, result, NPS_WOULD_BLOCK, nps_pipe_peer_user(pipe, user, sizeof user));
  if (sys_is_windows()) {
    result = nps_pipe_impersonate(pipe);
    if (result == NPS_OK) {
      WORLD_REQUIRE(nps_revert() == NPS_OK);
    } else {
      (void)fault_explains(result);
    }
  }
}

/* Until the other end, or what is left of its message, shows; then it is looked at. false: the session was lost. */
static bool ask__peek(world *w, uint64_t token, nps_pipe *pipe, uint64_t expected) {
  char seen[4];
  size_t count = 0;
  uint64_t available = 0;
  for (;;) {
    nps_result result = nps_pipe_peek(pipe, seen, sizeof seen, &count, &available);
    if (result == NPS_OK) {
      const bool guessed = fault_fired_code("ioctl", "EINVAL"); /* then what was seen counts */
      WORLD_REQUIRE(count == sizeof seen && (available == expected || (guessed && available == count)));
      return true;
    }
    switch (nps_result_status(result)) {
    case NPS_WOULD_BLOCK:
      (void)world_pump(w, w->poll, 1);
      break;
    case NPS_END_OF_STREAM:
      (void)fault_explains(result);
      return WORLD_LOST(w);
    default:
      world_excuse(w, result, __FILE__, __LINE__, "nps_pipe_peek");
      if (nps_result_status(result) != NPS_E_OUT_OF_MEMORY) {
        return WORLD_LOST(w);
      }
    }
    w->seen[token] &= ~(uint32_t)NPS_READABLE;
  }
}

/* An accepted write has failed: nothing may follow it. */
static bool ask__lost_in_background(world *w, nps_pipe *pipe) {
  nps_result error = NPS_OK;
  WORLD_REQUIRE(nps_pipe_take_error(pipe, &error) == NPS_OK);
  if (error == NPS_OK) {
    return false;
  }
  WORLD_REQUIRE(fault_explains(error));
  (void)WORLD_LOST(w);
  return true;
}

static bool ask__send(world *w, uint64_t token, nps_pipe *pipe, const char *memory, size_t size) {
  for (;;) {
    size_t count = 0;
    nps_result result = nps_pipe_write(pipe, memory, size, &count);
    if (result == NPS_OK) {
      WORLD_REQUIRE(count == size);
      return true;
    }
    if (nps_result_status(result) == NPS_WOULD_BLOCK) {
      (void)world_await(w, token, NPS_WRITABLE | NPS_CLOSED | NPS_ERROR);
      continue;
    }
    if (nps_result_status(result) != NPS_E_OUT_OF_MEMORY) {
      WORLD_REQUIRE(fault_explains(result));
      return WORLD_LOST(w);
    }
    world_excuse(w, result, __FILE__, __LINE__, "write");
    if (ask__lost_in_background(w, pipe)) {
      return false;
    }
  }
}

/* One message of `size` bytes, in parts of at most `chunk`. */
static bool ask__receive(world *w, uint64_t token, nps_pipe *pipe, size_t size, size_t chunk) {
  char memory[64];
  size_t have = 0;
  for (;;) {
    size_t count = 0;
    nps_result result = nps_pipe_read(pipe, memory, chunk, &count);
    const int32_t status = nps_result_status(result);
    have += count;
    WORLD_REQUIRE(have <= size);
    if (status == NPS_OK) {
      WORLD_REQUIRE(have == size);
      return true;
    }
    if (status == NPS_WOULD_BLOCK) {
      (void)world_await(w, token, NPS_READABLE | NPS_CLOSED | NPS_ERROR);
    } else if (status == NPS_END_OF_STREAM) {
      (void)fault_explains(result);
      return WORLD_LOST(w);
    } else if (status != NPS_MORE_DATA) {
      if (status != NPS_E_OUT_OF_MEMORY) {
        WORLD_REQUIRE(fault_explains(result));
        return WORLD_LOST(w);
      }
      world_excuse(w, result, __FILE__, __LINE__, "read");
    }
  }
}

/* Linux: not all is read; all is; and the other end sees the end. Windows says what it cannot do. */
static bool ask__finish(world *w, nps_pipe *from, nps_pipe *to) {
  uint64_t unread = 0;
  const nps_status cannot = sys_is_windows() ? NPS_E_NOT_SUPPORTED : NPS_WOULD_BLOCK;
  nps_result result = nps_pipe_drain_state(from, &unread);
  while (result != NPS_OK && nps_result_status(result) != (int32_t)cannot) {
    if (nps_result_status(result) == NPS_E_BROKEN_PIPE && fault_fired_code("recvmsg", "ECONNRESET")) {
      break; /* it was told that the peer has left in a hurry */
    }
    world_excuse(w, result, __FILE__, __LINE__, "nps_pipe_drain_state");
    result = nps_pipe_drain_state(from, &unread);
  }
  for (;;) {
    result = nps_pipe_shutdown(from);
    if (result == NPS_OK) {
      return sys_is_windows() ? ask__receive(w, CLIENT_TOKEN, to, 0, 8) : world_expect_end(w, CLIENT_TOKEN, to);
    }
    if (nps_result_status(result) == NPS_WOULD_BLOCK) {
      (void)world_await(w, SERVER_TOKEN, NPS_WRITABLE | NPS_CLOSED | NPS_ERROR);
      continue;
    }
    world_excuse(w, result, __FILE__, __LINE__, "nps_pipe_shutdown");
    if (ask__lost_in_background(w, from)) {
      return false;
    }
    if (nps_result_status(result) != NPS_E_OUT_OF_MEMORY && nps_result_status(result) != NPS_E_NOT_CONNECTED) {
      return WORLD_LOST(w);
    }
  }
}

static bool ask__session(world *w, nps_pipe *server, nps_pipe *client, bool message) {
  nps_info info = {.size = sizeof info};
  WORLD_OK(w, nps_pipe_info(server, &info));
  if (!ask__send(w, CLIENT_TOKEN, client, "abcdefghijkl", 12) || !ask__peek(w, SERVER_TOKEN, server, 12)) {
    return false;
  }
  ask__identity(w, server);
  ask__identity(w, client);
  if (!message) {
    world_way rest = {server, client, SERVER_TOKEN, CLIENT_TOKEN, 9, 30, 30};
    return world_transfer(w, &rest);
  }
  return ask__receive(w, SERVER_TOKEN, server, 12, 5) && ask__send(w, SERVER_TOKEN, server, "", 0) &&
         ask__receive(w, CLIENT_TOKEN, client, 0, 5) && ask__send(w, SERVER_TOKEN, server, "xyz", 3) &&
         ask__receive(w, CLIENT_TOKEN, client, 3, 64) && !ask__lost_in_background(w, server) &&
         ask__finish(w, server, client);
}

static void ask__begin(const char *name, bool message, nps_server_options *server, nps_client_options *client) {
  *server = server_options(name);
  *client = client_options(name);
  server->mode = client->mode = message ? NPS_MODE_MESSAGE : NPS_MODE_BYTE;
  server->out_buffer_size = 4096;
  client->flags = NPS_CLIENT_CURRENT_USER;
}

static void ask__run(const nps_server_options *options, const nps_client_options *client_options, bool message) {
  world w;
  world_open(&w, NULL);
  nps_pipe *server = world_server(&w, options);
  world_register(&w, server, w.poll, SERVER_TOKEN, BOTH_INTERESTS);
  bool done = false;
  while (!done) {
    nps_pipe *client = world_client(&w, client_options);
    if (client != NULL) {
      world_register(&w, client, w.poll, CLIENT_TOKEN, BOTH_INTERESTS);
      done = world_connect(&w, SERVER_TOKEN, server, CLIENT_TOKEN) && ask__session(&w, server, client, message);
    }
    world_end(client);
    if (!done) {
      world_drain(&w, server);
    }
  }
  world_end(server);
  world_close(&w);
}

static void ask__messages(void) {
  nps_server_options server;
  nps_client_options client;
  ask__begin("messages", true, &server, &client);
  ask__run(&server, &client, true);
}

const scenario scenario_messages = {"messages", ask__messages, false};

#if !defined(_WIN32)
/* A group that files of ours do not have by themselves, and may be given: root may give any. */
static uint32_t ask__other_group(void) {
  gid_t groups[64];
  const int count = geteuid() == 0 ? 0 : getgroups(64, groups);
  for (int i = 0; i < count; i++) {
    if (groups[i] != getegid()) {
      return (uint32_t)groups[i];
    }
  }
  return (uint32_t)getegid() + (geteuid() == 0);
}
#endif

/* Bytes, and another security than the default. */
static void ask__bytes(void) {
  nps_server_options server;
  nps_client_options client;
  ask__begin("asked", false, &server, &client);
#if defined(_WIN32)
  server.security = NPS_SECURITY_CURRENT_ELEVATION;
#else
  server.security = NPS_SECURITY_FILE_MODE;
  server.file_mode = 0660;
  server.file_group = ask__other_group();
#endif
  ask__run(&server, &client, false);
}

const scenario scenario_ask = {"questions", ask__bytes, false};
