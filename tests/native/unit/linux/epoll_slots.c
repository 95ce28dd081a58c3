/* os/epoll/port.c: a slot's generation, by which an event of the past is known (rule 4). */
#include "epoll.h"

#include <sys/socket.h>
#include <unistd.h>

#include "sys.h"
#include "test.h"

enum { LOCK_WORD_CONTENDED = 2 }; /* lock.c: somebody sleeps on it */

TEST(test_a_slot_that_is_used_again_has_another_generation) {
  os_port *port;
  uint32_t slot, again;
  int owner = 0;
  REQUIRE_OK(os_port_create(&port));
  REQUIRE_OK(ep_port_slot_take(port, EP_SLOT_PIPE, &owner, &slot));
  const uint32_t generation = port->slots[slot].generation;
  ep_port_slot_drop(port, slot);
  REQUIRE_OK(ep_port_slot_take(port, EP_SLOT_PIPE, &owner, &again));
  REQUIRE_EQUAL(slot, again);
  REQUIRE(port->slots[again].generation != generation);
  ep_port_slot_drop(port, again);
  os_port_destroy(port);
}

typedef struct fetch {
  os_port *port;
  os_completion completions[4];
  uint32_t count;
} fetch;

static void fetch_events(void *context) {
  fetch *f = context;
  REQUIRE_OK(os_port_wait(f->port, f->completions, 4, TEST_DEADLINE_MS, &f->count));
}

/* The waiter has the event from the kernel already when the connection that it is of ends. */
TEST(test_a_fetched_event_of_an_older_connection_goes_to_nobody) {
  fetch *f = test_new(sizeof *f);
  os_op *op = test_new(sizeof *op);
  os_pipe *pipe;
  os_adopted adopted;
  os_completion done;
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  REQUIRE_OK(os_port_create(&f->port));
  REQUIRE_OK(os_pipe_adopt(ends[0], &adopted, &pipe));
  REQUIRE_OK(os_pipe_bind(pipe, f->port));
  op->kind = OS_READ_PROBE;
  REQUIRE_EQUAL(OS_PENDING, os_pipe_start(pipe, op, &done));
  os_lock_enter(&f->port->lock);
  sys_thread *waiter = sys_thread_start(fetch_events, f);
  REQUIRE(write(ends[1], "x", 1) == 1);
  for (uint64_t deadline = test_deadline(); atomic_load(&f->port->lock.word) != LOCK_WORD_CONTENDED;) {
    REQUIRE(!test_expired(deadline));
    sys_yield();
  }
  ep_port_slot_renew(f->port, pipe->slot);
  os_lock_leave(&f->port->lock);
  sys_thread_join(waiter);
  REQUIRE_EQUAL(0, f->count);
  REQUIRE(os_pipe_cancel(pipe, op, true)); /* it is pending still */
  os_pipe_close(pipe, false);
  os_port_destroy(f->port);
  close(ends[1]);
}
