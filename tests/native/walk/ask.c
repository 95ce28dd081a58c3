/* ask.c - calls that move no byte: peek, info, the drain state; the half-close; retiring. */
#include "kernel.h"

static walk_call ask__call(const walk_pipe *p, walk_call call) { return (walk_call)((int)call + p->message); }

static void ask__check_message(const walk_view *view, uint64_t available) {
  uint32_t left = 0;
  if (!walk_message_next(view, &left)) walk_fail("R4: a peek sees a message that nobody sent");
  if (available != left && !((view->cut || view->torn) && available < left)) {
    walk_fail("F1: %llu bytes of a message can be read, a peek says, and %u are left", (unsigned long long)available, left);
  }
}

void walk_peek(walk_pipe *p) {
  static const uint32_t sizes[] = {0, 1, 99, 100, 101, 4096, WALK_BYTES};
  const walk_state state = walk_state_of(p);
  walk_end *file = walk_end_of(p);
  const uint32_t size = sizes[walk_random((uint32_t)(sizeof sizes / sizeof sizes[0]))];
  size_t count = 77;
  uint64_t available = 77;
  const nps_result result = nps_pipe_peek(p->pipe, size == 0 ? NULL : world.bytes, size, &count, &available);
  walk_outcome(state, ask__call(p, CALL_PEEK), result, p);
  if (result != NPS_OK && (count != 0 || available != 0)) walk_fail("a peek that did not succeed gives bytes");
  if (count > size || count > available) walk_fail("a peek gives more than there is");
  if (result != NPS_OK) return;
  const walk_view view = walk_look(file);
  const walk_notes *notes = walk_notes_of(file);
  walk_check_bytes(&view, notes->seen, (uint32_t)count);
  if (available > view.arrived - notes->seen) walk_fail("F1: a peek says that more can be read than was sent");
  if (count < size && count < available && !p->message && count == 0) walk_fail("F1: a peek shows nothing of what can be read");
  if (p->message) {
    ask__check_message(&view, available);
  } else if (available == 0) {
    walk_fail("F1: a peek answers NPS_OK, and nothing can be read");
  }
}

void walk_shutdown(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  walk_end *file = walk_end_of(p);
  const nps_result result = nps_pipe_shutdown(p->pipe);
  const int32_t status = nps_result_status(result);
  walk_outcome(state, ask__call(p, CALL_SHUTDOWN), result, p);
  if (status == NPS_E_CLOSED && p->pipe->state == PIPE_CONNECTED && !p->shut) walk_fail("a shutdown answers closed, and there was none");
  if (status == NPS_WOULD_BLOCK) p->armed_out = true;
  if (result != NPS_OK) return;
  if (p->shut) walk_fail("a second shutdown succeeds");
  p->shut = true;
  if (os_direct_io) {
    walk_shut(file);
  } else { /* an empty message stands for it */
    const walk_view view = walk_look(file);
    walk_message_sent(&view, 0);
  }
}

void walk_drain_state(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  walk_end *file = walk_end_of(p);
  uint64_t unread = 77;
  const nps_result result = nps_pipe_drain_state(p->pipe, &unread);
  walk_outcome(state, ask__call(p, CALL_DRAIN_STATE), result, p);
  if ((unread != 0) != (nps_result_status(result) == NPS_WOULD_BLOCK)) walk_fail("the drain state contradicts itself");
  if (result != NPS_OK && nps_result_status(result) != NPS_WOULD_BLOCK) return;
  const walk_view view = walk_look(file);
  if (p->name == WALK_NAMES && view.peer_done) return; /* adopted: its former owner may have met the error that tells */
  /* What is left of a message that was read in part is still the system's, or is kept by the peer's library. */
  const bool bytes = walk_notes_of(file)->sent == walk_notes_of_peer(file)->seen;
  const bool most = view.message ? walk_messages_unseen_by_peer(&view, false) == 0 : bytes;
  const bool all = view.message ? walk_messages_unseen_by_peer(&view, true) == 0 : bytes;
  /* Linux does not tell of empty messages that a peer leaves unread. */
  const bool told = view.message && view.peer_done ? !walk_bytes_unseen_by_peer(&view) : most;
  if (result == NPS_OK && !told) walk_fail("F2: the drain state says that all was read, and something was not");
  if (result != NPS_OK && all) walk_fail("F2: the drain state says that something was not read, and all was");
}

void walk_info(walk_pipe *p) {
  nps_info info = {.size = sizeof info, .direction = 77};
  const walk_state state = walk_state_of(p);
  const nps_result result = nps_pipe_info(p->pipe, &info);
  walk_outcome(state, CALL_INFO, result, p);
  if (result != NPS_OK) return;
  if (info.direction != p->direction) walk_fail("info: direction %u", info.direction);
  if (info.mode != (uint32_t)p->message) walk_fail("info: mode %u", info.mode);
  if (info.end != (uint32_t)p->server) walk_fail("info: end %u", info.end);
  if (info.instances > info.max_instances) walk_fail("info: %u instances of at most %u", info.instances, info.max_instances);
  if (info.max_message != 0 && !p->message) walk_fail("info: messages of a byte pipe");
}

void walk_retire(walk_pipe *p) {
  const walk_state state = walk_state_of(p);
  const bool connected = p->pipe->state == PIPE_CONNECTED;
  const nps_result result = nps_pipe_retire(p->pipe);
  walk_outcome(state, CALL_RETIRE, result, p);
  if (result != NPS_OK) return;
  if (!p->server) walk_fail("C10: a client is retired");
  if (!connected && !p->retired) walk_fail("C10: a server without a client is retired");
  p->retired = true;
}
