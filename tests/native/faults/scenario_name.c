/* scenario_name.c - taking names, giving them up, opening them; handles from elsewhere. */
#include <stdio.h>

#include "peer.h"
#include "scenarios.h"
#include "sys.h"
#include "world.h"

/* ---- who has the name already ---- */

static void name__free(world *w) {
  nps_server_options options = server_options("name");
  options.max_instances = 2;
  nps_pipe *first = world_server(w, &options);
  nps_pipe *second = world_server(w, &options);
  nps_pipe *third = NULL;
  WORLD_EXPECT(w, NPS_E_PIPE_BUSY, nps_pipe_create(&options, &third));
  world_end(first);
  world_end(second);
}

/* Left by a server that crashed. */
static void name__dead(world *w) {
  if (sys_is_windows()) {
    return; /* nothing is left there */
  }
  (void)remove(peer_full_name("dead")); /* as below */
  peer_leave_dead_name("dead");
  nps_server_options options = server_options("dead");
  nps_pipe *server = world_server(w, &options);
  world_end(server);
}

/* Somebody else's server: never joined, never removed (O4). */
static void name__taken(world *w) {
  if (sys_is_windows()) {
    return; /* Wine lets us join; Windows is asked by the conformance suite */
  }
  (void)remove(peer_full_name("taken")); /* of a run whose system let us serve it, and then not clean up */
  peer_server *squatter = peer_listen("taken", 8);
  nps_server_options options = server_options("taken");
  options.flags = NPS_SERVER_FIRST_INSTANCE;
  nps_pipe *server = NULL;
  for (;;) {
    nps_result result = nps_pipe_create(&options, &server);
    if (nps_result_status(result) == NPS_E_ACCESS_DENIED) {
      (void)fault_explains(result);
      break;
    }
    if (result == NPS_OK) { /* the system itself has said that nobody is there */
      WORLD_REQUIRE(fault_fired_code("connect", "ECONNREFUSED"));
      world_end(server);
      server = NULL;
      break;
    }
    world_excuse(w, result, __FILE__, __LINE__, "create");
  }
  peer_server_close(squatter);
}

/* What is there is no pipe; it is not touched. */
static void name__file(world *w) {
  if (sys_is_windows()) {
    return; /* no such thing */
  }
  FILE *file = fopen(peer_full_name("file"), "w");
  REQUIRE(file != NULL);
  REQUIRE(fclose(file) == 0);
  nps_server_options options = server_options("file");
  nps_client_options opening = client_options("file");
  nps_pipe *pipe = NULL;
  WORLD_EXPECT(w, NPS_E_NOT_A_PIPE, nps_pipe_create(&options, &pipe));
  nps_result result = nps_pipe_open(&opening, &pipe);
  if (nps_result_status(result) == NPS_E_NOT_FOUND && fault_fired() != 0) {
    result = nps_pipe_open(&opening, &pipe); /* it could not see what is there */
  }
  if (nps_result_status(result) != NPS_E_NOT_A_PIPE) {
    world_excuse(w, result, __FILE__, __LINE__, "open");
    WORLD_EXPECT(w, NPS_E_NOT_A_PIPE, nps_pipe_open(&opening, &pipe));
  }
  (void)fault_explains(result);
  WORLD_REQUIRE(remove(peer_full_name("file")) == 0);
}

static void name__run(void) {
  world w;
  world_open(&w, NULL);
  name__free(&w);
  name__dead(&w);
  name__taken(&w);
  name__file(&w);
  world_close(&w);
}

const scenario scenario_names = {"names", name__run, false};

#if defined(_WIN32)
/* ---- a name whose descriptor is the caller's ---- */

static void name__run_descriptor(void) {
  world w;
  world_open(&w, NULL);
  nps_server_options options = server_options("descriptor");
  nps_client_options opening = client_options("descriptor");
  options.security = NPS_SECURITY_DESCRIPTOR;
  options.descriptor = "D:P(A;;FA;;;OW)(A;;FA;;;WD)";
  nps_pipe *first = world_server(&w, &options);
  nps_pipe *second = world_server(&w, &options); /* what is there already has the right owner */
  nps_pipe *client = NULL;
  while (client == NULL) {
    client = world_client(&w, &opening);
  }
  world_end(client);
  world_end(second);
  world_end(first);
  options.descriptor = "D:(A;;FA;;;XX)";
  WORLD_EXPECT(&w, NPS_E_INVALID_ARGUMENT, nps_pipe_create(&options, &first));
  world_close(&w);
}

const scenario scenario_descriptor = {"descriptor", name__run_descriptor, false};
#endif

/* ---- opening ---- */

static void name__open_peer(world *w, bool exported) {
  nps_client_options options = client_options("peer");
  nps_pipe *client = NULL;
  peer_server *server = NULL;
  while (client == NULL) {
    server = peer_listen("peer", 8);
    client = world_client(w, &options);
    if (client == NULL) {
      peer_server_close(server);
    }
  }
  intptr_t handle = -1;
  if (exported) {
    WORLD_OK(w, nps_pipe_export(client, &handle));
    nps_pipe_release(client);
    peer_close_handle(handle);
  } else {
    WORLD_OK(w, nps_pipe_os_handle(client, &handle));
    WORLD_REQUIRE(handle > 0);
    world_end(client);
  }
  peer_server_close(server);
}

static void name__run_open(void) {
  world w;
  world_open(&w, NULL);
  nps_client_options options = client_options("nobody");
  nps_pipe *client = NULL;
  WORLD_EXPECT(&w, NPS_E_NOT_FOUND, nps_pipe_open(&options, &client));
  options.timeout_ms = 3;
  WORLD_EXPECT(&w, NPS_E_NOT_FOUND, nps_pipe_open(&options, &client));
  name__open_peer(&w, false);
  name__open_peer(&w, true);
  world_close(&w);
}

const scenario scenario_open = {"open", name__run_open, true};

/* ---- handles from elsewhere ---- */

static bool name__adopted(world *w, nps_pipe *pipe, peer *other) {
  size_t count = 0;
  nps_result result;
  WORLD_REQUIRE(peer_send(other, "abc", 3));
  char bytes[4];
  size_t have = 0;
  while (have < 3) {
    result = nps_pipe_read(pipe, bytes + have, sizeof bytes - have, &count);
    if (nps_result_status(result) == NPS_WOULD_BLOCK) {
      world_await(w, 1, NPS_READABLE | NPS_CLOSED | NPS_ERROR);
    } else if (nps_result_status(result) == NPS_E_OUT_OF_MEMORY) {
      world_excuse(w, result, __FILE__, __LINE__, "read");
    } else if (result != NPS_OK) {
      if (nps_result_status(result) == NPS_END_OF_STREAM) {
        (void)fault_explains(result);
      } else {
        world_excuse(w, result, __FILE__, __LINE__, "read");
      }
      return WORLD_LOST(w);
    }
    have += count;
  }
  WORLD_REQUIRE(have == 3 && bytes[0] == 'a' && bytes[2] == 'c');
  char last[] = "yz";
  const nps_buffer parts[] = {{last, 1}, {last + 1, 1}};
  while ((result = nps_pipe_write_vector(pipe, parts, 2, &count)) != NPS_OK) {
    if (nps_result_status(result) == NPS_WOULD_BLOCK) {
      world_await(w, 1, NPS_WRITABLE | NPS_CLOSED | NPS_ERROR);
      continue;
    }
    world_excuse(w, result, __FILE__, __LINE__, "write");
    if (nps_result_status(result) != NPS_E_OUT_OF_MEMORY) {
      return WORLD_LOST(w);
    }
  }
  WORLD_REQUIRE(count == 2);
  peer_receive_exactly(other, bytes, 2);
  return true;
}

static void name__run_adopt(void) {
  world w;
  world_open(&w, NULL);
  bool done = false;
  while (!done) {
    peer *ours, *other;
    peer_pair(&ours, &other);
    intptr_t handle = peer_take_handle(ours);
    nps_pipe *pipe = NULL;
    WORLD_OK(&w, nps_pipe_adopt(handle, NULL, &pipe));
    WORLD_OK(&w, nps_pipe_export(pipe, &handle)); /* and back */
    nps_pipe_release(pipe);
    WORLD_OK(&w, nps_pipe_adopt(handle, NULL, &pipe));
    world_register(&w, pipe, w.poll, 1, BOTH_INTERESTS);
    done = name__adopted(&w, pipe, other);
    world_end(pipe);
    peer_close(other);
  }
  world_close(&w);
}

const scenario scenario_adopt = {"adopt", name__run_adopt, false};
