/* I1, I2: what a thread is while it acts as its client, before and after. */
#include <windows.h>

#include "loop.h"
#include "sys.h"

static bool acts_as_somebody(void) {
  HANDLE token = NULL;
  if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) {
    return GetLastError() != ERROR_NO_TOKEN;
  }
  CloseHandle(token);
  return true;
}

static nps_pipe *connected_server(loop *l, nps_pipe **client) {
  const char *name = test_name();
  nps_pipe *server = server_new(name);
  *client = client_new(name);
  register_pipe(l, server, 1);
  register_pipe(l, *client, 2);
  loop_connect(l, 1, server);
  return server;
}

TEST(test_impersonation_lasts_from_impersonate_to_revert) { /* I2 */
  loop *l = loop_new();
  nps_pipe *client = NULL, *server = connected_server(l, &client);
  char byte;
  size_t count;
  REQUIRE_OK(write_pipe(client, "x", 1, &count));
  REQUIRE_EQUAL(1, loop_read(l, 1, server, &byte, 1));
  REQUIRE(!acts_as_somebody());
  REQUIRE_OK(nps_pipe_impersonate(server));
  REQUIRE(acts_as_somebody());
  REQUIRE_OK(nps_revert());
  REQUIRE(!acts_as_somebody());
  end_pipe(client);
  end_pipe(server);
  loop_end(l);
}

TEST(test_asking_for_the_user_leaves_the_thread_who_it_was) { /* I1, I2 */
  loop *l = loop_new();
  nps_pipe *client = NULL, *server = connected_server(l, &client);
  char byte, user[NPS_USER_SIZE];
  size_t count;
  REQUIRE_OK(write_pipe(client, "x", 1, &count));
  REQUIRE_EQUAL(1, loop_read(l, 1, server, &byte, 1));
  REQUIRE_OK(nps_pipe_peer_user(server, user, sizeof user));
  REQUIRE(!acts_as_somebody());
  REQUIRE(ImpersonateSelf(SecurityImpersonation));
  REQUIRE_OK(nps_pipe_peer_user(server, user, sizeof user));
  REQUIRE(acts_as_somebody());
  REQUIRE_OK(nps_revert());
  REQUIRE(!acts_as_somebody());
  end_pipe(client);
  end_pipe(server);
  loop_end(l);
}

TEST(test_a_client_is_known_only_after_it_has_spoken) { /* I1, I2 */
  loop *l = loop_new();
  nps_pipe *client = NULL, *server = connected_server(l, &client);
  char user[NPS_USER_SIZE];
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_peer_user(server, user, sizeof user));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_impersonate(server));
  REQUIRE(!acts_as_somebody());
  end_pipe(client);
  end_pipe(server);
  loop_end(l);
}
