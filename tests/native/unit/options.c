/* core/options.h: every number at its limits, every option blamed alone, every form of UTF-8 (O2, O3). */
#include "options.h"

#include <stdio.h>

#include "test.h"

#define LARGEST_QUOTA 16777216u
#define LARGEST_BUFFER 1048576u

typedef struct limits {
  size_t offset; /* of an uint32_t in the struct */
  uint32_t least, most;
  nps_argument argument;
} limits;

typedef nps_result check(const void *options);

static uint32_t *field(void *options, size_t offset) {
  return (uint32_t *)(void *)((char *)options + offset);
}

/* `options` are good; each field at its limits and just beyond, one at a time. */
static void require_limits(void *options, const limits *of, size_t count, check *checked) {
  REQUIRE_OK(checked(options));
  for (size_t i = 0; i < count; i++) {
    uint32_t *value = field(options, of[i].offset);
    const uint32_t good = *value;
    *value = of[i].least;
    REQUIRE_OK(checked(options));
    *value = of[i].most;
    REQUIRE_OK(checked(options));
    *value = of[i].most + 1;
    REQUIRE_INVALID(of[i].argument, checked(options));
    if (of[i].least > 0) {
      *value = of[i].least - 1;
      REQUIRE_INVALID(of[i].argument, checked(options));
    }
    *value = good;
  }
}

/* What is checked is what was given, and nothing of it has changed. */
static nps_result check_poll(const void *options) {
  nps_poll_options complete;
  nps_result result = options_poll(options, &complete);
  REQUIRE(result != NPS_OK || memcmp(options, &complete, sizeof complete) == 0);
  return result;
}

static nps_result check_server(const void *options) {
  nps_server_options complete;
  nps_result result = options_server(options, &complete);
  REQUIRE(result != NPS_OK || memcmp(options, &complete, sizeof complete) == 0);
  return result;
}

static nps_result check_client(const void *options) {
  nps_client_options complete;
  nps_result result = options_client(options, &complete);
  REQUIRE(result != NPS_OK || memcmp(options, &complete, sizeof complete) == 0);
  return result;
}

static nps_result check_adopt(const void *options) {
  nps_adopt_options complete;
  nps_result result = options_adopt(options, &complete);
  REQUIRE(result != NPS_OK || memcmp(options, &complete, sizeof complete) == 0);
  return result;
}

TEST(test_poll_options_have_limits) { /* O3 */
  static const limits of[] = {
      {offsetof(nps_poll_options, pool_buffers), 0, 65536, NPS_ARGUMENT_POOL_BUFFERS},
      {offsetof(nps_poll_options, pool_buffer_size), 4096, LARGEST_BUFFER, NPS_ARGUMENT_POOL_BUFFER_SIZE},
      {offsetof(nps_poll_options, flags), 0, 0, NPS_ARGUMENT_FLAGS},
  };
  nps_poll_options options;
  REQUIRE_OK(nps_poll_options_init(&options, sizeof options));
  REQUIRE_EQUAL(256, options.pool_buffers);
  REQUIRE_EQUAL(65536, options.pool_buffer_size);
  require_limits(&options, of, sizeof of / sizeof of[0], check_poll);
  options.size--;
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS_SIZE, check_poll(&options));
  nps_poll_options complete;
  REQUIRE_OK(options_poll(NULL, &complete)); /* all defaults */
  REQUIRE_EQUAL(256, complete.pool_buffers);
}

TEST(test_server_options_have_limits) { /* O1, O3 */
  static const limits of[] = {
      {offsetof(nps_server_options, direction), 1, 3, NPS_ARGUMENT_DIRECTION},
      {offsetof(nps_server_options, max_instances), 1, 255, NPS_ARGUMENT_MAX_INSTANCES},
      {offsetof(nps_server_options, flags), 0, 7, NPS_ARGUMENT_FLAGS},
      {offsetof(nps_server_options, in_buffer_size), 0, LARGEST_QUOTA, NPS_ARGUMENT_IN_BUFFER_SIZE},
      {offsetof(nps_server_options, out_buffer_size), 0, LARGEST_QUOTA, NPS_ARGUMENT_OUT_BUFFER_SIZE},
      {offsetof(nps_server_options, read_ahead), 0, LARGEST_BUFFER, NPS_ARGUMENT_READ_AHEAD},
      {offsetof(nps_server_options, write_limit), 1, LARGEST_QUOTA, NPS_ARGUMENT_WRITE_LIMIT},
      {offsetof(nps_server_options, mode), 0, 1, NPS_ARGUMENT_MODE},
      {offsetof(nps_server_options, reserved), 0, 0, NPS_ARGUMENT_FLAGS},
  };
  nps_server_options options;
  REQUIRE_OK(nps_server_options_init(&options, sizeof options));
  REQUIRE_INVALID(NPS_ARGUMENT_NAME, check_server(&options));
  options.name = "name";
  require_limits(&options, of, sizeof of / sizeof of[0], check_server);
  nps_server_options complete;
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS, options_server(NULL, &complete));
  options.size++;
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS_SIZE, check_server(&options));
}

TEST(test_client_options_have_limits) { /* O3 */
  static const limits of[] = {
      {offsetof(nps_client_options, direction), 1, 3, NPS_ARGUMENT_DIRECTION},
      {offsetof(nps_client_options, mode), 0, 1, NPS_ARGUMENT_MODE},
      {offsetof(nps_client_options, impersonation), 0, 4, NPS_ARGUMENT_IMPERSONATION},
      {offsetof(nps_client_options, reserved), 0, 0, NPS_ARGUMENT_FLAGS},
      {offsetof(nps_client_options, read_ahead), 0, LARGEST_BUFFER, NPS_ARGUMENT_READ_AHEAD},
      {offsetof(nps_client_options, write_limit), 1, LARGEST_QUOTA, NPS_ARGUMENT_WRITE_LIMIT},
  };
  nps_client_options options;
  REQUIRE_OK(nps_client_options_init(&options, sizeof options));
  REQUIRE_INVALID(NPS_ARGUMENT_NAME, check_client(&options));
  options.name = "name";
  require_limits(&options, of, sizeof of / sizeof of[0], check_client);
  options.timeout_ms = NPS_FOREVER;
  REQUIRE_OK(check_client(&options));
  options.timeout_ms = NPS_FOREVER - 1;
  REQUIRE_INVALID(NPS_ARGUMENT_TIMEOUT, check_client(&options));
  nps_client_options complete;
  REQUIRE_INVALID(NPS_ARGUMENT_OPTIONS, options_client(NULL, &complete));
}

TEST(test_adopt_options_have_limits) { /* O3 */
  static const limits of[] = {
      {offsetof(nps_adopt_options, flags), 0, 0, NPS_ARGUMENT_FLAGS},
      {offsetof(nps_adopt_options, read_ahead), 0, LARGEST_BUFFER, NPS_ARGUMENT_READ_AHEAD},
      {offsetof(nps_adopt_options, write_limit), 1, LARGEST_QUOTA, NPS_ARGUMENT_WRITE_LIMIT},
  };
  nps_adopt_options options;
  REQUIRE_OK(nps_adopt_options_init(&options, sizeof options));
  require_limits(&options, of, sizeof of / sizeof of[0], check_adopt);
  nps_adopt_options complete;
  REQUIRE_OK(options_adopt(NULL, &complete));
  REQUIRE_EQUAL(65536, complete.write_limit);
}

static nps_result named(const char *name) {
  nps_server_options options;
  REQUIRE_OK(nps_server_options_init(&options, sizeof options));
  options.name = name;
  return check_server(&options);
}

/* The first and the last of each length, and the neighbours that UTF-8 excludes. */
TEST(test_names_are_utf8) { /* O3 */
  static const char *const good[] = {"a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xE1\x80\x80",
      "\xEC\xBF\xBF", "\xED\x80\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80",
      "\xF1\x80\x80\x80", "\xF3\xBF\xBF\xBF", "\xF4\x80\x80\x80", "\xF4\x8F\xBF\xBF"};
  static const char *const bad[] = {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2",
      "\xC2\x41",
      "\xC2\xC0", "\xC2\x7F", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE1\x80",
      "\xE1\x80\x41",
      "\xE1\x41\x80",
      "\xE1\xC0\x80", "\xED\xA0\x80", "\xED\xBF\xBF", "\xEF\xBF\xC0", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF",
      "\xF1\x80\x80",
      "\xF1\x80\x80\x41",
      "\xF1\x80\x41\x80",
      "\xF4\x90\x80\x80", "\xF4\xBF\xBF\xBF", "\xF5\x80\x80\x80", "\xFE", "\xFF"};
  char text[16];
  REQUIRE_INVALID(NPS_ARGUMENT_NAME, named(""));
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    (void)snprintf(
        text, sizeof text, "x%sy", good[i]); /* its length is known, too: what follows is read as what it is */
    REQUIRE_OK(named(good[i]));
    REQUIRE_OK(named(text));
    (void)snprintf(text, sizeof text, "x%s\x80", good[i]); /* ... at once */
    REQUIRE_INVALID(NPS_ARGUMENT_NAME, named(text));
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    (void)snprintf(text, sizeof text, "x%sy", bad[i]);
    REQUIRE_INVALID(NPS_ARGUMENT_NAME, named(bad[i]));
    REQUIRE_INVALID(NPS_ARGUMENT_NAME, named(text));
  }
}
