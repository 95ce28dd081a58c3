/* bytes.c - reads, writes and foreign peers. Each byte says to which connection and place it belongs. */
#include "kernel.h"

uint8_t walk_byte(uint32_t connection, bool from_server, uint64_t place) {
  uint64_t mixed = place * 0x9E3779B97F4A7C15u + ((uint64_t)connection * 2 + from_server) * 0xD6E8FEB86659FD93u;
  mixed ^= mixed >> 29;
  return (uint8_t)((mixed * 0xBF58476D1CE4E5B9u) >> 56);
}

static void bytes__fill(const walk_view *view, uint64_t place, uint32_t size) {
  for (uint32_t i = 0; i < size; i++) world.bytes[i] = walk_byte(view->connection, view->server, place + i);
}

void walk_check_bytes(const walk_view *view, uint64_t place, uint32_t size) {
  for (uint32_t i = 0; i < size; i++) {
    if (world.bytes[i] != walk_byte(view->connection, !view->server, place + i)) {
      walk_fail("R1: byte %llu of connection %u is wrong", (unsigned long long)place + i, view->connection);
    }
  }
}

/* Of a message, or of the buffer for one: often just below, at or above what some buffer holds, and three times that. */
static uint32_t bytes__edge(uint32_t least) {
  static const uint32_t holds[] = {1, 100, 1000, 4096, 8192}; /* read_ahead, write_limit, buffers of the pool */
  const uint32_t n = holds[walk_random((uint32_t)(sizeof holds / sizeof holds[0]))];
  const uint32_t sizes[] = {0, 1, n - 1, n, n + 1, 3 * n};
  const uint32_t size = sizes[walk_random((uint32_t)(sizeof sizes / sizeof sizes[0]))];
  return size < least ? least : size < WALK_BYTES ? size : WALK_BYTES;
}

static uint32_t bytes__size(bool message) {
  static const uint32_t most[] = {1, 2, 16, 300, 4096, 8192, WALK_BYTES};
  if (message && walk_chance(70)) return bytes__edge(1);
  return 1 + walk_random(most[walk_random((uint32_t)(sizeof most / sizeof most[0]))]);
}

/* ---------------------------------------------------------------- vectors */

#define PIECES 5u
#define UNTOUCHED 0xEEu

static uint8_t bytes__scattered[WALK_BYTES]; /* the pieces, the last one first */

/* Cuts `size` bytes into pieces, some of them empty. */
static void bytes__cut(nps_buffer *pieces, uint32_t size) {
  uint32_t end = WALK_BYTES, left = size;
  for (uint32_t i = 0; i < PIECES; i++) {
    const uint32_t part = i + 1 == PIECES ? left : walk_chance(25) ? 0 : walk_random(left + 1);
    end -= part;
    left -= part;
    pieces[i] = (nps_buffer){part == 0 ? NULL : bytes__scattered + end, part};
  }
}

static nps_result bytes__read_vector(nps_pipe *pipe, uint32_t size, size_t *count) {
  nps_buffer pieces[PIECES];
  bytes__cut(pieces, size);
  memset(bytes__scattered, UNTOUCHED, sizeof bytes__scattered);
  memset(world.bytes, UNTOUCHED, size);
  const nps_result result = nps_pipe_read_vector(pipe, pieces, PIECES, count);
  uint32_t place = 0;
  for (uint32_t i = 0; i < PIECES; i++) {
    if (pieces[i].size != 0) memcpy(world.bytes + place, pieces[i].data, pieces[i].size);
    place += (uint32_t)pieces[i].size;
  }
  for (size_t i = *count; i < size; i++) {
    if (world.bytes[i] != UNTOUCHED) walk_fail("a read writes behind the bytes that it gives");
  }
  return result;
}

static nps_result bytes__write_vector(nps_pipe *pipe, uint32_t size, size_t *count) {
  nps_buffer pieces[PIECES];
  uint32_t place = 0;
  bytes__cut(pieces, size);
  for (uint32_t i = 0; i < PIECES; i++) {
    if (pieces[i].size != 0) memcpy(pieces[i].data, world.bytes + place, pieces[i].size);
    place += (uint32_t)pieces[i].size;
  }
  const nps_result result = nps_pipe_write_vector(pipe, pieces, PIECES, count);
  memset(bytes__scattered, UNTOUCHED, sizeof bytes__scattered);
  return result;
}

/* ---------------------------------------------------------------- reads and writes */

bool walk_lets_be(const walk_pipe *p) { return os_direct_io && !walk_owes_read(p); }

bool walk_owes_read(const walk_pipe *p) { return !p->on_demand || p->watched; }

/* From now on the connection is watched, on demand too. */
void walk_would_block(walk_pipe *p) {
  if (p->poll_serial == 0) return; /* P0 */
  p->watched = true;
  p->let_be = false;
}

static walk_call bytes__call(const walk_pipe *p, walk_call call, bool vector, bool nothing) {
  const int of_messages = p->message ? (int)CALL_MESSAGE_READ - (int)CALL_READ : 0;
  return (walk_call)((int)call + of_messages + (nothing ? 2 : vector));
}

static void bytes__got(walk_end *file, uint32_t count, uint32_t size, bool message, bool more) {
  const walk_view view = walk_look(file);
  walk_notes *notes = walk_notes_of(file);
  walk_check_bytes(&view, notes->seen, count);
  notes->seen += count;
  if (notes->seen > view.arrived && !view.cut) walk_fail("R1: more bytes came than were sent");
  if (message) {
    walk_message_read(&view, count, more);
  } else if (count == 0) {
    walk_fail("rule 7: a read answers NPS_OK with nothing");
  }
  if (more && !message) walk_fail("more data, and it is no message pipe");
  if (more && count == 0 && size != 0) walk_fail("R4: a part of a message is empty");
}

static void bytes__check_end(walk_end *file) {
  const walk_view view = walk_look(file);
  if (!view.peer_done) walk_fail("R3: end of stream, and the peer is there");
  if (!view.cut && (!walk_has_all(file) || view.unread != 0)) {
    walk_fail("R3: end of stream after %llu bytes, %llu were sent", (unsigned long long)walk_notes_of(file)->seen,
             (unsigned long long)view.arrived);
  }
  if (view.message) walk_check_message_end(&view);
}

void walk_read(walk_pipe *p, bool nothing) {
  const walk_state state = walk_state_of(p);
  walk_end *file = walk_end_of(p);
  const bool vector = !nothing && walk_chance(30);
  const uint32_t size = nothing ? 0 : bytes__size(p->message);
  size_t count = 77;
  nps_result result = vector ? bytes__read_vector(p->pipe, size, &count) : nps_pipe_read(p->pipe, world.bytes, size, &count);
  walk_outcome(state, bytes__call(p, CALL_READ, vector, nothing), result, p);
  const bool more = nps_result_status(result) == NPS_MORE_DATA, got = result == NPS_OK || more;
  if (!got && count != 0) walk_fail("a read that did not succeed gives bytes");
  if (count > size) walk_fail("a read gives more than was asked for");
  if (nps_result_status(result) == NPS_WOULD_BLOCK) walk_would_block(p);
  if (result < 0) p->let_be = false; /* it may have been told while watching began */
  if (nothing && !p->message) return;

  /* Where reads are operations, the one that a call wanted is over. */
  if (got && !os_direct_io && p->on_demand) p->watched = p->armed_in = false;
  if (got) bytes__got(file, (uint32_t)count, size, p->message, more);
  if (nps_result_status(result) == NPS_END_OF_STREAM) bytes__check_end(file);
  const bool was_short = result == NPS_OK && !p->message && count < size && walk_owes_read(p);
  if (nps_result_status(result) == NPS_WOULD_BLOCK || was_short) p->armed_in = true;
}

/* Too long for the system, which has said how long a message may be. */
static void bytes__check_too_long(walk_pipe *p, uint32_t size, nps_result result) {
  nps_info info = {.size = sizeof info};
  (void)nps_pipe_info(p->pipe, &info);
  const bool too_long = nps_result_status(result) == NPS_E_INVALID_ARGUMENT;
  if (too_long && nps_result_detail(result) != NPS_ARGUMENT_MESSAGE) walk_fail("a message is refused for its argument %u", nps_result_detail(result));
  if (too_long != (size > info.max_message)) walk_fail("a message of %u bytes, and up to %u are taken", size, info.max_message);
}

static void bytes__given(walk_pipe *p, walk_end *file, uint32_t count, uint32_t size) {
  const walk_view view = walk_look(file);
  walk_notes_of(file)->sent += count;
  if (p->shut) walk_fail("a write succeeds behind a shutdown");
  if (p->message) {
    if (count != size) walk_fail("W5: a message is taken in part");
    walk_message_sent(&view, size);
  } else if (count == 0) {
    walk_fail("a write answers NPS_OK and takes nothing");
  }
}

void walk_write(walk_pipe *p, bool nothing) {
  const walk_state state = walk_state_of(p);
  walk_end *file = walk_end_of(p);
  const bool vector = !nothing && walk_chance(30);
  uint32_t size = nothing ? 0 : bytes__size(p->message);
  walk_view view = {0};
  if (file != NULL && walk_notes_of(file) != NULL) {
    view = walk_look(file);
    bytes__fill(&view, walk_notes_of(file)->sent, size);
  }
  size_t count = 77;
  nps_result result = vector ? bytes__write_vector(p->pipe, size, &count) : nps_pipe_write(p->pipe, world.bytes, size, &count);
  const int32_t status = nps_result_status(result);
  if (size != 0) memset(world.bytes, 0x77, size); /* the caller's memory is its own again: what was accepted is a copy */
  walk_outcome(state, bytes__call(p, CALL_WRITE, vector, nothing), result, p);
  if (result != NPS_OK && count != 0) walk_fail("a write that did not succeed takes bytes");
  if (count > size) walk_fail("a write takes more than it was offered");
  if (status == NPS_WOULD_BLOCK && os_direct_io) walk_would_block(p);
  if (status < 0) p->let_be = false;
  if (nothing && !p->message) return;
  if (status == NPS_E_CLOSED && p->pipe->state == PIPE_CONNECTED && !p->shut) walk_fail("a write answers closed, and there was no shutdown");
  if (status == NPS_E_BROKEN_PIPE && !view.peer_broken) walk_fail("W3: broken pipe, and the peer reads");
  if (p->message && (result == NPS_OK || status == NPS_E_INVALID_ARGUMENT)) bytes__check_too_long(p, size, result);
  if (result == NPS_OK) bytes__given(p, file, (uint32_t)count, size);
  if (status == NPS_WOULD_BLOCK || (result == NPS_OK && count < size && !walk_lets_be(p))) p->armed_out = true;
}

/* ---------------------------------------------------------------- peers that are not ours */

static void peer__write(walk_end *file) {
  const walk_view view = walk_look(file);
  if (!view.connected || view.peer_broken) return;
  const uint32_t size = view.message && walk_chance(70) ? bytes__edge(0) : bytes__size(false);
  bytes__fill(&view, walk_notes_of(file)->sent, size);
  if (!view.message) {
    walk_notes_of(file)->sent += walk_peer_write(file, world.bytes, size);
  } else if (walk_peer_send(file, world.bytes, size)) {
    walk_notes_of(file)->sent += size;
    walk_message_sent(&view, size);
  }
}

uint32_t walk_play_read(walk_end *file) {
  const walk_view view = walk_look(file);
  if (!view.connected) return 0;
  const uint32_t size = bytes__size(view.message);
  walk_notes *notes = walk_notes_of(file);
  uint32_t count = 0;
  bool more = false;
  if (!view.message) {
    count = walk_peer_read(file, world.bytes, size);
  } else if (!walk_peer_receive(file, world.bytes, size, &count, &more)) {
    return 0;
  }
  walk_check_bytes(&view, notes->seen, count);
  notes->seen += count;
  if (view.message) walk_message_read(&view, count, more);
  return view.message ? 1 : count; /* an empty message, too */
}

static void peer__come(walk_end **place) {
  const uint32_t which = walk_random(WALK_NAMES);
  if (walk_chance(75)) {
    const uint32_t all = walk_client_direction(which);
    *place = walk_peer_connect(which, all == 3 && which != WALK_MESSAGE_NAME && walk_chance(20) ? 1 + walk_random(2) : all);
  } else if (which != 1) {
    *place = walk_peer_serve(which, walk_server_direction(which), 1 + walk_random(3000));
  }
}

void walk_play_peer(void) {
  walk_end **place = &world.peers[walk_random(WALK_PEERS)];
  if (*place == NULL) {
    peer__come(place);
    return;
  }
  const walk_view view = walk_look(*place);
  const uint32_t what = walk_random(100);
  if (view.server && !view.connected) {
    if (what < 60) {
      if (!view.listening) walk_peer_disconnect(*place);
      walk_peer_accept(*place);
    } else if (what < 63) {
      walk_peer_close(*place);
      *place = NULL;
    }
  } else if (what < 44) {
    peer__write(*place);
  } else if (what < 90) {
    (void)walk_play_read(*place);
  } else if (what < 95 && !view.message) {
    walk_peer_write_nothing(*place);
  } else if (what < 97 && view.server) {
    walk_peer_disconnect(*place);
  } else if (what < 99) {
    walk_peer_close(*place);
    *place = NULL;
  }
}
