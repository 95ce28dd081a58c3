#include "race.h"

hub *hub_new(void) {
  hub *made = test_new(sizeof *made);
  made->l = test_new(sizeof *made->l);
  return made;
}

void hub_open(hub *one) {
  REQUIRE_OK(nps_poll_create(NULL, &one->l->poll));
}

void hub_close(hub *one) {
  loop_end(one->l);
}

static void hub__count(hub *one, const nps_event *event) {
  REQUIRE(event->token < HUB_TOKENS);
  REQUIRE(event->readiness != 0 && (event->readiness & ~(uint32_t)ANY_READINESS) == 0);
  for (int bit = 0; bit < 4; bit++) {
    if ((event->readiness & 1u << bit) != 0)
      (void)sys_atomic_add(&one->readiness[event->token][bit], 1);
  }
  (void)sys_atomic_add(&one->news[event->token], 1);
}

void hub_serve(hub *one, race *until) {
  nps_event events[HUB_TOKENS];
  bool over = false;
  while (!over) {
    uint32_t count = 0;
    REQUIRE_OK(nps_poll_wait(one->l->poll, events, HUB_TOKENS, TEST_DEADLINE_MS, &count));
    if (count == 0)
      FAIL("there is no event for so long, and %s", test_has_failed()     ? "a racer has failed"
                                                    : race_is_over(until) ? "the racers are through"
                                                                          : "racers wait");
    for (uint32_t i = 0; i < count; i++) {
      if (events[i].readiness == NPS_WAKE) {
        over = over || events[i].token == WAKE_FINISHED;
        (void)sys_atomic_add(&one->wakes, 1);
      } else {
        hub__count(one, &events[i]);
      }
    }
  }
  race_join(until);
}

int64_t hub_news(hub *one, uint64_t token) {
  return sys_atomic_get(&one->news[token]);
}

void hub_await(hub *one, uint64_t token, int64_t before) {
  await_at_least(&one->news[token], before + 1);
}

size_t hub_read(hub *one, uint64_t token, nps_pipe *pipe, void *memory, size_t size) {
  for (;;) {
    size_t count;
    const int64_t before = hub_news(one, token);
    nps_result result = read_pipe(pipe, memory, size, &count);
    if (result == NPS_OK)
      return count;
    if (nps_result_status(result) == NPS_END_OF_STREAM)
      return 0;
    REQUIRE_STATUS(NPS_WOULD_BLOCK, result);
    hub_await(one, token, before);
  }
}

size_t hub_write(hub *one, uint64_t token, nps_pipe *pipe, const void *memory, size_t size) {
  for (;;) {
    size_t count;
    const int64_t before = hub_news(one, token);
    nps_result result = write_pipe(pipe, memory, size, &count);
    if (result == NPS_OK)
      return count;
    if (nps_result_status(result) == NPS_E_BROKEN_PIPE)
      return 0;
    REQUIRE_STATUS(NPS_WOULD_BLOCK, result);
    hub_await(one, token, before);
  }
}

duo duo_new(hub *on, const char *name, nps_server_options options) {
  duo made;
  options.name = name;
  REQUIRE_OK(nps_pipe_create(&options, &made.server));
  register_pipe(on->l, made.server, 1);
  nps_result listening = nps_pipe_connect(made.server);
  nps_client_options client = client_options(name);
  client.timeout_ms = TEST_DEADLINE_MS;
  client.direction = options.direction;
  client.mode = options.mode;
  client.read_ahead = options.read_ahead;
  client.write_limit = options.write_limit;
  REQUIRE_OK(nps_pipe_open(&client, &made.client));
  register_pipe(on->l, made.client, 2);
  if (listening != NPS_OK)
    loop_connect(on->l, 1, made.server);
  return made;
}

void duo_end(duo *both) {
  end_pipe(both->client);
  end_pipe(both->server);
}
