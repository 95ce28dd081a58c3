/* op.c - core's operations without their free list: an operation that is given back is freed, so that whoever still uses it,
 * the kernel included, is found. In place of native/core/op.c, of which all but the release is taken. */
#define op_release op__release_to_list
#include "../../../native/core/op.c"
#undef op_release

void op_release(op *o, nps_poll *poll);

void op_release(op *o, nps_poll *poll) {
  if (o == NULL)
    return;
  op_give_memory(o, poll);
  os_free(o);
  os_lock_enter(&poll->lock);
  poll->ops_out--;
  os_lock_leave(&poll->lock);
}
