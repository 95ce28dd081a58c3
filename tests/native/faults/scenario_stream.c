/* scenario_stream.c - bytes: both ways, one way, one connection after the other. */
#include <string.h>

#include "scenarios.h"
#include "world.h"

#define SERVER_TOKEN 1u
#define CLIENT_TOKEN 2u

static nps_server_options stream__server_options(const char *name, uint32_t direction) {
  nps_server_options options = server_options(name);
  options.direction = direction;
  options.in_buffer_size = options.out_buffer_size = 4096;
  return options;
}

/* A client for the server, and the server's connection with it; false: it was lost. */
static bool stream__link(world *w, nps_pipe *server, const char *name, uint32_t direction, nps_pipe **client) {
  nps_client_options options = client_options(name);
  options.direction = direction;
  *client = world_client(w, &options);
  if (*client == NULL) {
    return false;
  }
  world_register(w, *client, w->poll, CLIENT_TOKEN, BOTH_INTERESTS);
  return world_connect(w, SERVER_TOKEN, server, CLIENT_TOKEN);
}

/* ---- both ways: small, and more than the system holds ---- */

static bool stream__both_ways(world *w, nps_pipe *server, nps_pipe *client) {
  return world_transfer(w, &(world_way){client, server, CLIENT_TOKEN, SERVER_TOKEN, 1, 11, 64}) &&
         world_transfer(w, &(world_way){server, client, SERVER_TOKEN, CLIENT_TOKEN, 2, 30000, 9000}) &&
         world_transfer(w, &(world_way){client, server, CLIENT_TOKEN, SERVER_TOKEN, 3, 20000, 9000});
}

/* The client is registered anew when it is connected: the server's loss of it must be an event. */
static void stream__run_with(const char *name, uint32_t interest) {
  world w;
  world_open(&w, NULL);
  nps_server_options options = stream__server_options(name, NPS_DIRECTION_DUPLEX);
  nps_pipe *server = world_server(&w, &options);
  world_register(&w, server, w.poll, SERVER_TOKEN, interest);
  bool done = false;
  while (!done) {
    nps_pipe *client;
    done = stream__link(&w, server, name, NPS_DIRECTION_DUPLEX, &client);
    if (done && interest != BOTH_INTERESTS) {
      WORLD_OK(&w, nps_pipe_reregister(client, CLIENT_TOKEN, interest));
    }
    done = done && stream__both_ways(&w, server, client);
    world_end(client);
    done = done && world_expect_end(&w, SERVER_TOKEN, server);
    if (!done) {
      world_drain(&w, server);
    }
  }
  world_end(server);
  world_close(&w);
}

static void stream__run(void) {
  stream__run_with("transfer", BOTH_INTERESTS);
}

const scenario scenario_transfer = {"transfer", stream__run, false};

static void stream__run_on_demand(void) {
  stream__run_with("on-demand", BOTH_INTERESTS | NPS_INTEREST_ON_DEMAND);
}

const scenario scenario_on_demand = {"on demand", stream__run_on_demand, false};

/* ---- one way, without read-ahead; the writing end hears of the peer's close though it never reads (P8) ---- */

static bool stream__one_way(world *w, nps_pipe *server, nps_pipe **client) {
  if (!world_transfer(w, &(world_way){server, *client, SERVER_TOKEN, CLIENT_TOKEN, 4, 20000, 5000})) {
    return false;
  }
  world_end(*client);
  *client = NULL;
  uint32_t seen = 0;
  while ((seen & NPS_CLOSED) == 0) {
    if (!sys_is_windows()) {
      seen = world_await(w, SERVER_TOKEN, NPS_CLOSED | NPS_ERROR);
    } else {
      size_t count; /* it learns of it at its next write */
      nps_result result = nps_pipe_write(server, "x", 1, &count);
      if (nps_result_status(result) == NPS_E_BROKEN_PIPE) {
        (void)fault_explains(result);
        break;
      }
      if (nps_result_status(result) == NPS_WOULD_BLOCK) {
        world_await(w, SERVER_TOKEN, NPS_WRITABLE | NPS_CLOSED | NPS_ERROR);
      } else if (result != NPS_OK) {
        world_excuse(w, result, __FILE__, __LINE__, "write");
        if (nps_result_status(result) != NPS_E_OUT_OF_MEMORY) {
          break;
        }
      }
    }
    if ((seen & NPS_ERROR) != 0) {
      world_take_error(w, server);
    }
  }
  return true;
}

static void stream__run_one_way(void) {
  world w;
  nps_poll_options none;
  REQUIRE_OK(nps_poll_options_init(&none, sizeof none));
  none.pool_buffers = 0;
  world_open(&w, &none);
  nps_server_options options = stream__server_options("one-way", NPS_DIRECTION_OUT);
  options.read_ahead = 0;
  nps_pipe *server = world_server(&w, &options);
  world_register(&w, server, w.poll, SERVER_TOKEN, NPS_INTEREST_WRITABLE);
  bool done = false;
  while (!done) {
    nps_pipe *client;
    done = stream__link(&w, server, "one-way", NPS_DIRECTION_IN, &client) && stream__one_way(&w, server, &client);
    world_end(client);
    if (!done) {
      world_drain(&w, server);
    }
  }
  world_end(server);
  world_close(&w);
}

const scenario scenario_one_way = {"one way", stream__run_one_way, false};

/* ---- one connection after the other, listening anew in one call; a reader without interest in data ---- */

static void stream__listen(world *w, nps_pipe *server) {
  nps_result result;
  world_last_look(server);
  WORLD_TRY(w, result, NPS_WOULD_BLOCK, nps_pipe_disconnect(server, 1));
}

static void stream__run_relisten(void) {
  world w;
  world_open(&w, NULL);
  nps_server_options options = stream__server_options("relisten", NPS_DIRECTION_DUPLEX);
  nps_pipe *server = world_server(&w, &options);
  world_register(&w, server, w.poll, SERVER_TOKEN, NPS_INTEREST_WRITABLE);
  for (int round = 0; round < 3;) {
    nps_result listening;
    WORLD_TRY(&w, listening, NPS_WOULD_BLOCK, nps_pipe_connect(server));
    nps_pipe *client;
    bool done = stream__link(&w, server, "relisten", NPS_DIRECTION_DUPLEX, &client);
    WORLD_OK(&w, nps_pipe_reregister(server, SERVER_TOKEN, round == 1 ? NPS_INTEREST_WRITABLE : BOTH_INTERESTS));
    done = done && world_transfer(&w, &(world_way){server, client, SERVER_TOKEN, CLIENT_TOKEN, 5, 100, 40});
    if (done && round == 1) { /* the close is told, and then the data are read */
      size_t count = 0;
      WORLD_OK(&w, nps_pipe_write(client, "x", 1, &count));
      world_end(client);
      client = NULL;
      WORLD_OK(&w, nps_pipe_reregister(server, SERVER_TOKEN, BOTH_INTERESTS));
      while ((world_await(&w, SERVER_TOKEN, NPS_CLOSED | NPS_READABLE | NPS_ERROR) & NPS_ERROR) != 0) {
        world_take_error(&w, server);
      }
    } else if (done) {
      WORLD_OK(&w, nps_pipe_reregister(server, SERVER_TOKEN, BOTH_INTERESTS));
      done = world_transfer(&w, &(world_way){client, server, CLIENT_TOKEN, SERVER_TOKEN, 6, 3000, 5000});
    }
    world_end(client);
    if (done) {
      stream__listen(&w, server);
    } else {
      world_drain(&w, server);
    }
    w.seen[SERVER_TOKEN] = 0;
    round += done;
  }
  world_end(server);
  world_close(&w);
}

const scenario scenario_relisten = {"relisten", stream__run_relisten, false};

/* ---- a close that lingers ---- */

static bool stream__linger(world *w, nps_pipe *server, const char *name) {
  nps_pipe *client;
  char memory[3000];
  size_t count = 0;
  if (!stream__link(w, server, name, NPS_DIRECTION_DUPLEX, &client)) {
    world_end(client);
    return false;
  }
  pattern_fill(memory, sizeof memory, 7, 0);
  size_t sent = 0;
  nps_result result = NPS_OK;
  while (sent < sizeof memory &&
         (result = nps_pipe_write(client, memory + sent, sizeof memory - sent, &count)) == NPS_OK) {
    sent += count;
  }
  uint64_t unsent = 0;
  if (nps_result_status(result) < 0) {
    world_excuse(w, result, __FILE__, __LINE__, "write");
  }
  WORLD_REQUIRE(nps_pipe_flush_state(client, &unsent) >= 0);
  world_last_look(client);
  fault_set_closing(true);
  WORLD_REQUIRE(nps_pipe_close(client, NPS_FOREVER) >= 0);
  fault_set_closing(false);
  size_t have = 0;
  while (have < sent) {
    char bytes[512];
    result = nps_pipe_read(server, bytes, sizeof bytes, &count);
    if (nps_result_status(result) == NPS_WOULD_BLOCK) {
      world_await(w, SERVER_TOKEN, NPS_READABLE | NPS_CLOSED | NPS_ERROR);
    } else if (nps_result_status(result) == NPS_E_OUT_OF_MEMORY) {
      world_excuse(w, result, __FILE__, __LINE__, "read");
    } else if (result != NPS_OK) {
      (void)fault_explains(result);
      nps_pipe_release(client);
      return WORLD_LOST(w);
    }
    WORLD_REQUIRE(pattern_matches(bytes, count, 7, have));
    have += count;
  }
  nps_pipe_release(client);
  return sent == sizeof memory || WORLD_LOST(w);
}

static void stream__run_linger(void) {
  world w;
  world_open(&w, NULL);
  nps_server_options options = stream__server_options("linger", NPS_DIRECTION_DUPLEX);
  options.in_buffer_size = 256;
  options.read_ahead = 128;
  nps_pipe *server = world_server(&w, &options);
  world_register(&w, server, w.poll, SERVER_TOKEN, BOTH_INTERESTS);
  while (!stream__linger(&w, server, "linger")) {
    world_drain(&w, server);
  }
  world_end(server);
  world_close(&w);
}

const scenario scenario_linger = {"linger", stream__run_linger, false};
