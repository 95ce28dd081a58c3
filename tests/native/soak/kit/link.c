/* One link: how it comes to a connection and to its end. What flows in between is in flow.c. */
#include "flow.h"

static void link__moved(link *one, link_state to) {
  one->state = to;
  one->moved_at = sys_now_ms();
}

void end_register(soak *s, link *one, int which, chance *random) {
  end *e = &one->ends[which];
  e->poll = chance_below(random, POLLS);
  e->epoch++;
  sys_atomic_set(&e->can_read, 0);
  sys_atomic_set(&e->can_write, 0);
  REQUIRE_OK(nps_pipe_register(e->pipe, s->polls[e->poll], end_token(one, which), BOTH_INTERESTS));
  soak_count(s, OP_REGISTER);
}

static uint32_t link__size(chance *random) {
  static const uint32_t sizes[] = {0, 4096, 65536};
  return sizes[chance_below(random, 3)];
}

static void link__create(soak *s, link *one, chance *random) {
  nps_server_options options = server_options(one->name);
  options.read_ahead = link__size(random);
  options.write_limit = 1 + chance_below(random, 70000);
  REQUIRE_OK(nps_pipe_create(&options, &one->ends[0].pipe));
  soak_count(s, OP_CREATE);
  end_register(s, one, 0, random);
  link__moved(one, LINK_IDLE);
}

/* ---- a client comes ---- */

static nps_pipe *link__adopt(soak *s, intptr_t handle, chance *random) {
  nps_adopt_options options;
  nps_pipe *pipe = NULL;
  REQUIRE_OK(nps_adopt_options_init(&options, sizeof options));
  options.read_ahead = link__size(random);
  REQUIRE_OK(nps_pipe_adopt(handle, &options, &pipe));
  soak_count(s, OP_ADOPT);
  return pipe;
}

/* false: the server is not there for it yet. */
static bool link__open(soak *s, link *one, chance *random) {
  end *client = &one->ends[1];
  const uint32_t kind = chance_below(random, 6);
  if (kind < 3) {
    peer *raw = NULL;
    const peer_open_status status = peer_try_open(one->name, &raw);
    REQUIRE(status == PEER_OPENED || status == PEER_BUSY);
    if (status == PEER_BUSY)
      return false;
    soak_count(s, OP_PEER);
    if (kind < 2) {
      client->raw = raw;
      return true;
    }
    client->pipe = link__adopt(s, peer_take_handle(raw), random);
  } else {
    nps_client_options options = client_options(one->name);
    options.read_ahead = link__size(random);
    options.write_limit = 1 + chance_below(random, 70000);
    nps_result result = nps_pipe_open(&options, &client->pipe);
    if (nps_result_status(result) == NPS_E_PIPE_BUSY)
      return false;
    REQUIRE_OK(result);
    soak_count(s, OP_OPEN);
    if (kind == 3) {
      intptr_t handle = -1;
      REQUIRE_OK(nps_pipe_export(client->pipe, &handle));
      soak_count(s, OP_EXPORT);
      nps_pipe_release(client->pipe);
      client->pipe = link__adopt(s, handle, random);
    }
  }
  end_register(s, one, 1, random);
  return true;
}

static void link__begin(soak *s, link *one, chance *random) {
  static const uint64_t most[] = {10, 1000, 20000, 300000};
  const uint64_t number = (uint64_t)sys_atomic_add(&s->connections, 1);
  for (int i = 0; i < 2; i++) {
    one->flows[i] =
        (flow){.seed = 2 * number + (uint64_t)i, .planned = chance_next(random) % most[chance_below(random, 4)]};
    sys_atomic_set(&one->ends[i].can_read, 1);
    sys_atomic_set(&one->ends[i].can_write, 1);
  }
  soak_count(s, OP_CONNECTION);
  link__moved(one, LINK_TALKING);
}

static void link__meet(soak *s, link *one, chance *random) {
  end *client = &one->ends[1];
  if (client->pipe == NULL && client->raw == NULL && link__open(s, one, random))
    one->moved_at = sys_now_ms();
  if (sys_atomic_get(&one->ends[0].can_write) == 0)
    return; /* no event has told of a client */
  sys_atomic_set(&one->ends[0].can_write, 0);
  nps_result result = nps_pipe_connect(one->ends[0].pipe);
  soak_count(s, OP_CONNECT);
  if (result == NPS_OK && (client->pipe != NULL || client->raw != NULL))
    link__begin(s, one, random);
  else if (result == NPS_OK)
    FAIL("%s is connected, and there is no client", one->name);
  else
    REQUIRE_STATUS(NPS_WOULD_BLOCK, result);
}

static void link__listen(soak *s, link *one) {
  sys_atomic_set(&one->ends[0].can_write, 0);
  nps_result result = nps_pipe_connect(one->ends[0].pipe);
  soak_count(s, OP_CONNECT);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, result);
  link__moved(one, LINK_LISTENING);
}

/* ---- an end leaves ---- */

static void end__close(soak *s, end *e, leaving how, chance *random) {
  if (e->raw != NULL) {
    peer_close(e->raw);
    e->raw = NULL;
    return;
  }
  nps_result result;
  if (how == LEAVE_LINGERING) {
    result = nps_pipe_close(e->pipe, NPS_FOREVER);
    soak_count(s, OP_LINGER);
  } else if (chance_is(random, 50)) {
    result = nps_pipe_close(e->pipe, chance_below(random, 2) * 5);
    soak_count(s, OP_CLOSE);
  } else {
    result = nps_pipe_abort(e->pipe);
    soak_count(s, OP_ABORT);
  }
  REQUIRE(result == NPS_OK || nps_result_status(result) == NPS_WOULD_BLOCK);
  nps_pipe_release(e->pipe);
  e->pipe = NULL;
}

/* A server that stays, but not with this client; whether it listens for the next. */
static bool server__disconnect(soak *s, end *server, chance *random) {
  const bool relisten = chance_is(random, 50);
  sys_atomic_set(&server->can_write, 0);
  REQUIRE_STATUS(relisten ? NPS_WOULD_BLOCK : NPS_OK, nps_pipe_disconnect(server->pipe, relisten));
  soak_count(s, relisten ? OP_RELISTEN : OP_DISCONNECT);
  return relisten;
}

static void link__leave(soak *s, link *one, chance *random) {
  one->leaver = (int)chance_below(random, 2);
  one->how = chance_is(random, 50) ? LEAVE_LINGERING : LEAVE_ABRUPTLY;
  one->server_gone = one->relisten = false;
  if (one->leaver == 0 && chance_is(random, 60)) {
    one->how = LEAVE_ABRUPTLY;
    one->relisten = server__disconnect(s, &one->ends[0], random);
  } else {
    one->server_gone = one->leaver == 0;
    end__close(s, &one->ends[one->leaver], one->how, random);
  }
  sys_atomic_set(&one->ends[1 - one->leaver].can_read, 1);
  link__moved(one, LINK_PARTING);
}

/* The one that stayed has read to the end. */
static void link__part(soak *s, link *one, chance *random) {
  const flow *last = &one->flows[one->leaver];
  if (one->how == LEAVE_LINGERING && last->received != last->sent)
    FAIL("%s: %llu of %llu bytes arrived before a lingering close", one->name, (unsigned long long)last->received,
        (unsigned long long)last->sent);
  REQUIRE(last->received <= last->sent);
  if (one->leaver == 0) {
    end__close(s, &one->ends[1], LEAVE_ABRUPTLY, random);
  } else if (chance_is(random, 70)) {
    one->relisten = server__disconnect(s, &one->ends[0], random);
  } else {
    end__close(s, &one->ends[0], LEAVE_ABRUPTLY, random);
    one->server_gone = true;
  }
  link__moved(one, one->server_gone ? LINK_VACANT : one->relisten ? LINK_LISTENING : LINK_IDLE);
}

void link_step(soak *s, link *one, chance *random) {
  if (sys_now_ms() > one->moved_at + STALL_MS)
    FAIL("%s has not moved for %d ms: state %d, sent %llu and %llu, received %llu and %llu of %llu and %llu", one->name,
        STALL_MS, (int)one->state, (unsigned long long)one->flows[0].sent, (unsigned long long)one->flows[1].sent,
        (unsigned long long)one->flows[0].received, (unsigned long long)one->flows[1].received,
        (unsigned long long)one->flows[0].planned, (unsigned long long)one->flows[1].planned);
  switch (one->state) {
  case LINK_VACANT:
    link__create(s, one, random);
    break;
  case LINK_IDLE:
    link__listen(s, one);
    break;
  case LINK_LISTENING:
    link__meet(s, one, random);
    break;
  case LINK_TALKING:
    if (chance_below(random, 2000) == 0) {
      soak_count(s, OP_CUT);
      link__leave(s, one, random);
    } else if (!flow_step(s, one, random)) {
      link__leave(s, one, random);
    }
    break;
  case LINK_PARTING:
    if (flow_read_to_the_end(s, one, 1 - one->leaver, random))
      link__part(s, one, random);
    break;
  }
}

void link_clear(link *one) {
  for (int i = 0; i < 2; i++) {
    if (one->ends[i].raw != NULL)
      peer_close(one->ends[i].raw);
    nps_pipe_release(one->ends[i].pipe);
    one->ends[i].raw = NULL;
    one->ends[i].pipe = NULL;
  }
  one->state = LINK_VACANT;
}
