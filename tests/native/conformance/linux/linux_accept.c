/* All instances of a name share one listening socket, on however many polls they are: whose client is it when the
 * one it was accepted for does not want it any more? C8, C9. */
#include "loop.h"
#include "sys.h"

/* `first` waits longest, so the client is accepted for it, by the poll of `second`, while nobody waits on its own. */
typedef struct crossing {
  const char *name;
  loop *first_loop, *second_loop;
  nps_pipe *first, *second;
  peer *client;
} crossing;

static crossing crossing_new(void) {
  crossing c = {.name = test_name(), .first_loop = loop_new(), .second_loop = loop_new()};
  c.first = server_new(c.name);
  c.second = server_new(c.name);
  register_pipe(c.first_loop, c.first, 1);
  register_pipe(c.second_loop, c.second, 2);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(c.first));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(c.second));
  c.client = peer_open(c.name);
  REQUIRE_EQUAL(0, loop_pump(c.second_loop, 20));
  return c;
}

static void require_served_by(crossing *c, loop *l, uint64_t token, nps_pipe *pipe) {
  char byte;
  loop_connect(l, token, pipe);
  REQUIRE_OK(try_write(pipe));
  peer_receive_exactly(c->client, &byte, 1);
}

static void crossing_end(crossing *c) {
  nps_pipe_release(c->first);
  nps_pipe_release(c->second);
  peer_close(c->client);
  loop_end(c->first_loop);
  loop_end(c->second_loop);
}

TEST(test_a_client_goes_to_the_instance_that_waits_longest) { /* C9 */
  crossing c = crossing_new();
  require_served_by(&c, c.first_loop, 1, c.first);
  crossing_end(&c);
}

TEST(test_a_client_of_a_cancelled_connect_goes_to_the_next) { /* C9 */
  for (int means = 0; means < 3; means++) {
    crossing c = crossing_new();
    REQUIRE_OK(means == 0   ? nps_pipe_disconnect(c.first, 0)
               : means == 1 ? nps_pipe_close(c.first, 0)
                            : nps_pipe_abort(c.first));
    REQUIRE_EQUAL(0, loop_pump(c.first_loop, 20)); /* the accept comes, to nobody */
    require_served_by(&c, c.second_loop, 2, c.second);
    crossing_end(&c);
  }
}

TEST(test_a_client_of_a_cancelled_connect_waits_for_the_next) { /* C8, C9 */
  for (int who = 0; who < 2; who++) {
    crossing c = crossing_new();
    REQUIRE_OK(nps_pipe_disconnect(c.first, 0));
    REQUIRE_OK(nps_pipe_disconnect(c.second, 0));
    REQUIRE_EQUAL(0, loop_pump(c.first_loop, 20));
    nps_pipe *pipe = who == 0 ? c.first : c.second; /* nobody wanted it; whoever connects next has it at once */
    REQUIRE_OK(nps_pipe_connect(pipe));
    require_served_by(&c, who == 0 ? c.first_loop : c.second_loop, (uint64_t)who + 1, pipe);
    crossing_end(&c);
  }
}

TEST(test_a_client_that_nobody_takes_is_cut_with_the_last_instance) { /* C8 */
  crossing c = crossing_new();
  char byte;
  REQUIRE_OK(nps_pipe_disconnect(c.first, 0));
  REQUIRE_OK(nps_pipe_disconnect(c.second, 0));
  loop_pump(c.first_loop, 20);
  REQUIRE_OK(nps_pipe_close(c.first, 0));
  REQUIRE_OK(nps_pipe_close(c.second, 0));
  loop_pump(c.first_loop, 0);
  REQUIRE_EQUAL(0, peer_receive(c.client, &byte, 1)); /* never a hang */
  crossing_end(&c);
}

TEST(test_closing_the_poll_passes_its_client_on) { /* C9, P7 */
  crossing c = crossing_new();
  REQUIRE_OK(nps_poll_close(c.first_loop->poll));
  require_served_by(&c, c.second_loop, 2, c.second);
  nps_poll_release(c.first_loop->poll);
  nps_pipe_release(c.first);
  end_pipe(c.second);
  peer_close(c.client);
  loop_end(c.second_loop);
}

typedef struct second_waiter {
  crossing *c;
  sys_atomic inside;
} second_waiter;

static void wait_for_the_client(void *context) {
  second_waiter *w = context;
  while ((w->c->second_loop->ever[2] & NPS_WRITABLE) == 0) {
    sys_atomic_set(&w->inside, 1);
    uint64_t start = sys_now_ms();
    loop_pump(w->c->second_loop, TEST_DEADLINE_MS);
    REQUIRE(sys_now_ms() - start < TEST_DEADLINE_MS / 2); /* woken, not timed out */
  }
}

TEST(test_a_client_that_is_passed_on_wakes_the_next_ones_poll) { /* C9 */
  for (int i = 0; i < 20; i++) {
    crossing *c = test_new(sizeof *c);
    second_waiter *w = test_new(sizeof *w);
    *c = crossing_new();
    w->c = c;
    sys_thread *thread = sys_thread_start(wait_for_the_client, w);
    while (sys_atomic_get(&w->inside) == 0) {
      sys_yield();
    }
    REQUIRE_OK(nps_pipe_disconnect(c->first, 0));
    loop_pump(c->first_loop, 20);
    sys_thread_join(thread);
    REQUIRE(!test_has_failed());
    require_served_by(c, c->second_loop, 2, c->second);
    crossing_end(c);
  }
}
