/* stream.c - connections: two ends, and the bytes on their way to each. */
#include "kernel.h"

static void stream__init(sim_stream *stream, uint32_t quota) {
  stream->quota = quota != 0 ? quota : sim.settings.quota != 0 ? sim.settings.quota : SIM_DEFAULT_QUOTA;
  stream->capacity = stream->quota;
  stream->bytes = sim_host_alloc(stream->capacity);
}

sim_connection *sim_connection_new(sim_name *name, const sim_file *server, uint32_t client_direction) {
  sim_connection *made = sim_host_alloc(sizeof *made);
  made->name = name;
  made->message = name->mode == NPS_MODE_MESSAGE;
  made->number = ++sim.connections;
  sim.connections_open++;
  made->sides[0].connection = made->sides[1].connection = made;
  made->sides[0].open = made->sides[1].open = true;
  made->sides[0].direction = server != NULL ? server->direction : name->direction;
  made->sides[1].direction = client_direction;
  stream__init(&made->sides[0].in, server != NULL ? server->quota_in : name->quota_in);
  stream__init(&made->sides[1].in, server != NULL ? server->quota_out : name->quota_out);
  return made;
}

sim_side *sim_side_peer(const sim_side *side) {
  sim_connection *connection = side->connection;
  return side == &connection->sides[0] ? &connection->sides[1] : &connection->sides[0];
}

void sim_side_close(sim_side *side) {
  sim_connection *connection = side->connection;
  if (!side->open) sim_fail("an end is closed twice");
  side->open = false;
  if (sim_side_peer(side)->open) return;
  sim_host_free(connection->sides[0].in.bytes);
  sim_host_free(connection->sides[1].in.bytes);
  sim_host_free(connection);
  sim.connections_open--;
}

bool sim_side_done(const sim_side *side) {
  const sim_side *peer = sim_side_peer(side);
  if (!peer->open || side->cut) return true;
  /* An end that only writes asks for nothing but the peer's end. */
  return (side->direction & NPS_DIRECTION_IN) != 0 && (peer->direction & NPS_DIRECTION_OUT) == 0;
}

bool sim_side_broken(const sim_side *side) {
  const sim_side *peer = sim_side_peer(side);
  return !peer->open || side->cut || (peer->direction & NPS_DIRECTION_IN) == 0 || (side->direction & NPS_DIRECTION_OUT) == 0;
}

uint32_t sim_side_room(const sim_side *side) {
  const sim_stream *out = &sim_side_peer(side)->in;
  return out->count < out->quota ? out->quota - out->count : 0;
}

static void stream__append(sim_stream *out, const uint8_t *bytes, uint32_t n) {
  const uint32_t place = (uint32_t)(((uint64_t)out->first + out->count) % out->capacity);
  uint32_t before_end = out->capacity - place;
  if (before_end > n) before_end = n;
  if (n != 0) memcpy(out->bytes + place, bytes, before_end);
  if (n > before_end) memcpy(out->bytes, bytes + before_end, n - before_end);
  out->count += n;
  out->total += n;
}

static void stream__remove(sim_stream *in, uint8_t *bytes, uint32_t n) {
  uint32_t before_end = in->capacity - in->first;
  if (before_end > n) before_end = n;
  if (n != 0) memcpy(bytes, in->bytes + in->first, before_end);
  if (n > before_end) memcpy(bytes + before_end, in->bytes, n - before_end);
  in->first = (uint32_t)(((uint64_t)in->first + n) % in->capacity);
  in->count -= n;
}

/* Buffered: whole within the quota, and one that is longer only where nothing else is. Direct: as soon as there is any room. */
bool sim_side_takes_message(const sim_side *side, uint32_t size) {
  const sim_stream *out = &sim_side_peer(side)->in;
  if (out->messages == SIM_MESSAGES) return false;
  if (os_direct_io) return out->count < out->quota;
  return out->messages == 0 || (out->count <= out->quota && size <= out->quota - out->count);
}

static void stream__grow(sim_stream *stream, uint32_t capacity) {
  const uint32_t count = stream->count;
  uint8_t *grown = sim_host_alloc(capacity);
  stream__remove(stream, grown, count);
  sim_host_free(stream->bytes);
  stream->bytes = grown;
  stream->capacity = capacity;
  stream->first = 0;
  stream->count = count;
}

bool sim_side_send_message(sim_side *side, const uint8_t *bytes, uint32_t size) {
  sim_stream *out = &sim_side_peer(side)->in;
  if (!sim_side_takes_message(side, size)) return false;
  if (size > out->capacity - out->count) stream__grow(out, out->count + size);
  out->lengths[(out->first_message + out->messages++) % SIM_MESSAGES] = size;
  out->total_messages++;
  stream__append(out, bytes, size);
  return true;
}

uint32_t sim_side_receive_message(sim_side *side, uint8_t *bytes, uint32_t size, bool *more) {
  sim_stream *in = &side->in;
  uint32_t *left = &in->lengths[in->first_message];
  const uint32_t n = size < *left ? size : *left;
  stream__remove(in, bytes, n);
  *left -= n;
  *more = *left != 0;
  if (!*more) {
    in->first_message = (in->first_message + 1) % SIM_MESSAGES;
    in->messages--;
  }
  return n;
}

uint32_t sim_side_send(sim_side *side, const uint8_t *bytes, uint32_t size) {
  sim_stream *out = &sim_side_peer(side)->in;
  const uint32_t room = sim_side_room(side);
  const uint32_t n = size < room ? size : room;
  stream__append(out, bytes, n);
  return n;
}

uint32_t sim_side_receive(sim_side *side, uint8_t *bytes, uint32_t size) {
  sim_stream *in = &side->in;
  const uint32_t n = size < in->count ? size : in->count;
  stream__remove(in, bytes, n);
  return n;
}
