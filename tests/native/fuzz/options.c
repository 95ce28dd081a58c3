/* options.c - options structs with any contents: sizes, reserved fields, names, numbers. Each is held against what nps.h allows: a
 * struct with something wrong in it is refused, and the answer names an option that is wrong, whichever others are (O2, O3); one that
 * is right is taken, and the pipe or the poll has what it says. On the simulated kernel. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "pipe.h"
#include "poll.h"
#include "sim.h"

#define KERNEL_NAME_LIMIT 63u /* of the simulated kernel, its prefix with it */
#define KERNEL_PREFIX "\\\\.\\pipe\\"
#define WRONG(argument, when) ((when) ? (uint64_t)1 << (argument) : 0)

typedef union any_options {
  uint32_t size;
  nps_poll_options poll;
  nps_server_options server;
  nps_client_options client;
  nps_adopt_options adopt;
} any_options;

/* `wrong`: bits of those arguments that are. */
static void options__judge(const char *call, nps_result result, uint64_t wrong) {
  const int32_t status = nps_result_status(result);
  const uint32_t detail = nps_result_detail(result);
  if (wrong == 0 && status == NPS_E_INVALID_ARGUMENT)
    fuzz_fail("%s: all is right, and %s is refused", call, nps_argument_name(detail));
  if (wrong != 0 && status != NPS_E_INVALID_ARGUMENT)
    fuzz_fail("%s: %s for an argument that is wrong", call, nps_status_name(status));
  if (wrong != 0 && (detail > NPS_ARGUMENT_MESSAGE || (wrong >> detail & 1) == 0)) {
    fuzz_fail("%s: %s is called wrong, and is not", call, nps_argument_name(detail));
  }
}

/* ---------------------------------------------------------------- init */

typedef nps_result init_function(void *options, uint32_t size);

/* Structs have grown: what they were at first is good too. */
typedef struct any_sizes {
  uint32_t first, now;
} any_sizes;

#define ONE_SIZE(type) ((any_sizes){sizeof(type), sizeof(type)})
#define GROWN(type, member) ((any_sizes){offsetof(type, member), sizeof(type)})

static bool options__knows(any_sizes sizes, uint32_t size) {
  return size == sizes.first || size == sizes.now;
}

static nps_result options__init_poll(void *options, uint32_t size) {
  return nps_poll_options_init(options, size);
}
static nps_result options__init_server(void *options, uint32_t size) {
  return nps_server_options_init(options, size);
}
static nps_result options__init_client(void *options, uint32_t size) {
  return nps_client_options_init(options, size);
}
static nps_result options__init_adopt(void *options, uint32_t size) {
  return nps_adopt_options_init(options, size);
}

/* A size that is not the struct's: nothing is written, whatever memory there is. */
static void options__init(fuzz_input *input, init_function *init, any_sizes sizes, any_options *options) {
  const uint32_t size = fuzz_take_number(input);
  const bool known = options__knows(sizes, size);
  const size_t room = size < sizes.now ? size : sizes.now;
  uint8_t *memory = malloc(room == 0 ? 1 : room);
  if (memory == NULL)
    fuzz_fail("no memory for options");
  memset(memory, 0x5A, room);
  options__judge("init", init(memory, size), WRONG(NPS_ARGUMENT_OPTIONS_SIZE, !known));
  for (size_t i = 0; !known && i < room; i++) {
    if (memory[i] != 0x5A)
      fuzz_fail("init writes into a struct whose size it does not know");
  }
  free(memory);
  options__judge("init", init(NULL, sizes.now), WRONG(NPS_ARGUMENT_OPTIONS, true));
  if (init(options, sizes.now) != NPS_OK || options->size != sizes.now)
    fuzz_fail("init of a struct of its own size");
}

/* The struct in memory of just its size; of a size that is not known nothing is there but the size. */
static void *options__given(fuzz_input *input, any_options *options, any_sizes sizes, uint64_t *wrong) {
  if (fuzz_take(input, 16) == 1)
    options->size = fuzz_take_number(input);
  if (fuzz_take(input, 64) == 1)
    return NULL;
  const bool known = options__knows(sizes, options->size);
  if (!known)
    *wrong = WRONG(NPS_ARGUMENT_OPTIONS_SIZE, true);
  const size_t room = known ? options->size : sizeof options->size;
  void *memory = malloc(room);
  if (memory == NULL)
    fuzz_fail("no memory for options");
  memcpy(memory, options, room);
  return memory;
}

/* ---------------------------------------------------------------- what each may hold */

static uint64_t options__wrong_transfer(uint32_t read_ahead, uint32_t write_limit) {
  return WRONG(NPS_ARGUMENT_READ_AHEAD, read_ahead > 1048576) |
         WRONG(NPS_ARGUMENT_WRITE_LIMIT, write_limit < 1 || write_limit > 16777216);
}

/* The simulated kernel's rules beside nps.h's: a full name may be given; what is left of it is neither empty nor reserved, has no
 * separator, and fits. */
static const char *options__short_name(const char *name) {
  return strncmp(name, KERNEL_PREFIX, strlen(KERNEL_PREFIX)) == 0 ? name + strlen(KERNEL_PREFIX) : name;
}

static bool options__is_reserved(const char *name) {
  static const char lower[] = "anonymous", upper[] = "ANONYMOUS";
  size_t same = 0;
  while (name[same] != '\0' && (name[same] == lower[same] || name[same] == upper[same]))
    same++;
  return name[same] == '\0' && lower[same] == '\0';
}

static uint64_t options__wrong_name(const char *name) {
  if (name == NULL || !fuzz_is_utf8(name))
    return WRONG(NPS_ARGUMENT_NAME, true);
  const char *rest = options__short_name(name);
  return WRONG(NPS_ARGUMENT_NAME, rest[0] == '\0' || strpbrk(rest, "/\\") != NULL || options__is_reserved(rest));
}

static bool options__is_too_long(const char *name) {
  return strlen(KERNEL_PREFIX) + strlen(options__short_name(name)) > KERNEL_NAME_LIMIT;
}

static uint64_t options__wrong_direction(uint32_t direction) {
  return WRONG(NPS_ARGUMENT_DIRECTION,
      direction != NPS_DIRECTION_IN && direction != NPS_DIRECTION_OUT && direction != NPS_DIRECTION_DUPLEX);
}

/* A few of the fields, in any order, get any number. */
static void options__set(fuzz_input *input, uint32_t *const *fields, uint32_t count) {
  for (uint32_t times = fuzz_take(input, 8); times > 0; times--) {
    const uint32_t which = fuzz_take(input, count);
    *fields[which] = fuzz_take_number(input);
  }
}

static void options__require_name_limit(const char *call, nps_result result) {
  if (nps_result_status(result) != NPS_E_NAME_TOO_LONG || nps_result_detail(result) != KERNEL_NAME_LIMIT) {
    fuzz_fail("%s: a name that is too long is not told so, with the limit", call);
  }
}

static void options__check_pipe(const nps_pipe *pipe, uint32_t direction, uint32_t read_ahead, uint32_t write_limit) {
  if (pipe->direction != direction || pipe->read_ahead != read_ahead || pipe->write_limit != write_limit) {
    fuzz_fail("a pipe has other options than it was given");
  }
}

/* ---------------------------------------------------------------- one of each */

static void options__poll(fuzz_input *input) {
  any_options options;
  uint64_t wrong = 0;
  options__init(input, options__init_poll, ONE_SIZE(nps_poll_options), &options);
  uint32_t *const fields[] = {&options.poll.pool_buffers, &options.poll.pool_buffer_size, &options.poll.flags};
  options__set(input, fields, 3);
  wrong = WRONG(NPS_ARGUMENT_POOL_BUFFERS, options.poll.pool_buffers > 65536) |
          WRONG(NPS_ARGUMENT_POOL_BUFFER_SIZE,
              options.poll.pool_buffer_size < 4096 || options.poll.pool_buffer_size > 1048576) |
          WRONG(NPS_ARGUMENT_FLAGS, options.poll.flags != 0);
  nps_poll_options *given = options__given(input, &options, ONE_SIZE(nps_poll_options), &wrong);
  if (given == NULL)
    wrong = 0; /* all defaults */
  const bool nowhere = fuzz_take(input, 64) == 1;
  nps_poll *poll = NULL;
  nps_result result = nps_poll_create(given, nowhere ? NULL : &poll);
  options__judge("nps_poll_create", result, nowhere ? wrong | WRONG(NPS_ARGUMENT_RESULT, true) : wrong);
  if ((result == NPS_OK) != (poll != NULL))
    fuzz_fail("nps_poll_create: a result without a poll, or a poll without");
  if (poll != NULL && given != NULL &&
      (poll->pool.limit != given->pool_buffers || poll->pool.size != given->pool_buffer_size)) {
    fuzz_fail("a poll has other options than it was given");
  }
  nps_poll_release(poll);
  free(given);
}

static void options__server(fuzz_input *input) {
  any_options options;
  options__init(input, options__init_server, GROWN(nps_server_options, mode), &options);
  nps_server_options *s = &options.server;
  uint32_t *const fields[] = {&s->direction, &s->max_instances, &s->flags, &s->in_buffer_size, &s->out_buffer_size,
      &s->read_ahead, &s->write_limit};
  options__set(input, fields, 7);
  const uint32_t odd = fuzz_take(input, 256);
  char *name = odd % 32 == 1 ? NULL : fuzz_take_text(input);
  s->name = name;
  uint64_t wrong = options__wrong_name(name) | options__wrong_direction(s->direction) |
                   WRONG(NPS_ARGUMENT_MAX_INSTANCES, s->max_instances < 1 || s->max_instances > 255) |
                   WRONG(NPS_ARGUMENT_FLAGS, s->flags > 7) |
                   WRONG(NPS_ARGUMENT_IN_BUFFER_SIZE, s->in_buffer_size > 16777216) |
                   WRONG(NPS_ARGUMENT_OUT_BUFFER_SIZE, s->out_buffer_size > 16777216) |
                   options__wrong_transfer(s->read_ahead, s->write_limit);
  nps_server_options *given = options__given(input, &options, GROWN(nps_server_options, mode), &wrong);
  if (given == NULL)
    wrong = WRONG(NPS_ARGUMENT_OPTIONS, true);
  const bool nowhere = odd / 32 == 1;
  if (nowhere)
    wrong |= WRONG(NPS_ARGUMENT_RESULT, true);
  nps_pipe *pipe = NULL;
  nps_result result = nps_pipe_create(given, nowhere ? NULL : &pipe);
  options__judge("nps_pipe_create", result, wrong);
  if (wrong == 0 && options__is_too_long(name)) {
    options__require_name_limit("nps_pipe_create", result);
  } else if (wrong == 0 && (result != NPS_OK || pipe == NULL)) {
    fuzz_fail("nps_pipe_create: %s for what is right", nps_status_name(nps_result_status(result)));
  }
  if (pipe != NULL)
    options__check_pipe(pipe, s->direction, s->read_ahead, s->write_limit);
  nps_pipe_release(pipe);
  free(given);
  free(name);
}

typedef struct late_server {
  const char *name;
  uint32_t naps; /* until it is there */
} late_server;

static void options__serve(sim_moment moment, void *context) {
  late_server *late = context;
  if (moment == SIM_NAP && late->naps != 0 && --late->naps == 0)
    (void)sim_serve(late->name, NPS_DIRECTION_DUPLEX, 100);
}

static void options__client(fuzz_input *input) {
  any_options options;
  options__init(input, options__init_client, GROWN(nps_client_options, mode), &options);
  nps_client_options *c = &options.client;
  uint32_t *const fields[] = {&c->direction, &c->flags, &c->read_ahead, &c->write_limit, &c->reserved};
  options__set(input, fields, 5);
  const uint32_t odd = fuzz_take(input, 256), kind = fuzz_take(input, 8);
  const int64_t number = fuzz_take_number(input);
  c->timeout_ms = kind < 3    ? 0
                  : kind == 3 ? -number
                  : kind == 4 ? NPS_FOREVER
                  : kind == 5 ? INT64_MAX - number
                  : kind == 6 ? INT64_MIN + number
                              : number;
  char *name = odd % 32 == 1 ? NULL : fuzz_take_text(input);
  c->name = name;
  uint64_t wrong = options__wrong_name(name) | options__wrong_direction(c->direction) |
                   WRONG(NPS_ARGUMENT_TIMEOUT, c->timeout_ms < NPS_FOREVER) |
                   WRONG(NPS_ARGUMENT_FLAGS, c->flags > 5 || c->reserved != 0) |
                   options__wrong_transfer(c->read_ahead, c->write_limit);
  nps_client_options *given = options__given(input, &options, GROWN(nps_client_options, mode), &wrong);
  if (given == NULL)
    wrong = WRONG(NPS_ARGUMENT_OPTIONS, true);
  const bool nowhere = odd / 32 == 1;
  if (nowhere)
    wrong |= WRONG(NPS_ARGUMENT_RESULT, true);
  late_server late = {name, 1 + fuzz_take(input, 6)};
  sim_set_hook(options__serve, &late);
  const uint64_t start = os_now_ms();
  nps_pipe *pipe = NULL;
  nps_result result = nps_pipe_open(given, nowhere ? NULL : &pipe);
  const uint64_t passed = os_now_ms() - start;
  sim_set_hook(NULL, NULL);
  options__judge("nps_pipe_open", result, wrong);
  if (wrong != 0) {
    if (passed != 0)
      fuzz_fail("nps_pipe_open waits, and then refuses its arguments");
  } else if (options__is_too_long(name)) {
    options__require_name_limit("nps_pipe_open", result);
  } else if (late.naps == 0 ? result != NPS_OK : nps_result_status(result) != NPS_E_NOT_FOUND) {
    fuzz_fail("nps_pipe_open: %s", nps_status_name(nps_result_status(result)));
  } else if (c->timeout_ms >= 0 && passed > (uint64_t)c->timeout_ms) {
    fuzz_fail("K2: nps_pipe_open waits longer than it may");
  } else if (late.naps != 0 && (c->timeout_ms < 0 || passed < (uint64_t)c->timeout_ms)) {
    fuzz_fail("K2: nps_pipe_open gives up before its time");
  }
  if (pipe != NULL)
    options__check_pipe(pipe, c->direction, c->read_ahead, c->write_limit);
  nps_pipe_release(pipe);
  free(given);
  free(name);
}

static void options__adopt(fuzz_input *input) {
  any_options options;
  options__init(input, options__init_adopt, ONE_SIZE(nps_adopt_options), &options);
  nps_adopt_options *a = &options.adopt;
  uint32_t *const fields[] = {&a->flags, &a->read_ahead, &a->write_limit};
  options__set(input, fields, 3);
  uint64_t wrong = WRONG(NPS_ARGUMENT_FLAGS, a->flags != 0) | options__wrong_transfer(a->read_ahead, a->write_limit);
  nps_adopt_options *given = options__given(input, &options, ONE_SIZE(nps_adopt_options), &wrong);
  if (given == NULL)
    wrong = 0; /* all defaults */
  sim_file *server = sim_serve("adopt", NPS_DIRECTION_DUPLEX, 100),
           *client = sim_connect("adopt", NPS_DIRECTION_DUPLEX);
  if (server == NULL || client == NULL)
    fuzz_fail("the kernel gives no pipe to adopt");
  const uint32_t number = fuzz_take_number(input);
  const bool odd = fuzz_take(input, 4) == 1 && sim_file_of_handle((intptr_t)number) == NULL;
  if (odd)
    wrong |= WRONG(NPS_ARGUMENT_HANDLE, true);
  nps_pipe *pipe = NULL;
  nps_result result = nps_pipe_adopt(odd ? (intptr_t)number : sim_handle(client), given, &pipe);
  options__judge("nps_pipe_adopt", result, wrong);
  if ((wrong == 0) != (result == NPS_OK) || (result == NPS_OK) != (pipe != NULL))
    fuzz_fail("nps_pipe_adopt: a result without a pipe");
  if (pipe != NULL && given != NULL)
    options__check_pipe(pipe, NPS_DIRECTION_DUPLEX, given->read_ahead, given->write_limit);
  nps_pipe_release(pipe);
  free(given);
}

static void options__failed(const char *message) {
  fuzz_fail("%s", message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const kinds[])(fuzz_input *) = {options__poll, options__server, options__client, options__adopt};
  fuzz_input input = {data, size};
  sim_settings settings = sim_settings_plain();
  settings.fail = options__failed;
  sim_begin(&settings);
  kinds[fuzz_take(&input, 4)](&input);
  sim_finish();
  return 0;
}
