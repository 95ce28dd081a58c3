/* kernel.c - kernel.h on the simulated kernel: what it knows it tells, and it knows all. */
#include <stdarg.h>
#include <stdio.h>

#include "others.h"

const bool walk_knows_ops = true;

static const char *const kernel__names[WALK_NAMES + 1] = {"a", "b", "in", "out", "message", "no such"};
static const uint32_t kernel__server_direction[WALK_NAMES] = {
    NPS_DIRECTION_DUPLEX, NPS_DIRECTION_DUPLEX, NPS_DIRECTION_IN, NPS_DIRECTION_OUT, NPS_DIRECTION_DUPLEX};
static const uint32_t kernel__client_direction[WALK_NAMES] = {
    NPS_DIRECTION_DUPLEX, NPS_DIRECTION_DUPLEX, NPS_DIRECTION_OUT, NPS_DIRECTION_IN, NPS_DIRECTION_DUPLEX};

const char *walk_kernel(void) { return os_direct_io ? "direct" : "buffered"; }

/* ---------------------------------------------------------------- chance, beginnings and ends */

uint32_t walk_random(uint32_t below) { return sim_random(below); }

bool walk_chance(uint32_t percent) { return sim_chance(percent); }

_Noreturn void walk_fail(const char *format, ...) {
  char message[300];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  sim_fail("%s", message);
}

void walk_begin(uint64_t seed, uint64_t episode, uint32_t quarantine, void (*failed)(const char *message)) {
  sim_settings settings = sim_settings_plain();
  settings.seed = seed << 32 | episode;
  settings.quarantine = quarantine;
  settings.fail = failed;
  sim_begin(&settings);
  others_come();
}

void walk_ending(void) { others_go(); }

void walk_finish(void) { sim_finish(); }

static sim_settings kernel__disturbed;
static bool kernel__faults;

void walk_calm(void) {
  sim_settings *now = sim_current();
  kernel__disturbed = *now;
  kernel__faults = world.faults;
  *now = sim_settings_plain();
  now->fail = kernel__disturbed.fail;
  now->quarantine = kernel__disturbed.quarantine;
  world.faults = false;
  others_go();
}

void walk_disturb(void) {
  *sim_current() = kernel__disturbed;
  world.faults = kernel__faults;
  others_come();
}

bool walk_is_patient(walk_poll *p, uint64_t since) {
  (void)p;
  (void)since;
  return false; /* here all that must come has come */
}

void walk_sync(void) {}

/* ---------------------------------------------------------------- the library's ends */

walk_end *walk_end_of(const walk_pipe *p) { return p->pipe->os == NULL ? NULL : sim_file_of(p->pipe->os); }

walk_view walk_look(const walk_end *end) { return sim_look(end); }

walk_notes *walk_notes_of(walk_end *end) { return sim_notes_of(end); }

walk_notes *walk_notes_of_peer(walk_end *end) { return sim_notes_of_peer(end); }

bool walk_has_all(walk_end *end) {
  return sim_notes_of(end)->seen == sim_look(end).arrived;
}

void walk_shut(walk_end *end) { (void)end; }

bool walk_is_handle_of(const walk_pipe *p, intptr_t handle) { return sim_file_of_handle(handle) == walk_end_of(p); }

bool walk_has_client(const walk_pipe *p) {
  const sim_view view = sim_look(walk_end_of(p));
  return os_direct_io ? view.backlog != 0 : view.connected;
}

bool walk_can_write(const walk_pipe *p, const walk_view *view) {
  return os_direct_io ? view->room != 0 || view->peer_broken : sim_pending(p->pipe->os, OS_WRITE) == 0;
}

void walk_check_flushed(const walk_pipe *p, nps_result result, uint64_t unsent) {
  if (world.nested || result < 0) return;
  const bool pending = p->pipe->os != NULL && sim_pending(p->pipe->os, OS_WRITE) > 0;
  if ((unsent > 0) != pending && !(p->message && pending && nps_result_status(result) == NPS_WOULD_BLOCK)) walk_fail("flush_state is wrong");
}

const char *walk_check_settled(const walk_pipe *p) {
  (void)p;
  return NULL; /* bytes are counted one by one where they move */
}

uint64_t walk_background_failures(walk_end *end) { return sim_background_failures(end); }

bool walk_may_have_failed(walk_end *end) { return sim_background_failures(end) != 0; }

bool walk_is_connected(const os_pipe *os) { return sim_look(sim_file_of(os)).connected; }

uint32_t walk_in_flight(void) { return sim_in_flight(); }

const os_op *walk_in_flight_op(uint32_t index) { return sim_in_flight_op(index); }

void walk_check_blocks(uint32_t known) {
  if (known != sim_blocks()) walk_fail("invariant: %u blocks of memory are known, there are %u", known, sim_blocks());
}

/* ---------------------------------------------------------------- arguments */

const char *walk_name(uint32_t which) { return kernel__names[which]; }

const char *walk_long_name(void) {
  return "a name that is longer than what this kernel is willing to keep of any name at all";
}

uint32_t walk_instances(uint32_t which) { return which == 1 ? 3 : NPS_UNLIMITED_INSTANCES; }

uint32_t walk_server_direction(uint32_t which) { return kernel__server_direction[which]; }

uint32_t walk_client_direction(uint32_t which) { return kernel__client_direction[which]; }

int64_t walk_wait_time(const walk_poll *p) {
  static const int64_t times[] = {0, 0, 0, 1, 5, 40, NPS_FOREVER};
  (void)p;
  return times[sim_random((uint32_t)(sizeof times / sizeof times[0]))];
}

int64_t walk_linger_time(void) { return 1 + sim_random(60); }

void walk_before_linger(const walk_pipe *p) { (void)p; }

void walk_before_close(const walk_poll *p, bool release) {
  (void)p;
  (void)release;
}

bool walk_tries_odd_handle(void) { return !sim_chance(80); }

intptr_t walk_odd_handle(void) { return 123456789; }

void walk_odd_handle_end(intptr_t handle) { (void)handle; }

void walk_made(walk_pipe *p) { (void)p; }

void walk_adopted(walk_pipe *p, walk_end *peer) {
  if (walk_end_of(p) != peer) walk_fail("another handle is adopted than the one that was given");
}

walk_end *walk_exported(walk_pipe *p, intptr_t handle) {
  (void)p;
  sim_file *file = sim_file_of_handle(handle);
  if (file == NULL) walk_fail("the exported handle is not open");
  return file;
}

uint32_t walk_impossible(walk_state state, walk_call call) {
  (void)state;
  /* A message of any length is taken. */
  if (call == CALL_MESSAGE_WRITE || call == CALL_MESSAGE_WRITE_VECTOR) return WALK_OUTCOME(NPS_E_INVALID_ARGUMENT);
  const bool reads_message = call >= CALL_MESSAGE_READ && call <= CALL_MESSAGE_READ_NOTHING;
  const bool gone = state == STATE_GONE || state == STATE_GONE_DEREGISTERED || state == STATE_LET_BE_GONE;
  /* A peer that is gone has sent all that it will, and nothing of it is on its way where nothing is read ahead. */
  if (os_direct_io && gone && (call == CALL_MESSAGE_PEEK || (reads_message && state == STATE_LET_BE_GONE))) return WALK_OUTCOME(NPS_WOULD_BLOCK);
  if (call != CALL_ADOPT) return 0;
  const uint32_t never = WALK_OUTCOME(NPS_E_NOT_A_PIPE) | WALK_OUTCOME(NPS_E_NOT_OVERLAPPED); /* all handles are pipes' */
  return os_direct_io ? never : never | WALK_OUTCOME(NPS_E_NOT_CONNECTED);
}

/* Three chances at once. */
uint32_t walk_rare(walk_state state, walk_call call) {
  if (state == STATE_LET_BE && call == CALL_RELISTEN) return WALK_OUTCOME(NPS_E_OUT_OF_MEMORY);
  if (state == STATE_LET_BE_GONE && call == CALL_RELISTEN) return WALK_OUTCOME(NPS_E_OUT_OF_MEMORY);
  const bool writes = call == CALL_WRITE_VECTOR || (call >= CALL_MESSAGE_WRITE && call <= CALL_MESSAGE_WRITE_NOTHING);
  if (state == STATE_LET_BE_GONE && writes) return WALK_OUTCOME(NPS_WOULD_BLOCK);
  if (state == STATE_LET_BE && call == CALL_MESSAGE_WRITE_NOTHING) return WALK_OUTCOME(NPS_E_IO);
  const bool shuts = call == CALL_SHUTDOWN || call == CALL_MESSAGE_SHUTDOWN;
  if (shuts && state != STATE_CONNECTED) return WALK_OUTCOME(NPS_E_IO) | WALK_OUTCOME(NPS_E_CLOSED);
  return 0;
}

/* ---------------------------------------------------------------- foreign peers */

walk_end *walk_peer_connect(uint32_t which, uint32_t direction) { return sim_connect(kernel__names[which], direction); }

walk_end *walk_peer_serve(uint32_t which, uint32_t direction, uint32_t quota) {
  if (which == WALK_MESSAGE_NAME) return sim_serve_messages(kernel__names[which], quota);
  return sim_serve(kernel__names[which], direction, quota);
}

intptr_t walk_peer_handle(const walk_end *peer) { return sim_handle(peer); }

bool walk_peer_may_go(const walk_end *peer) {
  (void)peer;
  return true;
}

void walk_peer_accept(walk_end *server) { (void)sim_accept(server); }

uint32_t walk_peer_write(walk_end *peer, const void *bytes, uint32_t size) { return sim_write(peer, bytes, size); }

uint32_t walk_peer_read(walk_end *peer, void *bytes, uint32_t size) { return sim_read(peer, bytes, size); }

bool walk_peer_send(walk_end *peer, const void *bytes, uint32_t size) { return sim_send(peer, bytes, size); }

bool walk_peer_receive(walk_end *peer, void *bytes, uint32_t size, uint32_t *count, bool *more) {
  return sim_receive(peer, bytes, size, count, more);
}

void walk_peer_write_nothing(walk_end *peer) { sim_write_nothing(peer); }

void walk_peer_disconnect(walk_end *server) { sim_disconnect(server); }

void walk_peer_close(walk_end *peer) { sim_close(peer); }
