/* Options of pipes and polls: O2, O3; names; two ends that flow one way. */
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

/* ---- O2 ---- */

static void set_in(nps_server_options *o) {
  o->direction = NPS_DIRECTION_IN;
}
static void set_out(nps_server_options *o) {
  o->direction = NPS_DIRECTION_OUT;
}
static void set_one_instance(nps_server_options *o) {
  o->max_instances = 1;
}
static void set_first(nps_server_options *o) {
  o->flags |= NPS_SERVER_FIRST_INSTANCE;
}
static void set_inheritable(nps_server_options *o) {
  o->flags |= NPS_SERVER_INHERITABLE;
}
static void set_elevation(nps_server_options *o) {
  o->security = NPS_SECURITY_CURRENT_ELEVATION;
}
static void set_in_buffer(nps_server_options *o) {
  o->in_buffer_size = 8192;
}
static void set_out_buffer(nps_server_options *o) {
  o->out_buffer_size = 16384;
}
static void set_no_read_ahead(nps_server_options *o) {
  o->read_ahead = 0;
}
static void set_write_limit(nps_server_options *o) {
  o->write_limit = 100;
}

typedef void (*setter)(nps_server_options *);

/* One of the first two at most: they set the same option. */
static const setter s_setters[] = {set_in, set_out, set_one_instance, set_first, set_in_buffer, set_out_buffer,
    set_no_read_ahead, set_write_limit, set_inheritable, set_elevation};

enum { SETTERS = sizeof s_setters / sizeof s_setters[0] };

static void require_flow(
    loop *l, uint64_t from_token, nps_pipe *from, uint64_t to_token, nps_pipe *to, uint32_t limit) {
  char memory[1000];
  size_t count;
  pattern_fill(memory, sizeof memory, 4, 0);
  REQUIRE_OK(write_pipe(from, memory, sizeof memory, &count));
  REQUIRE(count == (limit < sizeof memory ? limit : sizeof memory));
  loop_read_pattern(l, to_token, to, 4, count, (read_way){300, true});
  (void)from_token;
}

/* What the server must be like, whatever the order in which its options were set. */
static void require_as_set(loop *l, const nps_server_options *options) {
  nps_pipe *server = NULL, *client = NULL, *second = NULL;
  nps_server_options more = *options;
  nps_client_options opening = client_options(options->name);
  REQUIRE_OK(nps_pipe_create(options, &server));
  more.flags = 0;
  nps_result again = nps_pipe_create(&more, &second);
  REQUIRE_STATUS(options->max_instances == 1 ? NPS_E_PIPE_BUSY : NPS_OK, again);
  nps_pipe_release(second);
  opening.direction = options->direction == NPS_DIRECTION_IN    ? NPS_DIRECTION_OUT
                      : options->direction == NPS_DIRECTION_OUT ? NPS_DIRECTION_IN
                                                                : NPS_DIRECTION_DUPLEX;
  REQUIRE_OK(nps_pipe_open(&opening, &client));
  register_pipe(l, server, 1);
  register_pipe(l, client, 2);
  loop_connect(l, 1, server);
  loop_await_ever(l, 1, NPS_WRITABLE); /* "connected", also where this end never writes */
  if (options->direction == NPS_DIRECTION_IN) {
    REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, try_write(server));
    REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, try_read(client));
  } else {
    require_flow(l, 1, server, 2, client, options->write_limit);
  }
  if (options->direction == NPS_DIRECTION_OUT) {
    REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, try_read(server));
    REQUIRE_STATUS(NPS_E_NOT_SUPPORTED, try_write(client));
  } else {
    require_flow(l, 2, client, 1, server, 65536);
  }
  end_pipe(client);
  end_pipe(server);
}

TEST(test_every_set_of_options_in_either_order_gives_the_same_pipe) { /* O2 */
  loop *l = loop_new();
  for (unsigned set = 0; set < 1u << SETTERS; set++) {
    if ((set & 3u) == 3u) {
      continue;
    }
    const char *name = test_name();
    nps_server_options up = server_options(name), down = server_options(name);
    for (int i = 0; i < SETTERS; i++) {
      if ((set >> i & 1u) != 0) {
        s_setters[i](&up);
      }
      if ((set >> (SETTERS - 1 - i) & 1u) != 0) {
        s_setters[SETTERS - 1 - i](&down);
      }
    }
    require_as_set(l, &up);
    require_as_set(l, &down);
  }
  loop_end(l);
}

TEST(test_rustsec_2023_0001_an_option_leaves_the_others_alone) { /* O2: each alone, then in all pairs and both orders */
  loop *l = loop_new();
  for (int i = 2; i < SETTERS; i++) {
    for (int k = 2; k < SETTERS; k++) {
      nps_server_options options = server_options(test_name()), expected = options;
      s_setters[i](&options);
      s_setters[k](&options);
      s_setters[k](&expected);
      s_setters[i](&expected);
      REQUIRE(memcmp(&options, &expected, sizeof options) == 0);
      require_as_set(l, &options);
    }
  }
  loop_end(l);
}

TEST(test_max_instances_counts_those_that_live) { /* O1, O2 */
  nps_server_options options = server_options(test_name());
  nps_pipe *pipes[4] = {NULL};
  options.max_instances = 3;
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < 3; i++) {
      REQUIRE_OK(nps_pipe_create(&options, &pipes[i]));
    }
    REQUIRE_STATUS(NPS_E_PIPE_BUSY, nps_pipe_create(&options, &pipes[3]));
    REQUIRE(pipes[3] == NULL);
    nps_pipe_release(pipes[1]);
    REQUIRE_OK(nps_pipe_create(&options, &pipes[1]));
    REQUIRE_STATUS(NPS_E_PIPE_BUSY, nps_pipe_create(&options, &pipes[3]));
    for (int i = 0; i < 3; i++) {
      nps_pipe_release(pipes[i]);
    }
  }
}

TEST(test_defaults_are_as_the_header_says) {
  nps_poll_options poll;
  nps_server_options server;
  nps_client_options client;
  nps_adopt_options adopt;
  REQUIRE_OK(nps_poll_options_init(&poll, sizeof poll));
  REQUIRE(poll.size == sizeof poll && poll.pool_buffers == 256 && poll.pool_buffer_size == 65536 && poll.flags == 0);
  REQUIRE_OK(nps_server_options_init(&server, sizeof server));
  REQUIRE(server.size == sizeof server && server.direction == NPS_DIRECTION_DUPLEX && server.name == NULL);
  REQUIRE(server.max_instances == NPS_UNLIMITED_INSTANCES && server.flags == 0);
  REQUIRE(server.in_buffer_size == 0 && server.out_buffer_size == 0);
  REQUIRE(server.read_ahead == 65536 && server.write_limit == 65536);
  REQUIRE(server.mode == NPS_MODE_BYTE && server.default_timeout_ms == 0 && server.reserved == 0);
  REQUIRE(server.security == NPS_SECURITY_CURRENT_USER && server.descriptor == NULL);
  REQUIRE(server.file_mode == 0 && server.file_group == NPS_NO_GROUP);
  REQUIRE_OK(nps_client_options_init(&client, sizeof client));
  REQUIRE(client.size == sizeof client && client.direction == NPS_DIRECTION_DUPLEX && client.name == NULL);
  REQUIRE(client.timeout_ms == 0 && client.flags == 0 && client.reserved == 0);
  REQUIRE(client.read_ahead == 65536 && client.write_limit == 65536);
  REQUIRE(client.mode == NPS_MODE_BYTE && client.impersonation == NPS_IMPERSONATION_DEFAULT && client.server == NULL);
  REQUIRE_OK(nps_adopt_options_init(&adopt, sizeof adopt));
  REQUIRE(adopt.size == sizeof adopt && adopt.flags == 0 && adopt.read_ahead == 65536 && adopt.write_limit == 65536);
}

/* ---- O3 ---- */

static nps_result create_with(nps_server_options options) {
  nps_pipe *pipe = (nps_pipe *)(void *)&options;
  nps_result result = nps_pipe_create(&options, &pipe);
  REQUIRE((result == NPS_OK) == (pipe != NULL)); /* null on failure */
  nps_pipe_release(pipe);
  return result;
}

static nps_result open_with(nps_client_options options) {
  nps_pipe *pipe = (nps_pipe *)(void *)&options;
  nps_result result = nps_pipe_open(&options, &pipe);
  REQUIRE((result == NPS_OK) == (pipe != NULL));
  nps_pipe_release(pipe);
  return result;
}

static nps_result poll_with(nps_poll_options options) {
  nps_poll *poll = (nps_poll *)(void *)&options;
  nps_result result = nps_poll_create(&options, &poll);
  REQUIRE((result == NPS_OK) == (poll != NULL));
  nps_poll_release(poll);
  return result;
}

#define BAD_SERVER(argument, member, value)                                                                            \
  {                                                                                                                    \
    nps_server_options bad = good;                                                                                     \
    bad.member = (value);                                                                                              \
    REQUIRE_INVALID(argument, create_with(bad));                                                                       \
  }

#define BAD_CLIENT(argument, member, value)                                                                            \
  {                                                                                                                    \
    nps_client_options bad = good;                                                                                     \
    bad.member = (value);                                                                                              \
    REQUIRE_INVALID(argument, open_with(bad));                                                                         \
  }

#define BAD_POLL(argument, member, value)                                                                              \
  {                                                                                                                    \
    nps_poll_options bad = good;                                                                                       \
    bad.member = (value);                                                                                              \
    REQUIRE_INVALID(argument, poll_with(bad));                                                                         \
  }

TEST(test_bad_server_options_are_named) { /* O3 */
  nps_server_options good = server_options(test_name());
  REQUIRE_OK(create_with(good));
  BAD_SERVER(NPS_ARGUMENT_OPTIONS_SIZE, size, 0)
  BAD_SERVER(NPS_ARGUMENT_OPTIONS_SIZE, size, 4)
  BAD_SERVER(NPS_ARGUMENT_OPTIONS_SIZE, size, sizeof good - 1)
  BAD_SERVER(NPS_ARGUMENT_OPTIONS_SIZE, size, sizeof good + 8)
  BAD_SERVER(NPS_ARGUMENT_OPTIONS_SIZE, size, UINT32_MAX)
  BAD_SERVER(NPS_ARGUMENT_NAME, name, NULL)
  BAD_SERVER(NPS_ARGUMENT_DIRECTION, direction, 0)
  BAD_SERVER(NPS_ARGUMENT_DIRECTION, direction, 4)
  BAD_SERVER(NPS_ARGUMENT_DIRECTION, direction, UINT32_MAX)
  BAD_SERVER(NPS_ARGUMENT_MAX_INSTANCES, max_instances, 0)
  BAD_SERVER(NPS_ARGUMENT_MAX_INSTANCES, max_instances, 256)
  BAD_SERVER(NPS_ARGUMENT_MAX_INSTANCES, max_instances, UINT32_MAX)
  BAD_SERVER(NPS_ARGUMENT_FLAGS, flags, 8)
  BAD_SERVER(NPS_ARGUMENT_FLAGS, flags, 0x80000001u)
  BAD_SERVER(NPS_ARGUMENT_IN_BUFFER_SIZE, in_buffer_size, 16777217)
  BAD_SERVER(NPS_ARGUMENT_OUT_BUFFER_SIZE, out_buffer_size, 16777217)
  BAD_SERVER(NPS_ARGUMENT_READ_AHEAD, read_ahead, 1048577)
  BAD_SERVER(NPS_ARGUMENT_WRITE_LIMIT, write_limit, 0)
  BAD_SERVER(NPS_ARGUMENT_WRITE_LIMIT, write_limit, 16777217)
  BAD_SERVER(NPS_ARGUMENT_FLAGS, reserved, 1)
  BAD_SERVER(NPS_ARGUMENT_MODE, mode, 2)
  BAD_SERVER(NPS_ARGUMENT_SECURITY, security, 4)
  BAD_SERVER(NPS_ARGUMENT_FILE_MODE, file_mode, 0600)
  BAD_SERVER(NPS_ARGUMENT_FILE_MODE, file_group, 0)
  BAD_SERVER(NPS_ARGUMENT_FILE_MODE, security, NPS_SECURITY_FILE_MODE)
  BAD_SERVER(NPS_ARGUMENT_DESCRIPTOR, descriptor, "D:")
  BAD_SERVER(NPS_ARGUMENT_DESCRIPTOR, security, NPS_SECURITY_DESCRIPTOR)
  good.security = NPS_SECURITY_FILE_MODE;
  BAD_SERVER(NPS_ARGUMENT_FILE_MODE, file_mode, 01000)
}

TEST(test_server_options_at_their_limits_are_good) { /* O3 */
  nps_server_options options = server_options(test_name());
  options.max_instances = 254;
  options.in_buffer_size = options.out_buffer_size = 1;
  options.read_ahead = 1;
  options.write_limit = 1;
  REQUIRE_OK(create_with(options));
  options.max_instances = 1;
  options.read_ahead = 1048576;
  options.write_limit = 16777216;
  REQUIRE_OK(create_with(options));
}

TEST(test_bad_client_options_are_named) { /* O3 */
  const char *name = test_name();
  nps_client_options good = client_options(name);
  nps_pipe *server = server_new(name);
  REQUIRE_OK(open_with(good));
  BAD_CLIENT(NPS_ARGUMENT_OPTIONS_SIZE, size, 0)
  BAD_CLIENT(NPS_ARGUMENT_OPTIONS_SIZE, size, sizeof good - 4)
  BAD_CLIENT(NPS_ARGUMENT_OPTIONS_SIZE, size, sizeof good + 1)
  BAD_CLIENT(NPS_ARGUMENT_NAME, name, NULL)
  BAD_CLIENT(NPS_ARGUMENT_DIRECTION, direction, 0)
  BAD_CLIENT(NPS_ARGUMENT_DIRECTION, direction, 7)
  BAD_CLIENT(NPS_ARGUMENT_TIMEOUT, timeout_ms, -2)
  BAD_CLIENT(NPS_ARGUMENT_TIMEOUT, timeout_ms, INT64_MIN)
  BAD_CLIENT(NPS_ARGUMENT_FLAGS, flags, 8)
  BAD_CLIENT(NPS_ARGUMENT_FLAGS, flags, NPS_CLIENT_CURRENT_USER | NPS_CLIENT_ANY_USER)
  BAD_CLIENT(NPS_ARGUMENT_FLAGS, reserved, 1)
  BAD_CLIENT(NPS_ARGUMENT_MODE, mode, 2)
  BAD_CLIENT(NPS_ARGUMENT_IMPERSONATION, impersonation, 5)
  BAD_CLIENT(NPS_ARGUMENT_SERVER, server, "")
  BAD_CLIENT(NPS_ARGUMENT_SERVER, server, "a\\b")
  BAD_CLIENT(NPS_ARGUMENT_SERVER, server, "a/b")
  BAD_CLIENT(NPS_ARGUMENT_SERVER, server, "\xFF")
  BAD_CLIENT(NPS_ARGUMENT_READ_AHEAD, read_ahead, 1048577)
  BAD_CLIENT(NPS_ARGUMENT_WRITE_LIMIT, write_limit, 0)
  BAD_CLIENT(NPS_ARGUMENT_WRITE_LIMIT, write_limit, 16777217)
  nps_pipe_release(server);
}

TEST(test_bad_poll_options_are_named) { /* O3 */
  nps_poll_options good;
  REQUIRE_OK(nps_poll_options_init(&good, sizeof good));
  REQUIRE_OK(poll_with(good));
  BAD_POLL(NPS_ARGUMENT_OPTIONS_SIZE, size, 0)
  BAD_POLL(NPS_ARGUMENT_OPTIONS_SIZE, size, sizeof good + 4)
  BAD_POLL(NPS_ARGUMENT_POOL_BUFFERS, pool_buffers, 65537)
  BAD_POLL(NPS_ARGUMENT_POOL_BUFFER_SIZE, pool_buffer_size, 0)
  BAD_POLL(NPS_ARGUMENT_POOL_BUFFER_SIZE, pool_buffer_size, 4095)
  BAD_POLL(NPS_ARGUMENT_POOL_BUFFER_SIZE, pool_buffer_size, 1048577)
  BAD_POLL(NPS_ARGUMENT_FLAGS, flags, 1)
  good.pool_buffers = 65536;
  good.pool_buffer_size = 1048576; /* buffers are made when first needed: this costs nothing */
  REQUIRE_OK(poll_with(good));
  good.pool_buffers = 0;
  good.pool_buffer_size = 4096;
  REQUIRE_OK(poll_with(good));
}

/* ---- names ---- */

TEST(test_bad_names_are_refused) { /* O3 */
  static const char *const names[] = {"", "a/b", "a\\b", "\\", "/", "anonymous", "ANONYMOUS", "\xFF", "ok\xC3",
      "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "a\x80z", "\\\\.\\pipe\\"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    REQUIRE_INVALID(NPS_ARGUMENT_NAME, create_with(server_options(names[i])));
    REQUIRE_INVALID(NPS_ARGUMENT_NAME, open_with(client_options(names[i])));
  }
}

TEST(test_a_name_at_the_limit_works_and_one_more_says_the_limit) { /* O3 */
  char *name = test_new(400);
  memset(name, 'n', 350);
  nps_result result = create_with(server_options(name));
  REQUIRE_STATUS(NPS_E_NAME_TOO_LONG, result);
  uint32_t limit = nps_result_detail(result);
  REQUIRE_EQUAL(sys_is_windows() ? 256 : 107, limit);
  REQUIRE_EQUAL(limit, nps_result_detail(open_with(client_options(name))));
  const char *unique = test_name();
  size_t around = strlen(peer_full_name("")), length = strlen(unique);
  memcpy(name, unique, length);
  name[limit - around] = '\0'; /* the whole path is as long as it may be */
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  peer *client = peer_open(name);
  loop_connect(l, 1, server);
  peer_close(client);
  end_pipe(server);
  name[limit - around] = 'n';
  name[limit - around + 1] = '\0';
  REQUIRE_STATUS(NPS_E_NAME_TOO_LONG, create_with(server_options(name)));
  REQUIRE_STATUS(NPS_E_NAME_TOO_LONG, open_with(client_options(name)));
  loop_end(l);
}

TEST(test_short_and_full_names_are_the_same_pipe) {
  const char *name = test_name();
  for (int i = 0; i < 2; i++) {
    loop *l = loop_new();
    nps_pipe *server = server_new(i == 0 ? name : peer_full_name(name));
    nps_pipe *client = client_new(i == 0 ? peer_full_name(name) : name);
    register_pipe(l, server, 1);
    REQUIRE_OK(nps_pipe_connect(server));
    end_pipe(client);
    end_pipe(server);
    loop_end(l);
  }
}

TEST(test_a_name_may_have_any_letters) {
  char *name = test_new(200);
  strcat(strcpy(name, test_name()), "-\xC3\xBC\xE7\xAE\xA1\xF0\x9F\x98\x80 x.y");
  loop *l = loop_new();
  nps_pipe *server = server_new(name), *client = client_new(name);
  register_pipe(l, server, 1);
  REQUIRE_OK(nps_pipe_connect(server));
  end_pipe(client);
  end_pipe(server);
  loop_end(l);
}
