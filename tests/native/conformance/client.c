/* Opening: K1, K2. */
#include <string.h>

#include "loop.h"
#include "sys.h"

static nps_result open_within(const char *name, int64_t timeout_ms) {
  nps_client_options options = client_options(name);
  nps_pipe *pipe = NULL;
  options.timeout_ms = timeout_ms;
  nps_result result = nps_pipe_open(&options, &pipe);
  nps_pipe_release(pipe);
  return result;
}

TEST(test_open_of_a_name_that_nobody_serves_is_not_found) { /* K1 */
  uint64_t start = sys_now_ms();
  for (int i = 0; i < 20; i++) {
    REQUIRE_STATUS(NPS_E_NOT_FOUND, open_within(test_name(), 0));
  }
  REQUIRE(sys_now_ms() - start < 5000); /* one try: no waiting */
}

TEST(test_open_of_a_name_that_was_served_is_not_found) { /* K1, X3 */
  const char *name = test_name();
  nps_pipe *server = server_new(name);
  REQUIRE_OK(open_within(name, 0));
  nps_pipe_release(server);
  REQUIRE_STATUS(NPS_E_NOT_FOUND, open_within(name, 0));
}

/* Fills a server that takes nobody: all instances (Windows), the backlog (Linux). */
typedef struct full {
  peer_server *server;
  peer *clients[64];
  int count;
} full;

static full full_new(const char *name) {
  full f = {.server = peer_listen(name, 1)};
  peer *more = NULL;
  while (peer_try_open(name, &more) == PEER_OPENED) {
    REQUIRE(f.count < 64);
    f.clients[f.count++] = more;
  }
  REQUIRE(f.count > 0);
  REQUIRE_EQUAL(PEER_BUSY, peer_try_open(name, &more));
  return f;
}

static void full_end(full *f) {
  while (f->count > 0) {
    peer_close(f->clients[--f->count]);
  }
  peer_server_close(f->server);
}

TEST(test_open_of_a_full_server_is_busy) { /* K1 */
  const char *name = test_name();
  full f = full_new(name);
  uint64_t start = sys_now_ms();
  for (int i = 0; i < 20; i++) {
    REQUIRE_STATUS(NPS_E_PIPE_BUSY, open_within(name, 0));
  }
  REQUIRE(sys_now_ms() - start < 5000);
  full_end(&f);
  REQUIRE_STATUS(NPS_E_NOT_FOUND, open_within(name, 0));
}

TEST(test_open_gives_up_when_its_time_is_over) { /* K2 */
  const char *name = test_name();
  full f = full_new(name);
  uint64_t start = sys_now_ms();
  REQUIRE_STATUS(NPS_E_PIPE_BUSY, open_within(name, 200));
  REQUIRE(sys_now_ms() - start >= 170 && sys_now_ms() - start < 8000);
  start = sys_now_ms();
  REQUIRE_STATUS(NPS_E_NOT_FOUND, open_within(test_name(), 200));
  REQUIRE(sys_now_ms() - start >= 170 && sys_now_ms() - start < 8000);
  full_end(&f);
}

typedef struct opening {
  const char *name;
  sys_atomic running;
  nps_result result;
} opening;

static void open_and_wait(void *context) {
  opening *o = context;
  sys_atomic_set(&o->running, 1);
  o->result = open_within(o->name, NPS_FOREVER);
}

static sys_thread *opening_start(opening *o) {
  sys_thread *thread = sys_thread_start(open_and_wait, o);
  while (sys_atomic_get(&o->running) == 0) {
    sys_yield();
  }
  return thread;
}

TEST(test_open_waits_until_the_name_is_served) { /* K2 */
  opening *o = test_new(sizeof *o);
  o->name = test_name();
  sys_thread *thread = opening_start(o);
  loop *l = loop_new();
  nps_pipe *server = server_new(o->name);
  register_pipe(l, server, 1);
  loop_connect(l, 1, server);
  sys_thread_join(thread);
  REQUIRE_OK(o->result);
  end_pipe(server);
  loop_end(l);
}

TEST(test_libuv_3914_a_busy_name_is_waited_for) { /* K2: by trying again, not by WaitNamedPipe */
  opening *o = test_new(sizeof *o);
  loop *l = loop_new();
  o->name = test_name();
  nps_server_options options = server_options(o->name);
  nps_pipe *server = NULL;
  options.max_instances = 1;
  REQUIRE_OK(nps_pipe_create(&options, &server));
  register_pipe(l, server, 1);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  peer *first = peer_open(o->name);
  loop_connect(l, 1, server);
  sys_thread *thread = opening_start(o); /* Windows: busy until the first one goes; Linux: it queues */
  REQUIRE(nps_pipe_disconnect(server, 1) >= 0);
  loop_connect(l, 1, server);
  sys_thread_join(thread);
  REQUIRE_OK(o->result);
  peer_close(first);
  end_pipe(server);
  loop_end(l);
}

TEST(test_dotnet_65434_117718_waiting_burns_no_cpu) { /* K2, P1 */
  const char *name = test_name();
  full f = full_new(name);
  loop *l = loop_new();
  uint64_t before = sys_cpu_ms();
  REQUIRE_STATUS(NPS_E_PIPE_BUSY, open_within(name, 500));
  REQUIRE_STATUS(NPS_E_NOT_FOUND, open_within(test_name(), 500));
  REQUIRE_EQUAL(0, loop_pump(l, 500));
  uint64_t burnt = sys_cpu_ms() - before;
  if (burnt > 100) {
    FAIL("%llu ms of processor time in 1,500 ms of waiting", (unsigned long long)burnt);
  }
  loop_end(l);
  full_end(&f);
}
