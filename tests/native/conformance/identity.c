/* Who is at the other end: I1, I2. */
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

typedef struct both_ends {
  nps_pipe *server, *client;
} both_ends;

static both_ends ends_new(loop *l) {
  const char *name = test_name();
  both_ends made = {server_new(name), client_new(name)};
  register_pipe(l, made.server, 1);
  register_pipe(l, made.client, 2);
  loop_connect(l, 1, made.server);
  return made;
}

static void ends_end(both_ends ends) {
  end_pipe(ends.client);
  end_pipe(ends.server);
}

static void say_something(loop *l, both_ends ends) {
  size_t count;
  char byte;
  REQUIRE_OK(write_pipe(ends.client, "x", 1, &count));
  REQUIRE_EQUAL(1, loop_read(l, 1, ends.server, &byte, 1));
}

TEST(test_both_ends_know_the_process_of_the_other) { /* I1 */
  loop *l = loop_new();
  both_ends ends = ends_new(l);
  uint32_t process = 0;
  REQUIRE_OK(nps_pipe_peer_process(ends.server, &process));
  REQUIRE_EQUAL(sys_process_id(), process);
  process = 0;
  REQUIRE_OK(nps_pipe_peer_process(ends.client, &process));
  REQUIRE_EQUAL(sys_process_id(), process);
  ends_end(ends);
  loop_end(l);
}

CHILD(connect_and_wait) {
  nps_client_options options = client_options(argument);
  options.timeout_ms = TEST_DEADLINE_MS;
  nps_pipe *pipe = NULL;
  loop *l = loop_new();
  REQUIRE_OK(nps_pipe_open(&options, &pipe));
  register_pipe(l, pipe, 1);
  uint32_t process = sys_process_id();
  size_t count;
  REQUIRE_OK(write_pipe(pipe, &process, sizeof process, &count));
  loop_expect_end(l, 1, pipe);
  end_pipe(pipe);
  loop_end(l);
  return 0;
}

TEST(test_the_process_of_a_client_in_another_process) { /* I1 */
  loop *l = loop_new();
  const char *name = test_name();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  sys_process *child = sys_spawn("connect_and_wait", name);
  loop_connect(l, 1, server);
  uint32_t said = 0, process = 0;
  REQUIRE_EQUAL(sizeof said, loop_read(l, 1, server, &said, sizeof said));
  REQUIRE_OK(nps_pipe_peer_process(server, &process));
  REQUIRE_EQUAL(said, process);
  REQUIRE(process != sys_process_id());
  end_pipe(server);
  REQUIRE_EQUAL(0, sys_process_wait(child));
  loop_end(l);
}

TEST(test_both_ends_know_the_user_of_the_other) { /* I1 */
  loop *l = loop_new();
  both_ends ends = ends_new(l);
  char at_server[NPS_USER_SIZE] = {0}, at_client[NPS_USER_SIZE] = {0};
  say_something(l, ends); /* Windows knows the client from then on */
  REQUIRE_OK(nps_pipe_peer_user(ends.server, at_server, sizeof at_server));
  REQUIRE_OK(nps_pipe_peer_user(ends.client, at_client, sizeof at_client));
  REQUIRE(strcmp(at_server, at_client) == 0);
  if (sys_is_windows()) {
    REQUIRE(strncmp(at_server, "S-1-", 4) == 0);
  } else {
    char *end = NULL;
    REQUIRE(strtoul(at_server, &end, 10) < 0xFFFFFFFFu && *end == '\0');
  }
  char small[2] = {'z', 'z'};
  if (strlen(at_server) >= sizeof small) {
    REQUIRE_INVALID(NPS_ARGUMENT_BUFFER, nps_pipe_peer_user(ends.server, small, sizeof small));
    REQUIRE_EQUAL('\0', small[0]);
  }
  small[0] = small[1] = 'z';
  REQUIRE_INVALID(NPS_ARGUMENT_BUFFER, nps_pipe_peer_user(ends.server, small, 1));
  REQUIRE(small[0] == '\0' && small[1] == 'z');
  REQUIRE_INVALID(NPS_ARGUMENT_BUFFER, nps_pipe_peer_user(ends.server, NULL, 10));
  ends_end(ends);
  loop_end(l);
}

TEST(test_a_server_acts_as_its_client_and_as_itself_again) { /* I2 */
  loop *l = loop_new();
  both_ends ends = ends_new(l);
  say_something(l, ends);
  REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, nps_pipe_impersonate(ends.client));
  for (int i = 0; i < 10; i++) {
    REQUIRE_STATUS(sys_is_windows() ? NPS_OK : NPS_E_NOT_SUPPORTED, nps_pipe_impersonate(ends.server));
    REQUIRE_STATUS(sys_is_windows() ? NPS_OK : NPS_E_NOT_SUPPORTED, nps_revert());
  }
  REQUIRE_STATUS(sys_is_windows() ? NPS_OK : NPS_E_NOT_SUPPORTED, nps_revert()); /* nothing to end: no matter */
  ends_end(ends);
  loop_end(l);
}
