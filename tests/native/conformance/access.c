/* Who may connect, and options that only one system has: O1, O4, K1, K3. Structs of the first version of this ABI. */
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

static nps_result create_and_release(const nps_server_options *options) {
  nps_pipe *pipe = NULL;
  nps_result result = nps_pipe_create(options, &pipe);
  nps_pipe_release(pipe);
  return result;
}

static nps_result open_and_release(const nps_client_options *options) {
  nps_pipe *pipe = NULL;
  nps_result result = nps_pipe_open(options, &pipe);
  nps_pipe_release(pipe);
  return result;
}

/* A byte from the client to the server. */
static void require_connects(loop *l, const nps_server_options *serving, const nps_client_options *opening) {
  nps_pipe *server = NULL, *client = NULL;
  size_t count;
  REQUIRE_OK(nps_pipe_create(serving, &server));
  REQUIRE_OK(nps_pipe_open(opening, &client));
  register_pipe(l, server, 1);
  register_pipe(l, client, 2);
  loop_connect(l, 1, server);
  REQUIRE_OK(write_pipe(client, "x", 1, &count));
  char byte;
  REQUIRE_EQUAL(1, loop_read(l, 1, server, &byte, 1));
  end_pipe(client);
  end_pipe(server);
}

TEST(test_what_only_windows_has_is_not_supported_elsewhere) { /* O1, K3 */
  const nps_status there = sys_is_windows() ? NPS_OK : NPS_E_NOT_SUPPORTED;
  nps_server_options options = server_options(test_name()), other = options;
  nps_pipe *server = server_new(options.name);
  nps_client_options opening = client_options(options.name);
  other.flags = NPS_SERVER_REMOTE_CLIENTS;
  REQUIRE_STATUS(there, create_and_release(&other));
  other = options;
  other.default_timeout_ms = 100;
  REQUIRE_STATUS(there, create_and_release(&other));
  other = options;
  other.security = NPS_SECURITY_DESCRIPTOR;
  other.descriptor = "D:(A;;FA;;;WD)";
  REQUIRE_STATUS(there, create_and_release(&other));
  end_pipe(server);
  for (uint32_t level = NPS_IMPERSONATION_ANONYMOUS; level <= NPS_IMPERSONATION_DELEGATION; level++) {
    server = server_new(options.name);
    opening.impersonation = level;
    REQUIRE_STATUS(there, open_and_release(&opening));
    end_pipe(server);
  }
  if (!sys_is_windows()) { /* there it would ask the network */
    opening.impersonation = NPS_IMPERSONATION_DEFAULT;
    opening.server = "elsewhere";
    REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, open_and_release(&opening));
  }
}

TEST(test_what_only_linux_has_is_not_supported_elsewhere) { /* O1 */
  nps_server_options options = server_options(test_name());
  options.security = NPS_SECURITY_FILE_MODE;
  options.file_mode = 0600;
  REQUIRE_STATUS(sys_is_windows() ? NPS_E_NOT_SUPPORTED : NPS_OK, create_and_release(&options));
}

TEST(test_this_machine_can_be_named) { /* K1 */
  loop *l = loop_new();
  nps_server_options serving = server_options(test_name());
  nps_client_options opening = client_options(serving.name);
  opening.server = ".";
  require_connects(l, &serving, &opening);
  char long_server[300];
  memset(long_server, 'a', sizeof long_server - 1);
  long_server[sizeof long_server - 1] = '\0';
  opening.server = long_server;
  REQUIRE_STATUS(sys_is_windows() ? NPS_E_NAME_TOO_LONG : NPS_E_NOT_SUPPORTED, open_and_release(&opening));
  loop_end(l);
}

TEST(test_every_security_lets_our_own_user_in_and_make_another_instance) { /* O1 */
  loop *l = loop_new();
  for (uint32_t security = NPS_SECURITY_CURRENT_USER; security <= NPS_SECURITY_FILE_MODE; security++) {
    if (security == (sys_is_windows() ? NPS_SECURITY_FILE_MODE : NPS_SECURITY_DESCRIPTOR)) {
      continue;
    }
    nps_server_options serving = server_options(test_name());
    nps_client_options opening = client_options(serving.name);
    nps_pipe *first = NULL, *taker = NULL;
    serving.security = security;
    serving.file_mode = security == NPS_SECURITY_FILE_MODE ? 0660 : 0;
    serving.descriptor = security == NPS_SECURITY_DESCRIPTOR ? "D:P(A;;FA;;;OW)(A;;FA;;;WD)" : NULL;
    REQUIRE_OK(nps_pipe_create(&serving, &first));
    REQUIRE_OK(nps_pipe_open(&opening, &taker)); /* so that the next client gets the second instance */
    register_pipe(l, first, 3);
    loop_connect(l, 3, first);
    require_connects(l, &serving, &opening);
    opening.flags = NPS_CLIENT_CURRENT_USER;
    if (security != NPS_SECURITY_DESCRIPTOR) { /* whose owner may be a group */
      require_connects(l, &serving, &opening);
    }
    opening.flags = NPS_CLIENT_ANY_USER;
    require_connects(l, &serving, &opening);
    end_pipe(taker);
    end_pipe(first);
  }
  loop_end(l);
}

TEST(test_a_bad_descriptor_is_named) { /* O3 */
  nps_server_options options = server_options(test_name());
  options.security = NPS_SECURITY_DESCRIPTOR;
  static const char *const bad[] = {"nonsense", "D:(A;;FA;;;", "D:(A;;FA;;;XX)", "\xFF"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    options.descriptor = bad[i];
    if (sys_is_windows() || i == 3) {
      REQUIRE_INVALID(NPS_ARGUMENT_DESCRIPTOR, create_and_release(&options));
    } else {
      REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, create_and_release(&options));
    }
  }
}

/* ---- growth: a program that was built for the first version of the structs ---- */

#define FIRST_SIZE 40 /* of both */

TEST(test_options_of_the_first_version_are_good) { /* O2 */
  loop *l = loop_new();
  unsigned char server_memory[sizeof(nps_server_options)], client_memory[sizeof(nps_client_options)];
  memset(server_memory, 0xA5, sizeof server_memory); /* what follows must not be touched, nor read */
  memset(client_memory, 0xA5, sizeof client_memory);
  nps_server_options *serving = test_new(sizeof *serving);
  nps_client_options *opening = test_new(sizeof *opening);
  memcpy(serving, server_memory, sizeof *serving);
  memcpy(opening, client_memory, sizeof *opening);
  REQUIRE_OK(nps_server_options_init(serving, FIRST_SIZE));
  REQUIRE_OK(nps_client_options_init(opening, FIRST_SIZE));
  REQUIRE_EQUAL(FIRST_SIZE, serving->size);
  REQUIRE_EQUAL(FIRST_SIZE, opening->size);
  REQUIRE(memcmp((char *)serving + FIRST_SIZE, server_memory, sizeof *serving - FIRST_SIZE) == 0);
  REQUIRE(memcmp((char *)opening + FIRST_SIZE, client_memory, sizeof *opening - FIRST_SIZE) == 0);
  serving->name = opening->name = test_name();
  require_connects(l, serving, opening);
  loop_end(l);
}
