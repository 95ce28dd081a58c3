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
  world_register(w, *client, w->poll, CLIENT_TOKEN, BOTH_INTERESTS);
  return world_connect(w, SERVER_TOKEN, server, CLIENT_TOKEN);
}

/* ---- both ways: small, and more than the system holds ---- */

static bool stream__both_ways(world *w, nps_pipe *server, nps_pipe *client) {
  return world_transfer(w, &(world_way){client, server, CLIENT_TOKEN, SERVER_TOKEN, 1, 11, 64}) &&
         world_transfer(w, &(world_way){server, client, SERVER_TOKEN, CLIENT_TOKEN, 2, 30000, 9000}) &&
         world_transfer(w, &(world_way){client, server, CLIENT_TOKEN, SERVER_TOKEN, 3, 20000, 9000});
}

static void stream__run(void) {
  world w;
  world_open(&w, NULL);
  nps_server_options options = stream__server_options("transfer", NPS_DIRECTION_DUPLEX);
  nps_pipe *server = world_server(&w, &options);
  world_register(&w, server, w.poll, SERVER_TOKEN, BOTH_INTERESTS);
  bool done = false;
  while (!done) {
    nps_pipe *client;
    done = stream__link(&w, server, "transfer", NPS_DIRECTION_DUPLEX, &client) && stream__both_ways(&w, server, client);
    world_end(client);
    done = done && world_expect_end(&w, SERVER_TOKEN, server);
    if (!done) {
      world_drain(&w, server);
    }
  }
  world_end(server);
  world_close(&w);
}

const scenario scenario_transfer = {"transfer", stream__run, false};

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
      if (nps_result_status(result) == NPS_E_BROKEN_PIPE)
        break;
      if (result < 0)
        world_excuse(w, result, __FILE__, __LINE__, "write");
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
