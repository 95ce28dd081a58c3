/* serve.c - what a name is good for after its server, or its client, was killed. */
#include "kill.h"

#define SERVER 2
#define CLIENT 3

enum { BYTES = 5000 };

static void serve__plain_client(kill_round *round, nps_pipe *server) {
  peer *client = peer_open(round->plan.name);
  loop_connect(round->loop, SERVER, server);
  pattern_fill(round->memory, BYTES, 5, 0);
  REQUIRE(peer_send(client, round->memory, BYTES));
  loop_read_pattern(round->loop, SERVER, server, 5, BYTES, (read_way){KILL_BUFFER, false});
  loop_write_pattern(round->loop, SERVER, server, 6, BYTES);
  peer_receive_exactly(client, round->memory, BYTES);
  pattern_require(round->memory, BYTES, 6, 0);
  peer_close(client);
  loop_expect_end(round->loop, SERVER, server);
}

static void serve__our_client(kill_round *round, nps_pipe *server) {
  nps_client_options options = client_options(round->plan.name); /* one try */
  nps_pipe *client = NULL;
  REQUIRE_OK(nps_pipe_open(&options, &client));
  register_pipe(round->loop, client, CLIENT);
  loop_connect(round->loop, SERVER, server);
  loop_write_pattern(round->loop, CLIENT, client, 5, BYTES);
  loop_read_pattern(round->loop, SERVER, server, 5, BYTES, (read_way){KILL_BUFFER, false});
  loop_write_pattern(round->loop, SERVER, server, 6, BYTES);
  loop_read_pattern(round->loop, CLIENT, client, 6, BYTES, (read_way){KILL_BUFFER, false});
  end_pipe(client);
  loop_expect_end(round->loop, SERVER, server);
}

void kill_serve_again(kill_round *round) {
  nps_server_options options = server_options(round->plan.name);
  nps_pipe *server = NULL;
  options.flags = NPS_SERVER_FIRST_INSTANCE; /* nothing of the former one is left */
  REQUIRE_OK(nps_pipe_create(&options, &server));
  register_pipe(round->loop, server, SERVER);
  if (round->plan.seed % 2 == 0) {
    serve__plain_client(round, server);
  } else {
    serve__our_client(round, server);
  }
  end_pipe(server);
}
