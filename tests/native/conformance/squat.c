/* A name that somebody else has: O4. What only one system knows is in linux/ and windows/. */
#include <stdio.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

static nps_result create_first(const char *name) {
  nps_server_options options = server_options(name);
  nps_pipe *pipe = NULL;
  options.flags = NPS_SERVER_FIRST_INSTANCE;
  nps_result result = nps_pipe_create(&options, &pipe);
  nps_pipe_release(pipe);
  return result;
}

TEST(test_first_instance_is_denied_where_another_program_serves) { /* O4 */
  const char *name = test_name();
  peer_server *squatter = peer_listen(name, 5);
  REQUIRE_STATUS(NPS_E_ACCESS_DENIED, create_first(name));
  peer *client = peer_open(name); /* the other one is as it was */
  peer_close(client);
  peer_server_close(squatter);
}

TEST(test_first_instance_is_denied_where_we_serve) { /* O4 */
  const char *name = test_name();
  nps_pipe *server = server_new(name);
  REQUIRE_STATUS(NPS_E_ACCESS_DENIED, create_first(name));
  nps_pipe_release(server);
  REQUIRE_OK(create_first(name));
}

/* Tries to be the first server of the name, tells the parent, and stays until the parent goes. argument:
 * NAME,CONTROL */
CHILD(child_first_instance) {
  char name[100] = "", control[100] = "";
  if (sscanf(argument, "%90[^,],%90s", name, control) != 2) {
    return 3;
  }
  nps_server_options options = server_options(name);
  nps_pipe *pipe = NULL;
  options.flags = NPS_SERVER_FIRST_INSTANCE;
  nps_result result = nps_pipe_create(&options, &pipe);
  char byte = '?';
  if (result == NPS_OK) byte = 'y';
  if (nps_result_status(result) == NPS_E_ACCESS_DENIED) byte = 'n';
  peer *parent = peer_open(control);
  REQUIRE(peer_send(parent, &byte, 1));
  (void)peer_receive(parent, &byte, 1);
  peer_close(parent);
  nps_pipe_release(pipe);
  return 0;
}

static void one_of_many_wins(bool dead_one_there) {
  enum { CHILDREN = 4 };
  for (int round = 0; round < (sys_is_windows() ? 2 : 25); round++) {
    const char *name = test_name(), *control = test_name();
    char argument[220];
    peer_server *gate = peer_listen(control, CHILDREN + 1);
    sys_process *processes[CHILDREN];
    peer *ends[CHILDREN];
    int winners = 0;
    if (dead_one_there) {
      peer_leave_dead_name(name);
    }
    (void)snprintf(argument, sizeof argument, "%s,%s", name, control);
    for (int i = 0; i < CHILDREN; i++) {
      processes[i] = sys_spawn("child_first_instance", argument);
    }
    for (int i = 0; i < CHILDREN; i++) {
      char byte = 0;
      ends[i] = peer_accept(gate);
      peer_receive_exactly(ends[i], &byte, 1);
      REQUIRE(byte == 'y' || byte == 'n');
      winners += byte == 'y';
    }
    REQUIRE_EQUAL(1, winners);
    peer *client = peer_open(name); /* the winner is there, its socket was not taken away by a loser */
    peer_close(client);
    for (int i = 0; i < CHILDREN; i++) {
      peer_close(ends[i]);
    }
    for (int i = 0; i < CHILDREN; i++) {
      REQUIRE_EQUAL(0, sys_process_wait(processes[i]));
    }
    peer_server_close(gate);
    REQUIRE_EQUAL(PEER_NOT_FOUND, peer_try_open(name, &client));
  }
}

TEST(test_of_servers_that_start_at_once_one_wins) {
  one_of_many_wins(false);
} /* O4 */

TEST(test_of_servers_that_start_at_once_one_replaces_a_dead_one) {
  one_of_many_wins(true);
} /* O4 */
