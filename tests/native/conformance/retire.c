/* An instance that will not listen again: C10. Linux gives the name up with the last that may; on Windows it is taken while anybody
 * has it, and a client is told busy. */
#include <stdio.h>

#include "loop.h"
#include "sys.h"

static nps_pipe *connected_server(loop *l, uint64_t token, const char *name, peer **client) {
  nps_pipe *server = server_new(name);
  register_pipe(l, server, token);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  *client = peer_open(name);
  loop_connect(l, token, server);
  return server;
}

static void require_both_ways(loop *l, uint64_t token, nps_pipe *server, peer *client) {
  char byte = 0;
  REQUIRE_OK(try_write(server));
  peer_receive_exactly(client, &byte, 1);
  REQUIRE(peer_send(client, "y", 1));
  REQUIRE_EQUAL(1, loop_read(l, token, server, &byte, 1));
  REQUIRE_EQUAL('y', byte);
}

/* The name is not served, but some have connections. */
static void require_nobody_listens(const char *name) {
  nps_client_options options = client_options(name);
  nps_pipe *ours = NULL;
  peer *client = NULL;
  REQUIRE_EQUAL(sys_is_windows() ? PEER_BUSY : PEER_NOT_FOUND, peer_try_open(name, &client));
  nps_result result = nps_pipe_open(&options, &ours);
  REQUIRE_STATUS(sys_is_windows() ? NPS_E_PIPE_BUSY : NPS_E_NOT_FOUND, result);
}

static void require_end(peer *client) {
  char byte;
  REQUIRE_EQUAL(0, peer_receive(client, &byte, 1));
  peer_close(client);
}

TEST(test_a_retired_instance_keeps_its_connection_and_does_not_listen_again) { /* C10 */
  loop *l = loop_new();
  const char *name = test_name();
  peer *client;
  nps_pipe *server = connected_server(l, 1, name, &client);
  REQUIRE_OK(nps_pipe_retire(server));
  REQUIRE_OK(nps_pipe_retire(server)); /* said before */
  require_both_ways(l, 1, server, client);
  REQUIRE_OK(nps_pipe_connect(server)); /* C2: it is connected */
  REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_disconnect(server, 1));
  require_end(client); /* that much was done */
  REQUIRE_STATUS(NPS_E_NOT_CONNECTED, try_read(server));
  REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_connect(server));
  REQUIRE_OK(nps_pipe_disconnect(server, 0));
  REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_connect(server));
  REQUIRE_OK(nps_pipe_retire(server));
  require_nobody_listens(name);
  end_pipe(server);
  loop_end(l);
}

TEST(test_only_a_server_with_a_client_can_be_retired) { /* C10 */
  loop *l = loop_new();
  const char *name = test_name();
  linked ours = link_new(l, 2, OUR_CLIENT);
  REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_retire(ours.pipe));
  link_end(ours);
  nps_pipe *server = server_new(name);
  REQUIRE_STATUS(NPS_E_NOT_CONNECTED, nps_pipe_retire(server));
  register_pipe(l, server, 1);
  REQUIRE_STATUS(NPS_E_NOT_CONNECTED, nps_pipe_retire(server));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  REQUIRE_STATUS(NPS_E_NOT_CONNECTED, nps_pipe_retire(server));
  peer *client = peer_open(name); /* nothing has changed */
  loop_connect(l, 1, server);
  REQUIRE_OK(nps_pipe_disconnect(server, 0));
  REQUIRE_STATUS(NPS_E_NOT_CONNECTED, nps_pipe_retire(server));
  require_end(client);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  client = peer_open(name);
  loop_connect(l, 1, server);
  require_both_ways(l, 1, server, client);
  REQUIRE_OK(nps_pipe_close(server, 0));
  REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_retire(server));
  REQUIRE_INVALID(NPS_ARGUMENT_PIPE, nps_pipe_retire(NULL));
  nps_pipe_release(server);
  peer_close(client);
  loop_end(l);
}

TEST(test_a_name_ends_with_the_last_instance_that_may_listen) { /* C10, K1 */
  loop *l = loop_new();
  const char *name = test_name();
  peer *clients[3];
  nps_pipe *first = connected_server(l, 1, name, &clients[0]), *second = server_new(name);
  register_pipe(l, second, 2);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(second));
  REQUIRE_OK(nps_pipe_retire(first));
  clients[1] = peer_open(name); /* the other one listens */
  loop_connect(l, 2, second);
  REQUIRE_OK(nps_pipe_retire(second));
  require_nobody_listens(name);

  nps_server_options options = server_options(name); /* the name is free, and the connections are not disturbed */
  nps_pipe *third = NULL;
  options.flags = sys_is_windows() ? 0 : NPS_SERVER_FIRST_INSTANCE;
  REQUIRE_OK(nps_pipe_create(&options, &third));
  register_pipe(l, third, 3);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(third));
  require_both_ways(l, 1, first, clients[0]);
  end_pipe(first); /* who was there before does not end what is there now */
  clients[2] = peer_open(name);
  loop_connect(l, 3, third);
  require_both_ways(l, 2, second, clients[1]);
  REQUIRE_OK(nps_pipe_disconnect(second, 0));
  REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_connect(second));
  end_pipe(second);
  require_both_ways(l, 3, third, clients[2]);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_disconnect(third, 1)); /* it may listen */
  for (int i = 0; i < 3; i++) {
    require_end(clients[i]);
  }
  peer *last = peer_open(name);
  loop_reset(l, 3);
  loop_connect(l, 3, third);
  require_both_ways(l, 3, third, last);
  end_pipe(third);
  require_end(last);
  REQUIRE_EQUAL(PEER_NOT_FOUND, peer_try_open(name, &last));
  loop_end(l);
}

TEST(test_clients_that_nobody_accepted_see_the_end_with_the_name) { /* C10: never a hang */
  enum { MORE = 3 };
  for (int by_close = 0; by_close < 2; by_close++) {
    loop *l = loop_new();
    const char *name = test_name();
    peer *client, *more[MORE] = {NULL};
    nps_pipe *server = connected_server(l, 1, name, &client), *other = server_new(name);
    for (int i = 0; i < MORE; i++) { /* Windows: one of them, which `other` has; Linux: the system's queue */
      (void)peer_try_open(name, &more[i]);
    }
    REQUIRE(more[0] != NULL);
    if (by_close == 0) {
      end_pipe(other);
      REQUIRE_OK(nps_pipe_retire(server));
    } else { /* the last that may listen is closed, and a retired one lives */
      REQUIRE_OK(nps_pipe_retire(server));
      end_pipe(other);
    }
    require_nobody_listens(name);
    for (int i = 0; i < MORE; i++) {
      if (more[i] != NULL) {
        require_end(more[i]);
      }
    }
    require_both_ways(l, 1, server, client);
    end_pipe(server);
    peer_close(client);
    loop_end(l);
  }
}

TEST(test_a_client_of_a_cancelled_connect_sees_the_end_with_the_name) { /* C10, C8 */
  loop *here = loop_new(), *there = loop_new();
  const char *name = test_name();
  peer *client;
  nps_pipe *server = connected_server(there, 1, name, &client), *other = server_new(name), *third = server_new(name);
  register_pipe(here, other, 2);
  register_pipe(there, third, 3);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(other));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(third));
  peer *late = peer_open(name);
  loop_forget(there); /* Linux: accepts it for the one that waits longest, which hears of it in its own wait */
  (void)nps_pipe_disconnect(third, 0);
  REQUIRE_OK(nps_pipe_disconnect(other, 0));
  loop_forget(here); /* nobody wants it now */
  end_pipe(other);
  end_pipe(third);
  REQUIRE_OK(nps_pipe_retire(server));
  require_end(late);
  require_nobody_listens(name);
  require_both_ways(there, 1, server, client);
  end_pipe(server);
  peer_close(client);
  loop_end(there);
  loop_end(here);
}

TEST(test_a_retired_instance_counts_until_it_is_closed) { /* C10, O1, F1 */
  loop *l = loop_new();
  nps_server_options options = server_options(test_name());
  nps_info info = {.size = sizeof info};
  nps_pipe *pipes[3] = {NULL};
  options.max_instances = 2;
  for (int i = 0; i < 2; i++) {
    REQUIRE_OK(nps_pipe_create(&options, &pipes[i]));
    register_pipe(l, pipes[i], (uint64_t)i);
  }
  nps_pipe *client = client_new(options.name); /* of the first: on Windows perhaps of the other */
  nps_pipe *server = nps_pipe_connect(pipes[0]) == NPS_OK ? pipes[0] : pipes[1];
  nps_pipe *waiting = server == pipes[0] ? pipes[1] : pipes[0];
  REQUIRE_OK(nps_pipe_connect(server));
  REQUIRE_OK(nps_pipe_retire(server));
  REQUIRE_OK(nps_pipe_info(waiting, &info));
  REQUIRE_EQUAL(2, info.instances);
  REQUIRE_STATUS(NPS_E_PIPE_BUSY, nps_pipe_create(&options, &pipes[2]));
  end_pipe(server);
  REQUIRE_OK(nps_pipe_info(waiting, &info));
  REQUIRE_EQUAL(1, info.instances);
  peer *late = peer_open(options.name); /* the one that waits has the name, all the same */
  loop_connect(l, waiting == pipes[0] ? 0 : 1, waiting);
  REQUIRE_OK(nps_pipe_create(&options, &pipes[2]));
  end_pipe(pipes[2]);
  peer_close(late);
  end_pipe(waiting);
  end_pipe(client);
  loop_end(l);
}

TEST(test_names_that_end_by_retiring_leave_nothing) { /* C10, X3 */
  loop *l = loop_new();
  const char *name = test_name();
  int64_t before = 0;
  for (int round = 0; round < 200; round++) {
    peer *clients[2];
    if (round == 20) {
      before = sys_handle_count();
    }
    nps_pipe *one = connected_server(l, 1, name, &clients[0]);
    REQUIRE_OK(nps_pipe_retire(one));
    loop_reset(l, 2);
    nps_pipe *two = connected_server(l, 2, name, &clients[1]); /* on Linux another name by now */
    if (round % 2 == 0) {
      REQUIRE_OK(nps_pipe_retire(two));
    }
    end_pipe(round % 3 == 0 ? two : one);
    end_pipe(round % 3 == 0 ? one : two);
    loop_reset(l, 1);
    peer_close(clients[0]);
    peer_close(clients[1]);
    peer *nobody = NULL;
    REQUIRE_EQUAL(PEER_NOT_FOUND, peer_try_open(name, &nobody));
  }
  REQUIRE_EQUAL(before, sys_handle_count());
  loop_end(l);
}

/* On Linux a client has the number of the descriptor that listened. */
TEST(test_the_end_of_a_retired_instance_disturbs_nobody) { /* C10 */
  enum { OTHERS = 3 };
  loop *l = loop_new();
  const char *name = test_name();
  char *other = test_new(300);
  (void)snprintf(other, 300, "%s-other", name);
  peer *client;
  nps_pipe *servers[OTHERS], *clients[OTHERS];
  for (uint64_t i = 0; i < OTHERS; i++) {
    servers[i] = server_new(other);
    register_pipe(l, servers[i], 10 + i);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(servers[i]));
  }
  nps_pipe *server = connected_server(l, 1, name, &client);
  REQUIRE_OK(nps_pipe_retire(server));
  for (uint64_t i = 0; i < OTHERS; i++) {
    clients[i] = client_new(other);
    register_pipe(l, clients[i], 20 + i);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(clients[i]));
  }
  end_pipe(server);
  for (uint64_t i = 0; i < OTHERS; i++) {
    loop_connect(l, 10 + i, servers[i]);
    REQUIRE_OK(try_write(servers[i]));
  }
  for (uint64_t i = 0; i < OTHERS; i++) {
    loop_await(l, 20 + i, NPS_READABLE);
  }
  for (int i = 0; i < OTHERS; i++) {
    end_pipe(clients[i]);
    end_pipe(servers[i]);
  }
  peer_close(client);
  loop_end(l);
}
