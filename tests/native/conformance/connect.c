/* Connecting: C2 to C6, C9. (C1 is in register.c, C7 and C8 in reconnect.c.) */
#include <string.h>

#include "loop.h"
#include "sys.h"

TEST(test_connect_with_a_client_there_is_ok_at_once) { /* C2 */
  for (int i = 0; i < 20; i++) {
    const char *name = test_name();
    loop *l = loop_new();
    nps_pipe *server = server_new(name);
    peer *client = peer_open(name);
    register_pipe(l, server, 1);
    REQUIRE_OK(nps_pipe_connect(server));
    REQUIRE_OK(nps_pipe_connect(server)); /* connect while connected */
    loop_await(l, 1, NPS_WRITABLE);
    REQUIRE_OK(nps_pipe_connect(server));
    REQUIRE_OK(try_write(server));
    char byte;
    peer_receive_exactly(client, &byte, 1);
    end_pipe(server);
    peer_close(client);
    loop_end(l);
  }
}

TEST(test_connect_without_a_client_would_block_then_writable) { /* C3, C4, R2 */
  for (int i = 0; i < 20; i++) {
    const char *name = test_name();
    loop *l = loop_new();
    nps_pipe *server = server_new(name);
    register_pipe(l, server, 1);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
    for (int again = 0; again < 3; again++) {
      REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server)); /* C4 */
      REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(server)); /* R2: still listening */
      REQUIRE_EQUAL(0, loop_pump(l, 0));
    }
    peer *client = peer_open(name);
    loop_await(l, 1, NPS_WRITABLE);
    loop_connect(l, 1, server);
    loop_write_pattern(l, 1, server, 3, 100);
    char memory[100];
    peer_receive_exactly(client, memory, sizeof memory);
    pattern_require(memory, sizeof memory, 3, 0);
    end_pipe(server);
    peer_close(client);
    loop_end(l);
  }
}

TEST(test_connect_on_a_client_end_is_ok_and_disconnect_is_not_supported) {
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_CLIENT);
  REQUIRE_OK(nps_pipe_connect(a.pipe));
  REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_disconnect(a.pipe, 0));
  REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_disconnect(a.pipe, 1));
  REQUIRE_OK(try_write(a.pipe));
  link_end(a);
  loop_end(l);
}

TEST(test_a_client_that_came_and_left_is_connected_then_end) { /* C6 */
  static const size_t sizes[] = {0, 1, 10, 4096};
  for (size_t i = 0; i < 8; i++) {
    const char *name = test_name();
    size_t size = sizes[i % 4];
    loop *l = loop_new();
    nps_pipe *server = server_new(name);
    char memory[4096];
    peer *client = peer_open(name);
    pattern_fill(memory, size, i, 0);
    REQUIRE(peer_send(client, memory, size));
    peer_close(client);
    register_pipe(l, server, 1);
    REQUIRE_OK(nps_pipe_connect(server));
    loop_await(l, 1, NPS_WRITABLE);
    loop_read_pattern(l, 1, server, i, size, (read_way){100, i >= 4});
    loop_expect_end(l, 1, server);
    REQUIRE_OK(nps_pipe_disconnect(server, 0));
    end_pipe(server);
    loop_end(l);
  }
}

TEST(test_an_accept_loop_survives_clients_that_left) { /* C6 */
  enum { ROUNDS = 100 };
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  for (uint32_t i = 0; i < ROUNDS; i++) {
    peer *client = peer_open(name);
    uint32_t number = i;
    if (i % 3 != 0) {
      REQUIRE(peer_send(client, &number, sizeof number));
    }
    if (i % 4 != 1) {
      peer_close(client);
    }
    loop_connect(l, 1, server);
    number = 0xFFFFFFFFu;
    size_t have = 0;
    while (have < (i % 3 != 0 ? sizeof number : 0)) {
      size_t got = loop_read(l, 1, server, (char *)&number + have, sizeof number - have);
      REQUIRE(got > 0);
      have += got;
    }
    REQUIRE_EQUAL(i % 3 != 0 ? i : 0xFFFFFFFFu, number);
    if (i % 4 == 1) {
      peer_close(client);
    }
    loop_expect_end(l, 1, server);
    if (i % 2 == 0) { /* the same instance again, or a fresh one, where the client can have left before connect */
      REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_disconnect(server, 1));
    } else {
      end_pipe(server);
      server = server_new(name);
      register_pipe(l, server, 1);
    }
  }
  end_pipe(server);
  loop_end(l);
}

/* ---- C9: several instances of one name ---- */

enum { INSTANCES = 6 };

typedef struct crowd {
  const char *name;
  loop *loops[2];
  nps_pipe *pipes[INSTANCES];
} crowd;

static loop *crowd_loop(crowd *c, int i) {
  return c->loops[c->loops[1] != NULL ? i % 2 : 0];
}

static crowd crowd_new(int polls) {
  crowd c = {.name = test_name(), .loops = {loop_new(), polls > 1 ? loop_new() : NULL}};
  for (int i = 0; i < INSTANCES; i++) {
    c.pipes[i] = server_new(c.name);
    register_pipe(crowd_loop(&c, i), c.pipes[i], (uint64_t)i);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(c.pipes[i]));
  }
  return c;
}

static void crowd_pump(crowd *c) {
  for (int i = 0; i < 2 && c->loops[i] != NULL; i++) {
    loop_pump(c->loops[i], 1);
  }
}

/* Which waiting instances have a client now. */
static int crowd_connected(crowd *c, bool connected[INSTANCES]) {
  int count = 0;
  for (int i = 0; i < INSTANCES; i++) {
    connected[i] = connected[i] || (c->pipes[i] != NULL && (crowd_loop(c, i)->seen[i] & NPS_WRITABLE) != 0 &&
                                       nps_pipe_connect(c->pipes[i]) == NPS_OK);
    count += connected[i];
  }
  return count;
}

static void crowd_until(crowd *c, bool connected[INSTANCES], int count) {
  uint64_t deadline = test_deadline();
  while (crowd_connected(c, connected) < count) {
    REQUIRE(!test_expired(deadline));
    crowd_pump(c);
  }
  REQUIRE_EQUAL(count, crowd_connected(c, connected));
}

static void crowd_end(crowd *c) {
  for (int i = 0; i < INSTANCES; i++) {
    if (c->pipes[i] != NULL) {
      end_pipe(c->pipes[i]);
    }
  }
  for (int i = 0; i < 2 && c->loops[i] != NULL; i++) {
    loop_end(c->loops[i]);
  }
}

static void each_instance_gets_a_client(int polls) {
  crowd c = crowd_new(polls);
  bool connected[INSTANCES] = {false}, served[INSTANCES] = {false};
  peer *clients[INSTANCES];
  for (int i = 0; i < INSTANCES; i++) {
    clients[i] = peer_open(c.name);
    crowd_until(&c, connected, i + 1);
  }
  for (int i = 0; i < INSTANCES; i++) { /* each pipe tells its number: no two clients hear the same one */
    char number = (char)i;
    size_t count;
    REQUIRE_OK(write_pipe(c.pipes[i], &number, 1, &count));
  }
  for (int i = 0; i < INSTANCES; i++) {
    char number = 99;
    peer_receive_exactly(clients[i], &number, 1);
    REQUIRE(number >= 0 && number < INSTANCES && !served[(int)number]);
    served[(int)number] = true;
    peer_close(clients[i]);
  }
  crowd_end(&c);
}

TEST(test_each_waiting_instance_gets_a_client) {
  each_instance_gets_a_client(1);
} /* C9 */

TEST(test_instances_on_two_polls_each_get_a_client) {
  each_instance_gets_a_client(2);
} /* C9 */

TEST(test_clients_before_the_instances_connect) { /* C9, C2 */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *pipes[INSTANCES];
  peer *clients[INSTANCES];
  for (int i = 0; i < INSTANCES; i++) {
    pipes[i] = server_new(name);
  }
  for (int i = 0; i < INSTANCES; i++) {
    clients[i] = peer_open(name);
  }
  for (int i = 0; i < INSTANCES; i++) {
    register_pipe(l, pipes[i], (uint64_t)i);
    REQUIRE_OK(nps_pipe_connect(pipes[i]));
  }
  for (int i = 0; i < INSTANCES; i++) {
    REQUIRE_OK(try_write(pipes[i]));
  }
  for (int i = 0; i < INSTANCES; i++) { /* whichever instance it has */
    char byte;
    peer_receive_exactly(clients[i], &byte, 1);
  }
  for (int i = 0; i < INSTANCES; i++) {
    end_pipe(pipes[i]);
    peer_close(clients[i]);
  }
  loop_end(l);
}

/* All instances but one stop waiting, by one means or another; every client that then comes must be served by it. */
static void cancelled_connects_leave_it_to_the_last(int polls, int means) {
  for (int last = 0; last < INSTANCES; last++) {
    crowd c = crowd_new(polls);
    for (int i = 0; i < INSTANCES; i++) {
      if (i == last) {
        continue;
      }
      if (means == 0) {
        REQUIRE_OK(nps_pipe_disconnect(c.pipes[i], 0));
      }
      if (means != 0 || sys_is_windows()) { /* on Windows an instance takes clients for as long as it exists */
        REQUIRE_OK(means == 1 ? nps_pipe_close(c.pipes[i], 0) : nps_pipe_abort(c.pipes[i]));
        nps_pipe_release(c.pipes[i]);
        c.pipes[i] = NULL;
      }
    }
    for (int round = 0; round < 3; round++) {
      peer *client = peer_open(c.name);
      loop *l = crowd_loop(&c, last);
      char byte;
      loop_await(l, (uint64_t)last, NPS_WRITABLE);
      loop_connect(l, (uint64_t)last, c.pipes[last]);
      REQUIRE_OK(try_write(c.pipes[last]));
      peer_receive_exactly(client, &byte, 1);
      peer_close(client);
      l->seen[last] = 0;
      nps_result again = nps_pipe_disconnect(c.pipes[last], 1);
      REQUIRE_STATUS(NPS_WOULD_BLOCK, again);
    }
    crowd_end(&c);
  }
}

TEST(test_a_disconnected_instance_leaves_its_client_to_the_next) { /* C9 */
  cancelled_connects_leave_it_to_the_last(1, 0);
  cancelled_connects_leave_it_to_the_last(2, 0);
}

TEST(test_a_closed_instance_leaves_its_client_to_the_next) { /* C9 */
  cancelled_connects_leave_it_to_the_last(1, 1);
  cancelled_connects_leave_it_to_the_last(2, 1);
  cancelled_connects_leave_it_to_the_last(1, 2);
  cancelled_connects_leave_it_to_the_last(2, 2);
}
