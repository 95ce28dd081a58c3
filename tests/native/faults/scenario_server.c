/* scenario_server.c - several instances of one name, on two polls: who gets which client, and clients that nobody wants any more. */
#include "scenarios.h"
#include "world.h"

#define FIRST 1u
#define SECOND 2u
#define CLIENT 3u

typedef struct server_pair {
  world w;
  nps_pipe *first; /* on w.poll */
  nps_pipe *second; /* on the other */
} server_pair;

static nps_pipe *server__instance(world *w, nps_poll *poll, uint64_t token) {
  nps_server_options options = server_options("instances");
  options.max_instances = 3;
  options.flags = token == SECOND ? NPS_SERVER_INHERITABLE : 0; /* others may have that one's connections */
  nps_pipe *made = world_server(w, &options);
  world_register(w, made, poll, token, BOTH_INTERESTS);
  return made;
}

static nps_pipe *server__client(world *w) {
  nps_client_options options = client_options("instances");
  return world_client(w, &options);
}

static void server__listen(server_pair *s, nps_pipe *pipe) {
  nps_result result;
  WORLD_TRY(&s->w, result, NPS_WOULD_BLOCK, nps_pipe_connect(pipe));
}

/* The instance has this client; or the session was lost. */
static bool server__serves(server_pair *s, nps_pipe *pipe, uint64_t token, nps_pipe *client) {
  if (client == NULL) {
    return false;
  }
  world_register(&s->w, client, s->w.poll, CLIENT, BOTH_INTERESTS);
  s->w.rival = token == FIRST ? SECOND : FIRST;
  s->w.seen[s->w.rival] = 0;
  return world_connect(&s->w, token, pipe, CLIENT) &&
         world_transfer(&s->w, &(world_way){pipe, client, token, CLIENT, token, 20, 8});
}

/* Both wait; a client comes for each. */
static bool server__both(server_pair *s) {
  server__listen(s, s->first);
  server__listen(s, s->second);
  nps_pipe *one = server__client(&s->w);
  bool done = server__serves(s, s->first, FIRST, one);
  if (done) {
    nps_pipe *two = server__client(&s->w);
    done = server__serves(s, s->second, SECOND, two);
    world_end(two);
  }
  world_end(one);
  return done;
}

/* Both wait; a client comes, and the other poll's waiter finds it for the first; which has gone meanwhile. It goes to the second, or,
 * if nobody waits, to whoever connects next. */
static bool server__cancelled(server_pair *s, bool second_waits) {
  server__listen(s, s->first);
  server__listen(s, s->second);
  nps_pipe *client = server__client(&s->w);
  fault_set_closing(true); /* what happens to a connect that is then cancelled, nobody hears of */
  world_pump(&s->w, s->w.other, 0);
  world_disconnect(&s->w, s->first);
  if (!second_waits) {
    world_disconnect(&s->w, s->second);
  }
  world_pump(&s->w, s->w.poll, 0);
  bool done = server__serves(s, s->second, SECOND, client);
  world_end(client);
  return done;
}

/* Clients that a fault has left behind are in the queue, or on their way to an instance: none is left. */
static void server__again(server_pair *s) {
  for (int round = 0; round < 3; round++) {
    world_drain(&s->w, s->first);
    world_drain(&s->w, s->second);
    fault_set_closing(true); /* what comes is thrown away */
    world_pump(&s->w, s->w.poll, 0);
    world_pump(&s->w, s->w.other, 0);
  }
  world_disconnect(&s->w, s->first);
  world_disconnect(&s->w, s->second);
  s->w.seen[FIRST] = s->w.seen[SECOND] = 0;
}

static void server__run(void) {
  server_pair s;
  world_open(&s.w, NULL);
  WORLD_OK(&s.w, nps_poll_create(NULL, &s.w.other));
  s.first = server__instance(&s.w, s.w.poll, FIRST);
  s.second = server__instance(&s.w, s.w.other, SECOND);
  for (int step = 0; step < 3;) {
    bool done = step == 0 ? server__both(&s) : server__cancelled(&s, step == 1);
    server__again(&s);
    step += done;
  }
  /* A client whom nobody takes sees the end with the name. */
  server__listen(&s, s.first);
  server__listen(&s, s.second);
  nps_pipe *client = server__client(&s.w);
  fault_set_closing(true); /* as above */
  world_pump(&s.w, s.w.other, 0);
  world_disconnect(&s.w, s.first);
  world_pump(&s.w, s.w.poll, 0);
  world_end(s.first);
  world_end(s.second);
  world_end(client);
  fault_set_closing(true);
  WORLD_REQUIRE(nps_poll_close(s.w.other) == NPS_OK);
  nps_poll_release(s.w.other);
  world_close(&s.w);
}

const scenario scenario_instances = {"instances", server__run, false};
