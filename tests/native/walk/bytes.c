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

static void bytes__check(const walk_view *view, uint64_t place, uint32_t size) {
  for (uint32_t i = 0; i < size; i++) {
    if (world.bytes[i] != walk_byte(view->connection, !view->server, place + i)) {
      walk_fail("R1: byte %llu of connection %u is wrong", (unsigned long long)place + i, view->connection);
    }
  }
}

static uint32_t bytes__size(void) {
  static const uint32_t most[] = {1, 2, 16, 300, 4096, 8192, WALK_BYTES};
  return 1 + walk_random(most[walk_random((uint32_t)(sizeof most / sizeof most[0]))]);
}

void walk_read(walk_pipe *p, bool nothing) {
  const walk_state state = walk_state_of(p);
  walk_end *file = walk_end_of(p);
  const uint32_t size = nothing ? 0 : bytes__size();
  size_t count = 77;
  nps_result result = nps_pipe_read(p->pipe, world.bytes, size, &count);
  walk_outcome(state, nothing ? CALL_READ_NOTHING : CALL_READ, result, p);
  if (result != NPS_OK && count != 0) walk_fail("a read that did not succeed gives bytes");
  if (count > size) walk_fail("a read gives more than was asked for");
  if (nothing) return;

  if (result == NPS_OK) {
    if (count == 0) walk_fail("rule 7: a read answers NPS_OK with nothing");
    const walk_view view = walk_look(file);
    walk_notes *notes = walk_notes_of(file);
    bytes__check(&view, notes->seen, (uint32_t)count);
    notes->seen += count;
    if (notes->seen > view.arrived && !view.cut) walk_fail("R1: more bytes came than were sent");
  } else if (nps_result_status(result) == NPS_END_OF_STREAM) {
    const walk_view view = walk_look(file);
    if (!view.peer_done) walk_fail("R3: end of stream, and the peer is there");
    if (!view.cut && (!walk_has_all(file) || view.unread != 0)) {
      walk_fail("R3: end of stream after %llu bytes, %llu were sent", (unsigned long long)walk_notes_of(file)->seen,
               (unsigned long long)view.arrived);
    }
  }
  if (nps_result_status(result) == NPS_WOULD_BLOCK || (result == NPS_OK && count < size)) p->armed_in = true;
}

void walk_write(walk_pipe *p, bool nothing) {
  const walk_state state = walk_state_of(p);
  walk_end *file = walk_end_of(p);
  uint32_t size = nothing ? 0 : bytes__size();
  walk_view view = {0};
  if (file != NULL && walk_notes_of(file) != NULL) {
    view = walk_look(file);
    bytes__fill(&view, walk_notes_of(file)->sent, size);
  }
  size_t count = 77;
  nps_result result = nps_pipe_write(p->pipe, world.bytes, size, &count);
  if (size != 0) memset(world.bytes, 0x77, size); /* the caller's memory is its own again: what was accepted is a copy */
  walk_outcome(state, nothing ? CALL_WRITE_NOTHING : CALL_WRITE, result, p);
  if (result != NPS_OK && count != 0) walk_fail("a write that did not succeed takes bytes");
  if (count > size) walk_fail("a write takes more than it was offered");
  if (nothing) return;
  if (result == NPS_OK) {
    if (count == 0) walk_fail("a write answers NPS_OK and takes nothing");
    walk_notes_of(file)->sent += count;
  } else if (nps_result_status(result) == NPS_E_BROKEN_PIPE && !view.peer_broken) {
    walk_fail("W3: broken pipe, and the peer reads");
  }
  if (nps_result_status(result) == NPS_WOULD_BLOCK || (result == NPS_OK && count < size)) p->armed_out = true;
}

/* ---------------------------------------------------------------- peers that are not ours */

static void peer__write(walk_end *file) {
  const walk_view view = walk_look(file);
  if (!view.connected || view.peer_broken) return;
  const uint32_t size = bytes__size();
  bytes__fill(&view, walk_notes_of(file)->sent, size);
  walk_notes_of(file)->sent += walk_peer_write(file, world.bytes, size);
}

uint32_t walk_play_read(walk_end *file) {
  const walk_view view = walk_look(file);
  if (!view.connected) return 0;
  const uint32_t size = bytes__size();
  const uint32_t count = walk_peer_read(file, world.bytes, size);
  walk_notes *notes = walk_notes_of(file);
  bytes__check(&view, notes->seen, count);
  notes->seen += count;
  return count;
}

static void peer__come(walk_end **place) {
  const uint32_t which = walk_random(WALK_NAMES);
  if (walk_chance(75)) {
    const uint32_t all = walk_client_direction(which);
    *place = walk_peer_connect(which, all == 3 && walk_chance(20) ? 1 + walk_random(2) : all);
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
  } else if (what < 95) {
    walk_peer_write_nothing(*place);
  } else if (what < 97 && view.server) {
    walk_peer_disconnect(*place);
  } else if (what < 99) {
    walk_peer_close(*place);
    *place = NULL;
  }
}
