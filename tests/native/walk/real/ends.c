/* ends.c - connections and their ends, as the model knows them. */
#include "real.h"

#include <stdlib.h>

#define ENDS_LINGERING 64u

static walk_end ends__pipes[WALK_PIPES];       /* of the library, by their place in world.pipes */
static walk_end ends__foreign[WALK_PEERS + 4]; /* of peers */
static walk_end ends__released[ENDS_LINGERING]; /* of the library, released while they linger */
static real_connection *ends__newest;
static const walk_end *ends__kept; /* a close that lingers has begun: its end loses nothing by the call */
static bool ends__driven; /* the call under way ends a lingering close only when it is done or its time is over */

/* ---------------------------------------------------------------- connections */

real_connection *real_connection_of(uint32_t number) {
  real_connection *connection = ends__newest;
  while (connection != NULL && connection->number != number) connection = connection->next;
  return connection;
}

real_connection *real_connect(walk_end *client) {
  real_connection *made = calloc(1, sizeof *made);
  if (made == NULL) walk_fail("the walk: no memory");
  made->number = ends__newest == NULL ? 1 : ends__newest->number + 1;
  made->next = ends__newest;
  ends__newest = made;
  real_join(made, 1, client);
  return made;
}

void real_join(real_connection *connection, uint32_t side, walk_end *end) {
  real_side *place = &connection->sides[side];
  if (place->came) walk_fail("C9: one client, and two instances have it");
  place->came = true;
  place->end = end;
  place->direction = end->direction;
  end->connection = connection;
  end->side = side;
}

real_side *real_side_of(const walk_end *end) { return end->connection == NULL ? NULL : &end->connection->sides[end->side]; }

real_side *real_side_of_peer(const walk_end *end) {
  return end->connection == NULL ? NULL : &end->connection->sides[1 - end->side];
}

void real_leave(walk_end *end, bool cut, uint64_t lost_most) {
  real_side *side = real_side_of(end);
  if (side == NULL) return;
  side->end = NULL;
  side->lost_most = lost_most;
  if (cut) real_side_of_peer(end)->cut = true;
  end->connection = NULL;
}

/* Bytes, or the last message, may be lost. */
static uint64_t ends__open(const walk_end *end) {
  const real_side *peer = real_side_of_peer(end);
  return peer->end != NULL ? peer->in_hand : peer->lost_most;
}

/* Of the peer's bytes, how many must arrive at least. */
static uint64_t ends__certain(const walk_end *end) {
  const real_side *peer = real_side_of_peer(end);
  const uint64_t open = ends__open(end);
  return peer->notes.sent > open ? peer->notes.sent - open : 0;
}

void real_check_end(const walk_end *end) {
  const real_side *side = real_side_of(end), *peer = real_side_of_peer(end);
  if (side == NULL || side->cut || (side->direction & NPS_DIRECTION_IN) == 0) return;
  if (peer->end != NULL && (peer->direction & NPS_DIRECTION_OUT) != 0) walk_fail("a peer sees the end of a stream that goes on");
  const uint64_t certain = peer->notes.sent > peer->lost_most ? peer->notes.sent - peer->lost_most : 0;
  if (side->notes.seen < certain) {
    walk_fail("W1: the end after %llu bytes, %llu were accepted", (unsigned long long)side->notes.seen,
              (unsigned long long)peer->notes.sent);
  }
}

/* ---------------------------------------------------------------- ends */

walk_end *real_foreign(void) {
  for (uint32_t i = 0; i < sizeof ends__foreign / sizeof ends__foreign[0]; i++) {
    walk_end *end = &ends__foreign[i];
    if (end->used) continue;
    *end = (walk_end){.used = true, .name = REAL_NO_NAME, .handle = -1, .listener = -1};
    return end;
  }
  walk_fail("the walk: too many peers");
}

void real_forget(walk_end *end) { end->used = false; }

void real_each_end(real_visit visit, void *context) {
  for (uint32_t i = 0; i < WALK_PIPES; i++) {
    if (ends__pipes[i].used && ends__pipes[i].os != NULL) visit(&ends__pipes[i], context);
  }
  for (uint32_t i = 0; i < sizeof ends__foreign / sizeof ends__foreign[0]; i++) {
    if (ends__foreign[i].used) visit(&ends__foreign[i], context);
  }
}

static walk_end *ends__of(const walk_pipe *p) { return &ends__pipes[p - world.pipes]; }

walk_end *walk_end_of(const walk_pipe *p) { return p->pipe->os == NULL ? NULL : ends__of(p); }

static void ends__new(walk_pipe *p) {
  *ends__of(p) = (walk_end){.used = true, .pipe = p->pipe, .os = p->pipe->os, .name = p->name, .server = p->server,
                            .direction = p->direction, .generation = p->pipe->generation, .handle = -1, .listener = -1};
}

void walk_made(walk_pipe *p) {
  ends__new(p);
  if (p->name != REAL_NO_NAME) system_made(ends__of(p));
}

void walk_adopted(walk_pipe *p, walk_end *peer) {
  walk_end *end = ends__of(p);
  end->name = peer->name;
  end->side = peer->side;
  end->connection = peer->connection;
  if (end->connection != NULL) real_side_of(end)->end = end;
  system_adopted(peer);
  real_forget(peer);
}

walk_end *walk_exported(walk_pipe *p, intptr_t handle) {
  walk_end *from = ends__of(p), *end = real_foreign();
  end->name = from->name;
  end->server = from->server;
  end->side = from->side;
  end->direction = from->direction;
  end->handle = handle;
  end->connection = from->connection;
  if (end->connection != NULL) real_side_of(end)->end = end;
  from->connection = NULL;
  from->os = NULL;
  system_exported(end);
  return end;
}

/* ---------------------------------------------------------------- after each call */

static bool ends__still_lingers(const walk_end *end) {
  for (uint32_t i = 0; i < WALK_POLLS; i++) {
    const nps_poll *poll = world.polls[i].poll;
    if (poll != end->poll || poll->closing) continue;
    for (const list_node *node = poll->lingering.head.next; node != &poll->lingering.head; node = node->next) {
      if (CONTAINER_OF(node, nps_pipe, linger_node) == end->pipe) return true;
    }
  }
  return false;
}

static void ends__ended(walk_end *end) {
  const real_side *side = real_side_of(end);
  uint64_t lost = side == NULL ? 0 : side->in_hand;
  if (end->lingering && ends__driven && (end->linger_until == UINT64_MAX || os_now_ms() < end->linger_until)) lost = 0; /* X1 */
  if (end == ends__kept) lost = 0; /* X1: answered at once because all was out */
  real_leave(end, false, lost);
  end->os = NULL;
}

static void ends__keep_lingering(const walk_end *end) {
  for (uint32_t i = 0; i < ENDS_LINGERING; i++) {
    walk_end *place = &ends__released[i];
    if (place->used) continue;
    *place = *end;
    if (place->connection != NULL) real_side_of(place)->end = place;
    return;
  }
  walk_fail("the walk: too many pipes linger");
}

static void ends__sync(walk_end *end, const walk_pipe *p) {
  if (p->pipe != end->pipe) { /* released */
    if (end->lingering && ends__still_lingers(end)) {
      ends__keep_lingering(end);
    } else if (end->os != NULL) {
      ends__ended(end);
    }
    end->used = false;
    return;
  }
  const nps_pipe *pipe = end->pipe;
  if (end->os == NULL) return;
  if (pipe->state == PIPE_CLOSED) {
    ends__ended(end);
    return;
  }
  if (pipe->generation != end->generation) {
    end->generation = pipe->generation;
    real_leave(end, system_cuts, 0);
  }
  end->lingering = pipe->state == PIPE_LINGERING;
  end->linger_until = pipe->linger_until;
  end->poll = pipe->poll;
  if (end->connection == NULL) system_joined(end);
  if (end->connection != NULL) {
    const bool writing = op_is_pending(pipe->out) && pipe->out->os.kind == OS_WRITE;
    real_side_of(end)->in_hand = writing ? pipe->out->os.length + pipe->message : 0;
  }
}

void walk_sync(void) {
  for (uint32_t i = 0; i < WALK_PIPES; i++) {
    if (ends__pipes[i].used) ends__sync(&ends__pipes[i], &world.pipes[i]);
  }
  for (uint32_t i = 0; i < ENDS_LINGERING; i++) {
    walk_end *end = &ends__released[i];
    if (!end->used || ends__still_lingers(end)) continue;
    ends__ended(end);
    end->used = false;
  }
  ends__driven = false;
  ends__kept = NULL;
}

void walk_wait_begins(void) {
  ends__driven = true;
}

void walk_before_linger(const walk_pipe *p) { ends__kept = ends__of(p); }

void walk_before_close(const walk_poll *p, bool release) {
  (void)p;
  ends__driven = !release;
  if (release) return;
  /* What lingers without an end would wait for peers that nobody plays meanwhile: they read what there is. */
  for (uint32_t i = 0; i < WALK_PEERS; i++) {
    if (world.peers[i] == NULL || real_side_of_peer(world.peers[i]) == NULL) continue;
    const walk_end *writer = real_side_of_peer(world.peers[i])->end;
    while (writer != NULL && writer->lingering && walk_play_read(world.peers[i]) != 0) {
      /* until there is nothing */
    }
  }
}

/* ---------------------------------------------------------------- views */

walk_view walk_look(const walk_end *end) {
  walk_view view = {.server = end->connection != NULL ? end->side == 0 : end->server, .listening = end->connection == NULL};
  if (end->connection == NULL) return view;
  const real_side *side = real_side_of(end), *peer = real_side_of_peer(end);
  view.message = end->name == WALK_MESSAGE_NAME;
  view.connected = true;
  view.connection = end->connection->number;
  view.cut = side->cut;
  view.torn = peer->end == NULL && peer->lost_most != 0;
  system_look(end, &view);
  view.arrived = peer->notes.sent;
  if (view.message) {
    const uint32_t sent = walk_messages_sent(&view), seen = walk_messages_seen(&view);
    view.arrived_messages = sent - (ends__open(end) != 0);
    view.messages = side->cut || view.arrived_messages < seen ? 0 : view.arrived_messages - seen;
  }
  return view;
}

bool walk_has_all(walk_end *end) {
  const uint64_t seen = real_side_of(end)->notes.seen;
  return seen >= ends__certain(end) && seen <= real_side_of_peer(end)->notes.sent;
}

void walk_shut(walk_end *end) { real_side_of(end)->direction &= ~(uint32_t)NPS_DIRECTION_OUT; }

walk_notes *walk_notes_of(walk_end *end) { return end->connection == NULL ? NULL : &real_side_of(end)->notes; }

walk_notes *walk_notes_of_peer(walk_end *end) { return end->connection == NULL ? NULL : &real_side_of_peer(end)->notes; }

/* None lost, none invented: what was read and what is there is what was sent. */
const char *walk_check_settled(const walk_pipe *p) {
  const walk_end *end = walk_end_of(p);
  const real_side *side = real_side_of(end);
  if (side == NULL || side->cut || (side->direction & NPS_DIRECTION_IN) == 0 || p->pipe->state == PIPE_LINGERING) return NULL;
  if (p->pipe->state != PIPE_CONNECTED || p->pipe->read_end != NPS_OK) return NULL;
  const walk_view view = walk_look(end);
  if (view.message) return NULL; /* the system tells of the next message alone */
  const uint64_t ahead = p->pipe->in->filled - p->pipe->in->taken;
  const uint64_t there = side->notes.seen + view.unread + ahead, sent = real_side_of_peer(end)->notes.sent;
  if (there > sent) return "R1: more bytes are there than were sent";
  return there < ends__certain(end) ? "R1: bytes that were sent are not there" : NULL;
}

/* ---------------------------------------------------------------- beginnings and ends */

void real_end_all(void) {
  for (uint32_t i = 0; i < WALK_PEERS; i++) {
    if (world.peers[i] != NULL) walk_peer_close(world.peers[i]);
    world.peers[i] = NULL;
  }
  walk_sync();
  while (ends__newest != NULL) {
    real_connection *connection = ends__newest;
    ends__newest = connection->next;
    for (uint32_t i = 0; i < 2; i++) {
      if (connection->sides[i].end != NULL) walk_fail("the walk: an end was forgotten");
    }
    free(connection);
  }
  memset(ends__pipes, 0, sizeof ends__pipes);
}
