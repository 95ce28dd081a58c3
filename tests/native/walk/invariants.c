/* invariants.c - what must hold between any two calls: references, operations, buffers, memory, and the states themselves. */
#include "kernel.h"

#define INVARIANT_PIPES 512u
#define INVARIANT_OPS 2048u

/* Everything that the library holds, found anew each time. */
static nps_pipe *inv__pipes[INVARIANT_PIPES];
static uint32_t inv__pipe_count;
static op *inv__ops[INVARIANT_OPS];
static nps_poll *inv__op_polls[INVARIANT_OPS];
static bool inv__op_flies[INVARIANT_OPS];
static uint32_t inv__op_count;
static nps_poll *inv__polls[INVARIANT_PIPES];
static uint32_t inv__poll_count;

#define REQUIRE_THAT(condition) \
  do { \
    if (!(condition)) walk_fail("invariant: %s", #condition); \
  } while (0)

static void inv__see_poll(nps_poll *poll) {
  for (uint32_t i = 0; i < inv__poll_count; i++) {
    if (inv__polls[i] == poll) return;
  }
  REQUIRE_THAT(inv__poll_count < INVARIANT_PIPES);
  inv__polls[inv__poll_count++] = poll;
}

static void inv__see_pipe(nps_pipe *pipe) {
  for (uint32_t i = 0; i < inv__pipe_count; i++) {
    if (inv__pipes[i] == pipe) return;
  }
  REQUIRE_THAT(inv__pipe_count < INVARIANT_PIPES);
  inv__pipes[inv__pipe_count++] = pipe;
  if (pipe->poll != NULL) inv__see_poll(pipe->poll);
}

static void inv__see_op(op *o, nps_poll *poll, bool flies) {
  for (uint32_t i = 0; i < inv__op_count; i++) {
    if (inv__ops[i] == o) {
      inv__op_flies[i] = inv__op_flies[i] || flies;
      return;
    }
  }
  REQUIRE_THAT(inv__op_count < INVARIANT_OPS);
  inv__ops[inv__op_count] = o;
  inv__op_flies[inv__op_count] = flies;
  inv__op_polls[inv__op_count++] = poll;
}

static void inv__gather(void) {
  inv__pipe_count = inv__op_count = inv__poll_count = 0;
  for (uint32_t i = 0; i < WALK_PIPES; i++) {
    if (world.pipes[i].pipe != NULL) inv__see_pipe(world.pipes[i].pipe);
  }
  for (uint32_t i = 0; i < WALK_POLLS; i++) {
    if (world.polls[i].poll != NULL) inv__see_poll(world.polls[i].poll);
  }
  const uint32_t flying = walk_in_flight();
  for (uint32_t i = 0; i < flying; i++) {
    op *o = op_of((os_op *)(uintptr_t)walk_in_flight_op(i));
    inv__see_pipe(o->pipe);
    inv__see_op(o, o->pipe->poll, true);
  }
  for (uint32_t i = 0; i < inv__poll_count; i++) {
    nps_poll *poll = inv__polls[i];
    if (poll->closing) continue;
    for (list_node *n = poll->bound.head.next; n != &poll->bound.head; n = n->next) {
      inv__see_pipe(CONTAINER_OF(n, nps_pipe, bound_node));
    }
    for (list_node *n = poll->ready.head.next; n != &poll->ready.head; n = n->next) {
      if (n != &poll->wake_node) inv__see_pipe(CONTAINER_OF(n, nps_pipe, ready_node));
    }
  }
  for (uint32_t i = 0; i < inv__pipe_count; i++) {
    nps_pipe *pipe = inv__pipes[i];
    if (pipe->in != NULL) inv__see_op(pipe->in, pipe->poll, !walk_knows_ops && op_is_pending(pipe->in));
    if (pipe->out != NULL) inv__see_op(pipe->out, pipe->poll, !walk_knows_ops && op_is_pending(pipe->out));
  }
}

/* ---------------------------------------------------------------- operations and buffers */

static void inv__check_ops(void) {
  for (uint32_t i = 0; i < inv__op_count; i++) {
    const op *o = inv__ops[i];
    REQUIRE_THAT(op_is_pending(o) == inv__op_flies[i]);
    REQUIRE_THAT((o->memory_kind == OP_MEMORY_NONE) == (o->os.memory == NULL));
    REQUIRE_THAT(o->taken <= o->filled);
    if (inv__op_flies[i]) {
      const nps_pipe *pipe = o->pipe;
      const bool current = o == pipe->in || o == pipe->out;
      if (current) REQUIRE_THAT(o->generation == pipe->generation); /* rule 3 */
      if (!current) REQUIRE_THAT(o->state == OP_CANCELLING);
    }
    if (o->os.memory == NULL) continue;
    for (uint32_t k = 0; k < i; k++) REQUIRE_THAT(inv__ops[k]->os.memory != o->os.memory); /* rule 5: one owner */
  }
}

static uint32_t inv__check_poll(const nps_poll *poll) {
  uint32_t ops = 0, pooled = 0, heap = 0, free_buffers = 0, free_ops = 0, refs = 0, bound = 0;
  for (uint32_t i = 0; i < inv__op_count; i++) {
    if (inv__op_polls[i] != poll) continue;
    ops++;
    pooled += inv__ops[i]->memory_kind == OP_MEMORY_POOL;
    heap += inv__ops[i]->memory_kind == OP_MEMORY_HEAP;
  }
  for (uint32_t i = 0; i < WALK_POLLS; i++) refs += world.polls[i].poll == poll;
  for (uint32_t i = 0; i < inv__pipe_count; i++) {
    refs += inv__pipes[i]->poll == poll;
    bound += inv__pipes[i]->poll == poll && inv__pipes[i]->state != PIPE_CLOSED;
  }
  REQUIRE_THAT(walk_knows_ops ? poll->refs == refs : poll->refs >= refs);
  REQUIRE_THAT(!poll->waiting && !poll->blocked && !poll->woken);
  REQUIRE_THAT(poll->closing == poll->closed);
  REQUIRE_THAT(walk_knows_ops ? poll->ops_out == ops : poll->ops_out >= ops);
  const uint32_t unknown = poll->ops_out - ops; /* those of connections that are over, which the system has still */
  if (poll->closed) {
    REQUIRE_THAT(ops == 0 && bound == 0 && list_empty(&poll->ready) && list_empty(&poll->bound) && list_empty(&poll->lingering));
    return 1;
  }
  for (const void *buffer = poll->pool.free; buffer != NULL; free_buffers++) {
    for (uint32_t i = 0; i < inv__op_count; i++) REQUIRE_THAT(inv__ops[i]->os.memory != buffer);
    buffer = *(const void *const *)buffer;
  }
  const uint32_t taken = poll->pool.made - free_buffers;
  REQUIRE_THAT(pooled <= taken && taken <= pooled + unknown && poll->pool.made <= poll->pool.limit);
  for (const op *o = poll->free_ops; o != NULL; o = o->next_free) {
    REQUIRE_THAT(o->state == OP_IDLE && o->os.memory == NULL);
    free_ops++;
  }
  for (const list_node *n = poll->bound.head.next; n != &poll->bound.head; n = n->next) bound--;
  REQUIRE_THAT(bound == 0);
  return 2 + ops + heap + free_ops + poll->pool.made; /* the poll, its port ... */
}

/* ---------------------------------------------------------------- pipes */

static void inv__check_refs(const nps_pipe *pipe) {
  uint32_t refs = 0;
  for (uint32_t i = 0; i < WALK_PIPES; i++) refs += world.pipes[i].pipe == pipe;
  for (uint32_t i = 0; i < inv__op_count; i++) refs += inv__op_flies[i] && inv__ops[i]->pipe == pipe; /* rule 1 */
  refs += list_contains(&pipe->bound_node);
  refs += list_contains(&pipe->linger_node);
  refs += pipe->queued;
  REQUIRE_THAT(pipe->queued == list_contains(&pipe->ready_node));
  REQUIRE_THAT(list_contains(&pipe->linger_node) == (pipe->state == PIPE_LINGERING));
  const uint32_t unknown = pipe->refs - refs; /* each of an operation that the walk cannot see */
  REQUIRE_THAT(pipe->refs >= refs && (unknown == 0 || (!walk_knows_ops && pipe->poll != NULL && unknown <= pipe->poll->ops_out)));
}

static void inv__check_connected(const nps_pipe *pipe) {
  const bool reads = (pipe->direction & NPS_DIRECTION_IN) != 0, writes = (pipe->direction & NPS_DIRECTION_OUT) != 0;
  const bool readable = (pipe->ready & NPS_READABLE) != 0, writable = (pipe->ready & NPS_WRITABLE) != 0;
  REQUIRE_THAT(walk_is_connected(pipe->os));
  REQUIRE_THAT(pipe->in != NULL);
  const bool in_pending = op_is_pending(pipe->in), probe = pipe->in->os.kind == OS_CLOSE_PROBE;
  const bool reading = in_pending && (!probe || pipe->in->state == OP_CANCELLING);
  if (reads) {
    REQUIRE_THAT(readable != reading);
    if (!in_pending && pipe->in->held) REQUIRE_THAT(readable);
    if (pipe->read_end != NPS_OK) REQUIRE_THAT(readable && pipe->in->os.memory == NULL); /* rule 6 */
  }
  /* Half-closed while a write or a probe was under way: the next write has an answer all the same. */
  if (writes && !has_status(pipe->write_end, NPS_E_CLOSED)) REQUIRE_THAT(writable != op_is_pending(pipe->out));
  if (pipe->write_end != NPS_OK) REQUIRE_THAT(writable);
  if ((pipe->armed & NPS_READABLE) != 0) REQUIRE_THAT(!readable);
  /* There flush_state waits for that write's end. */
  const bool half_closing = !os_direct_io && has_status(pipe->write_end, NPS_E_CLOSED) && op_is_pending(pipe->out);
  if ((pipe->armed & NPS_WRITABLE) != 0) REQUIRE_THAT(!writable || half_closing);
}

/* On demand nothing is watched before a call has answered would-block, and all is from then on. Where reads are operations one is under
 * way while a call waits for it, and else always. */
static void inv__check_demand(const walk_pipe *p) {
  const nps_pipe *pipe = p->pipe;
  if (pipe->state != PIPE_CONNECTED) return;
  if (!os_direct_io && pipe->in != NULL && (pipe->direction & NPS_DIRECTION_IN) != 0) {
    REQUIRE_THAT(pipe->watched || (pipe->on_demand && !op_is_pending(pipe->in) && pipe->in->os.memory == NULL && pipe->read_end == NPS_OK));
    if (p->on_demand && p->watched) REQUIRE_THAT(pipe->watched);
  }
  if (!os_direct_io) return;
  if (p->let_be) REQUIRE_THAT(!pipe->watched && !op_is_pending(pipe->out) && (pipe->in == NULL || pipe->in->os.kind != OS_READ_PROBE || !op_is_pending(pipe->in)));
  if (p->watched) REQUIRE_THAT(pipe->watched);
}

static void inv__check_pipe(const nps_pipe *pipe) {
  inv__check_refs(pipe);
  REQUIRE_THAT((pipe->os == NULL) == (pipe->state == PIPE_CLOSED));
  REQUIRE_THAT(pipe->events == 0 || (pipe->registered && pipe->queued));
  if (pipe->poll == NULL) {
    REQUIRE_THAT(pipe->in == NULL && pipe->out == NULL && !pipe->registered && (pipe->ready == 0 || pipe->write_end != NPS_OK));
    return;
  }
  switch ((pipe_state)pipe->state) {
    case PIPE_CLOSED:
      REQUIRE_THAT(pipe->in == NULL && pipe->out == NULL && !pipe->registered && !list_contains(&pipe->bound_node));
      break;
    case PIPE_LINGERING:
      REQUIRE_THAT(op_is_pending(pipe->out) && pipe->out->os.kind == OS_WRITE && !pipe->registered && !op_is_pending(pipe->in));
      break;
    case PIPE_IDLE:
      REQUIRE_THAT(!op_is_pending(pipe->in) && !op_is_pending(pipe->out) && pipe->ready == 0);
      REQUIRE_THAT(pipe->in == NULL || (pipe->in->os.memory == NULL && !pipe->in->held)); /* C7: nothing of the last connection */
      break;
    case PIPE_CONNECTING:
      REQUIRE_THAT(op_is_pending(pipe->in) && pipe->in->os.kind == OS_CONNECT && !op_is_pending(pipe->out) && pipe->ready == 0);
      break;
    case PIPE_CONNECTED: inv__check_connected(pipe); break;
  }
}

void walk_check_invariants(void) {
  inv__gather();
  inv__check_ops();
  uint32_t blocks = 0;
  for (uint32_t i = 0; i < inv__poll_count; i++) blocks += inv__check_poll(inv__polls[i]);
  for (uint32_t i = 0; i < inv__pipe_count; i++) {
    inv__check_pipe(inv__pipes[i]);
    blocks += inv__pipes[i]->state == PIPE_CLOSED ? 1 : 2; /* with the backend's own */
  }
  for (uint32_t i = 0; i < WALK_PIPES; i++) {
    if (world.pipes[i].pipe != NULL) inv__check_demand(&world.pipes[i]);
  }
  walk_check_blocks(blocks);
}
