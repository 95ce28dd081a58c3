/* Bugs that others had, second part: reading, draining, time. The first part is in regressions.c. */
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

/* Reading stays at one small size, whatever the caller asks for. */
TEST(test_tokio_6460_5307_one_read_takes_what_is_there) { /* R1 */
  static const size_t sizes[] = {5000, 20000, 60000};
  for (size_t i = 0; i < 6; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    size_t size = sizes[i / 2], count = 0;
    char *memory = malloc(65536);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
    pattern_fill(memory, size, i, 0);
    REQUIRE(peer_send(a.peer, memory, size));
    loop_await(l, 1, NPS_READABLE);
    REQUIRE_OK(read_pipe(a.pipe, memory, 65536, &count));
    REQUIRE_EQUAL(size, count);
    pattern_require(memory, count, i, 0);
    free(memory);
    link_end(a);
    loop_end(l);
  }
}

typedef struct reading {
  nps_pipe *pipe;
  sys_atomic stop;
} reading;

static void read_on(void *context) {
  reading *r = context;
  char memory[512];
  while (sys_atomic_get(&r->stop) == 0) {
    size_t count;
    (void)read_pipe(r->pipe, memory, sizeof memory, &count);
    sys_yield();
  }
}

/* A time limit starts anew with each bit of traffic. */
TEST(test_go_winio_218_a_wait_keeps_its_deadline) { /* P1 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  reading *r = test_new(sizeof *r);
  REQUIRE_OK(nps_pipe_reregister(a.pipe, 1, NPS_INTEREST_WRITABLE)); /* completions come all the time, events never */
  loop_forget(l);
  r->pipe = a.pipe;
  peer_stream *sender = peer_sender_start(a.peer, 1, SIZE_MAX / 2, false);
  sys_thread *reader = sys_thread_start(read_on, r);
  for (int i = 0; i < 3; i++) {
    uint64_t start = sys_now_ms();
    REQUIRE_EQUAL(0, loop_pump(l, 200)); /* not before its time: loop_pump looks */
    REQUIRE(sys_now_ms() - start < 5000);
  }
  sys_atomic_set(&r->stop, 1);
  sys_thread_join(reader);
  end_pipe(a.pipe);
  peer_stream_join(sender); /* broken by the end of the pipe */
  REQUIRE(sender->broken && sender->moved > 0);
  peer_close(a.peer);
  loop_end(l);
}

/* Questions about a pipe wait behind a read that is under way. */
TEST(test_dotnet_63536_72526_queries_do_not_wait_behind_a_read) {
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  uint64_t start = sys_now_ms();
  for (int i = 0; i < 100; i++) {
    intptr_t handle = -1;
    uint64_t unsent = 1;
    nps_result error = -1;
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe)); /* it is under way */
    REQUIRE_OK(nps_pipe_os_handle(a.pipe, &handle));
    REQUIRE_OK(nps_pipe_flush_state(a.pipe, &unsent));
    REQUIRE_OK(nps_pipe_take_error(a.pipe, &error));
    REQUIRE_OK(nps_pipe_reregister(a.pipe, 1, BOTH_INTERESTS));
    REQUIRE_OK(nps_pipe_connect(a.pipe));
    REQUIRE_OK(try_write(a.pipe));
  }
  REQUIRE(sys_now_ms() - start < 10000);
  link_end(a);
  loop_end(l);
}

TEST(test_dotnet_72593_a_drain_can_be_waited_for) { /* flush_state */
  for (int i = 0; i < 10; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    size_t accepted = write_until_full(a.pipe, 1);
    uint64_t unsent = 0;
    peer_stream *receiver = peer_receiver_start(a.peer, 1, accepted, false);
    while (nps_result_status(nps_pipe_flush_state(a.pipe, &unsent)) == NPS_WOULD_BLOCK) {
      REQUIRE(unsent > 0 && unsent <= accepted);
      loop_await(l, 1, NPS_WRITABLE);
    }
    REQUIRE_EQUAL(0, unsent);
    peer_stream_join(receiver);
    link_end(a);
    loop_end(l);
  }
}

static void send_in_chunks(void *context) {
  peer_stream *stream = context;
  char memory[4096];
  while (stream->moved < stream->size) {
    pattern_fill(memory, stream->chunk, stream->seed, stream->moved);
    REQUIRE(peer_send(stream->end, memory, stream->chunk));
    stream->moved += stream->chunk;
  }
}

/* Data that fill the buffer exactly: is there more? Asking must neither block nor, when new data come at that
 * moment, lose them. */
TEST(test_libuv_4738_data_exactly_fills_buffer) { /* R1, R2, P2 */
  static const size_t chunks[] = {1, 64, 1000, 4096};
  for (size_t i = 0; i < 16; i++) {
    loop *l = loop_new();
    nps_server_options options = server_options(NULL);
    options.read_ahead = i % 2 == 0 ? 65536 : 0;
    linked a = link_new_with(l, 1, i % 4 < 2 ? OUR_SERVER : OUR_CLIENT, options);
    size_t chunk = chunks[i / 4], count;
    char memory[4096];
    for (size_t k = 0; k < 20; k++) { /* one by one */
      pattern_fill(memory, chunk, 6, k * chunk);
      REQUIRE(peer_send(a.peer, memory, chunk));
      for (size_t have = 0; have < chunk; have += count) {
        count = loop_read(l, 1, a.pipe, memory, chunk - have);
        REQUIRE(count > 0);
        pattern_require(memory, count, 6, k * chunk + have);
      }
      REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
    }
    peer_stream *sender = test_new(sizeof *sender); /* and while they come */
    sender->end = a.peer;
    sender->chunk = chunk;
    sender->size = 1500 * chunk;
    sender->seed = 7;
    sender->thread = sys_thread_start(send_in_chunks, sender);
    loop_read_pattern(l, 1, a.pipe, 7, sender->size, (read_way){chunk, false});
    peer_stream_join(sender);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
    link_end(a);
    loop_end(l);
  }
}
