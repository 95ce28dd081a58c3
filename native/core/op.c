#include "op.h"

#include "pipe.h"
#include "poll.h"

op *op_acquire(nps_pipe *pipe) {
  nps_poll *poll = pipe->poll;
  os_lock_enter(&poll->lock);
  op *o = poll->free_ops;
  if (o != NULL)
    poll->free_ops = o->next_free;
  poll->ops_out++;
  os_lock_leave(&poll->lock);

  if (o == NULL)
    o = os_alloc(sizeof *o);
  if (o == NULL) {
    os_lock_enter(&poll->lock);
    poll->ops_out--;
    os_lock_leave(&poll->lock);
    return NULL;
  }
  o->pipe = pipe;
  o->next_free = NULL;
  return o;
}

void op_release(op *o, nps_poll *poll) {
  if (o == NULL)
    return;
  op_give_memory(o, poll);
  os_lock_enter(&poll->lock);
  o->next_free = poll->free_ops;
  poll->free_ops = o;
  poll->ops_out--;
  os_lock_leave(&poll->lock);
}

bool op_take_memory(op *o, nps_poll *poll, uint32_t size, bool heap) {
  if (o->memory_kind != OP_MEMORY_NONE)
    return true;
  if (size <= poll->pool.size) {
    o->os.memory = buffer_pool_take(&poll->pool);
    o->memory_kind = OP_MEMORY_POOL;
  }
  if (o->os.memory == NULL && heap) {
    o->os.memory = os_alloc(size);
    o->memory_kind = OP_MEMORY_HEAP;
  }
  if (o->os.memory == NULL)
    o->memory_kind = OP_MEMORY_NONE;
  return o->os.memory != NULL;
}

void op_give_memory(op *o, nps_poll *poll) {
  o->held = o->more = false;
  switch ((op_memory)o->memory_kind) {
  case OP_MEMORY_NONE:
    return;
  case OP_MEMORY_POOL:
    buffer_pool_give(&poll->pool, o->os.memory);
    break;
  case OP_MEMORY_HEAP:
    os_free(o->os.memory);
    break;
  }
  o->os.memory = NULL;
  o->memory_kind = OP_MEMORY_NONE;
  o->filled = o->taken = 0;
}

nps_result op_result(os_op_kind kind, nps_result result) {
  const bool cancelled = has_status(result, NPS_E_CLOSED) && (kind == OS_CONNECT || kind == OS_WRITE);
  return cancelled ? make_result(NPS_E_IO, nps_result_detail(result)) : result;
}

os_start op_start(op *o, os_op_kind kind, uint32_t length, os_completion *done) {
  nps_pipe *pipe = o->pipe;
  o->os.kind = kind;
  o->os.length = length;
  o->filled = o->taken = 0;
  o->held = o->more = false;
  o->generation = pipe->generation; /* rule 3 */
  o->state = OP_PENDING;
  pipe->refs++; /* rule 1: before the call */
  os_start started = os_pipe_start(pipe->os, &o->os, done);
  if (started == OS_DONE) {
    o->state = OP_IDLE;
    done->result = op_result(kind, done->result);
    pipe->refs--; /* never the last: the caller has one */
  }
  return started;
}

bool op_cancel(op *o, bool closing) {
  o->state = OP_CANCELLING;
  if (!os_pipe_cancel(o->pipe->os, &o->os, closing))
    return false; /* rule 2: its completion decides */
  o->state = OP_IDLE;
  o->pipe->refs--;
  return true;
}

bool op_finish(op *o) {
  o->state = OP_IDLE;
  o->pipe->refs--;
  return o->generation == o->pipe->generation;
}
