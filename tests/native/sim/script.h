/* script.h - what the scripted scenarios share: a plain kernel, a poll, and pipes whose peer is the script. */
#ifndef NPS_SCRIPT_H
#define NPS_SCRIPT_H

#include "sim.h"
#include "test.h"

#define SCRIPT_NAME "script"
#define BOTH_INTERESTS (NPS_INTEREST_READABLE | NPS_INTEREST_WRITABLE)

typedef struct script {
  nps_poll *poll;
  nps_pipe *pipe; /* a server, registered with token 1 and both interests; not connected */
} script;

static inline void script_fail(const char *message) { FAIL("%s", message); }

/* The kernel does everything at once and nothing by chance; a breach of its rules fails the case. */
static inline script script_begin_with(uint32_t read_ahead) {
  script made = {0};
  sim_settings settings = sim_settings_plain();
  settings.quarantine = 64;
  settings.fail = script_fail;
  sim_begin(&settings);
  nps_server_options options;
  (void)nps_server_options_init(&options, sizeof options);
  options.name = SCRIPT_NAME;
  options.in_buffer_size = options.out_buffer_size = 100;
  options.read_ahead = read_ahead;
  REQUIRE_OK(nps_poll_create(NULL, &made.poll));
  REQUIRE_OK(nps_pipe_create(&options, &made.pipe));
  REQUIRE_OK(nps_pipe_register(made.pipe, made.poll, 1, BOTH_INTERESTS));
  return made;
}

static inline script script_begin(void) { return script_begin_with(65536); }

/* Everything is given back, and the kernel agrees. */
static inline void script_end(script *s) {
  sim_set_hook(NULL, NULL);
  nps_pipe_release(s->pipe);
  nps_poll_release(s->poll);
  sim_finish();
}

/* One wait of no time: the readiness of token 1, 0 if there is no event. */
static inline uint32_t script_events(const script *s) {
  nps_event event;
  uint32_t count = 0;
  REQUIRE_OK(nps_poll_wait(s->poll, &event, 1, 0, &count));
  if (count == 0) return 0;
  REQUIRE_EQUAL(1, event.token);
  return event.readiness;
}

#endif
