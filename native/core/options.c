#include "options.h"

#define DEFAULT_POOL_BUFFERS 256u
#define MAX_POOL_BUFFERS 65536u
#define DEFAULT_BUFFER_SIZE 65536u
#define MIN_BUFFER_SIZE 4096u
#define MAX_BUFFER_SIZE 1048576u
#define MAX_QUOTA 16777216u

static const nps_poll_options options__poll_defaults = {
    sizeof(nps_poll_options), DEFAULT_POOL_BUFFERS, DEFAULT_BUFFER_SIZE, 0};

static const nps_server_options options__server_defaults = {sizeof(nps_server_options), NPS_DIRECTION_DUPLEX, NULL,
    NPS_UNLIMITED_INSTANCES, 0, 0, 0, DEFAULT_BUFFER_SIZE, DEFAULT_BUFFER_SIZE};

static const nps_client_options options__client_defaults = {
    sizeof(nps_client_options), NPS_DIRECTION_DUPLEX, NULL, 0, 0, DEFAULT_BUFFER_SIZE, DEFAULT_BUFFER_SIZE, 0};

static const nps_adopt_options options__adopt_defaults = {
    sizeof(nps_adopt_options), 0, DEFAULT_BUFFER_SIZE, DEFAULT_BUFFER_SIZE};

/* This is ABI version 1: every struct has had one size so far. */
static nps_result options__init(void *options, uint32_t size, const void *defaults, uint32_t known) {
  if (options == NULL)
    return invalid_argument(NPS_ARGUMENT_OPTIONS);
  if (size != known)
    return invalid_argument(NPS_ARGUMENT_OPTIONS_SIZE);
  memcpy(options, defaults, known);
  return RESULT_OK;
}

nps_result nps_poll_options_init(nps_poll_options *options, uint32_t size) {
  return options__init(options, size, &options__poll_defaults, sizeof options__poll_defaults);
}

nps_result nps_server_options_init(nps_server_options *options, uint32_t size) {
  return options__init(options, size, &options__server_defaults, sizeof options__server_defaults);
}

nps_result nps_client_options_init(nps_client_options *options, uint32_t size) {
  return options__init(options, size, &options__client_defaults, sizeof options__client_defaults);
}

nps_result nps_adopt_options_init(nps_adopt_options *options, uint32_t size) {
  return options__init(options, size, &options__adopt_defaults, sizeof options__adopt_defaults);
}

/* The size is read first and alone: nothing beyond it may be touched before it is known. */
static nps_result options__copy(const void *given, void *complete, uint32_t known) {
  uint32_t size;
  if (given == NULL)
    return invalid_argument(NPS_ARGUMENT_OPTIONS);
  memcpy(&size, given, sizeof size);
  if (size != known)
    return invalid_argument(NPS_ARGUMENT_OPTIONS_SIZE);
  memcpy(complete, given, known);
  return RESULT_OK;
}

/* Length of the UTF-8 sequence that begins at s, 0 if it is none: no overlong form, no surrogate, nothing above U+10FFFF. */
static size_t options__utf8_sequence(const unsigned char *s) {
  const unsigned char lead = s[0];
  if (lead < 0x80)
    return 1;
  if (lead < 0xC2 || lead > 0xF4)
    return 0;
  if ((s[1] & 0xC0) != 0x80)
    return 0; /* a NUL ends the string here too: nothing behind it is read */
  if (lead < 0xE0)
    return 2;
  if (lead == 0xE0 && s[1] < 0xA0)
    return 0;
  if (lead == 0xED && s[1] > 0x9F)
    return 0;
  if (lead == 0xF0 && s[1] < 0x90)
    return 0;
  if (lead == 0xF4 && s[1] > 0x8F)
    return 0;
  if ((s[2] & 0xC0) != 0x80)
    return 0;
  if (lead < 0xF0)
    return 3;
  return (s[3] & 0xC0) == 0x80 ? 4 : 0;
}

static nps_result options__name(const char *name) {
  if (name == NULL || name[0] == '\0')
    return invalid_argument(NPS_ARGUMENT_NAME);
  for (const unsigned char *s = (const unsigned char *)name; *s != '\0';) {
    size_t length = options__utf8_sequence(s);
    if (length == 0)
      return invalid_argument(NPS_ARGUMENT_NAME);
    s += length;
  }
  return RESULT_OK;
}

static nps_result options__transfer(uint32_t read_ahead, uint32_t write_limit) {
  if (read_ahead > MAX_BUFFER_SIZE)
    return invalid_argument(NPS_ARGUMENT_READ_AHEAD);
  if (write_limit == 0 || write_limit > MAX_QUOTA)
    return invalid_argument(NPS_ARGUMENT_WRITE_LIMIT);
  return RESULT_OK;
}

static nps_result options__direction(uint32_t direction) {
  if (direction < NPS_DIRECTION_IN || direction > NPS_DIRECTION_DUPLEX)
    return invalid_argument(NPS_ARGUMENT_DIRECTION);
  return RESULT_OK;
}

nps_result options_poll(const nps_poll_options *given, nps_poll_options *complete) {
  nps_result result = options__copy(given != NULL ? given : &options__poll_defaults, complete, sizeof *complete);
  if (result != RESULT_OK)
    return result;
  if (complete->pool_buffers > MAX_POOL_BUFFERS)
    return invalid_argument(NPS_ARGUMENT_POOL_BUFFERS);
  if (complete->pool_buffer_size < MIN_BUFFER_SIZE || complete->pool_buffer_size > MAX_BUFFER_SIZE) {
    return invalid_argument(NPS_ARGUMENT_POOL_BUFFER_SIZE);
  }
  if (complete->flags != 0)
    return invalid_argument(NPS_ARGUMENT_FLAGS);
  return RESULT_OK;
}

nps_result options_server(const nps_server_options *given, nps_server_options *complete) {
  nps_result result = options__copy(given, complete, sizeof *complete);
  if (result != RESULT_OK)
    return result;
  if ((result = options__name(complete->name)) != RESULT_OK)
    return result;
  if ((result = options__direction(complete->direction)) != RESULT_OK)
    return result;
  if (complete->max_instances == 0 || complete->max_instances > NPS_UNLIMITED_INSTANCES) {
    return invalid_argument(NPS_ARGUMENT_MAX_INSTANCES);
  }
  if ((complete->flags & ~(uint32_t)NPS_SERVER_FIRST_INSTANCE) != 0)
    return invalid_argument(NPS_ARGUMENT_FLAGS);
  if (complete->in_buffer_size > MAX_QUOTA)
    return invalid_argument(NPS_ARGUMENT_IN_BUFFER_SIZE);
  if (complete->out_buffer_size > MAX_QUOTA)
    return invalid_argument(NPS_ARGUMENT_OUT_BUFFER_SIZE);
  return options__transfer(complete->read_ahead, complete->write_limit);
}

nps_result options_client(const nps_client_options *given, nps_client_options *complete) {
  nps_result result = options__copy(given, complete, sizeof *complete);
  if (result != RESULT_OK)
    return result;
  if ((result = options__name(complete->name)) != RESULT_OK)
    return result;
  if ((result = options__direction(complete->direction)) != RESULT_OK)
    return result;
  if (complete->timeout_ms < NPS_FOREVER)
    return invalid_argument(NPS_ARGUMENT_TIMEOUT);
  if (complete->flags != 0 || complete->reserved != 0)
    return invalid_argument(NPS_ARGUMENT_FLAGS);
  return options__transfer(complete->read_ahead, complete->write_limit);
}

nps_result options_adopt(const nps_adopt_options *given, nps_adopt_options *complete) {
  nps_result result = options__copy(given != NULL ? given : &options__adopt_defaults, complete, sizeof *complete);
  if (result != RESULT_OK)
    return result;
  if (complete->flags != 0)
    return invalid_argument(NPS_ARGUMENT_FLAGS);
  return options__transfer(complete->read_ahead, complete->write_limit);
}
