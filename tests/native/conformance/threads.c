/* Several threads on one pipe, on one poll: R5, X2; and none of the library's own. */
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

/* What one thread does with a pipe while another waits on the poll. It calls until would-block, then lets others
 * run: the test is of the calls' safety against each other; events are tested elsewhere. */
typedef struct worker {
  nps_pipe *pipe;
  size_t size;
  size_t chunk; /* reader: bytes of one read at most */
  uint64_t seed;
  char *memory; /* reader: what it got, in its order */
  size_t *lengths; /* of each read */
  size_t reads;
  sys_atomic *left; /* shared by readers: bytes that nobody has read yet */
  sys_atomic done;
} worker;

enum { MOST_READS = 1 << 16 };

static void worker_write(void *context) {
  worker *w = context;
  char memory[5000];
  size_t sent = 0;
  uint64_t deadline = test_deadline();
  while (sent < w->size) {
    size_t part = w->size - sent < sizeof memory ? w->size - sent : sizeof memory, count;
    pattern_fill(memory, part, w->seed, sent);
    nps_result result = write_pipe(w->pipe, memory, part, &count);
    REQUIRE(result == NPS_OK || nps_result_status(result) == NPS_WOULD_BLOCK);
    REQUIRE(!test_expired(deadline));
    sent += count;
    if (count == 0) {
      sys_yield();
    }
  }
  sys_atomic_set(&w->done, 1);
}

static void worker_read(void *context) {
  worker *w = context;
  size_t have = 0;
  uint64_t deadline = test_deadline();
  while (sys_atomic_get(w->left) > 0) {
    size_t count;
    size_t room = w->size - have < w->chunk ? w->size - have : w->chunk;
    if (room == 0) {
      break;
    }
    nps_result result = read_pipe(w->pipe, w->memory + have, room, &count);
    REQUIRE(result == NPS_OK || nps_result_status(result) == NPS_WOULD_BLOCK);
    REQUIRE(!test_expired(deadline));
    if (count == 0) {
      sys_yield();
      continue;
    }
    REQUIRE(w->reads < MOST_READS);
    w->lengths[w->reads++] = count;
    have += count;
    sys_atomic_add(w->left, -(int64_t)count);
  }
  sys_atomic_set(&w->done, 1);
}

static worker *reader_new(nps_pipe *pipe, size_t size, size_t chunk, uint64_t seed, sys_atomic *left) {
  worker *w = test_new(sizeof *w);
  w->pipe = pipe;
  w->size = size;
  w->chunk = chunk;
  w->seed = seed;
  w->memory = test_new(size);
  w->lengths = test_new(MOST_READS * sizeof(size_t));
  w->left = left;
  return w;
}

/* Merges what two readers got back into the stream: each read must be the next piece of it, once. */
static void require_each_byte_once(worker *one, worker *two, size_t size) {
  size_t at = 0, place[2] = {0, 0}, read[2] = {0, 0};
  worker *readers[2] = {one, two};
  while (at < size) {
    int taken = -1;
    for (int i = 0; i < 2; i++) {
      worker *w = readers[i];
      if (read[i] < w->reads && pattern_matches(w->memory + place[i], w->lengths[read[i]], w->seed, at) &&
          (taken < 0 || w->lengths[read[i]] > readers[0]->lengths[read[0]])) { /* a byte or two may match by chance */
        taken = i;
      }
    }
    if (taken < 0) {
      FAIL("byte %llu is next in neither reader's bytes", (unsigned long long)at);
    }
    at += readers[taken]->lengths[read[taken]];
    place[taken] += readers[taken]->lengths[read[taken]];
    read[taken]++;
  }
  REQUIRE(read[0] == one->reads && read[1] == two->reads);
}

static void two_readers(side ours, uint32_t read_ahead, size_t size, size_t chunk) {
  loop *l = loop_new();
  nps_server_options options = server_options(NULL);
  options.read_ahead = read_ahead;
  linked a = link_new_with(l, 1, ours, options);
  sys_atomic *left = test_new(sizeof *left);
  sys_atomic_set(left, (int64_t)size);
  worker *one = reader_new(a.pipe, size, chunk, 3, left), *two = reader_new(a.pipe, size, chunk, 3, left);
  peer_stream *sender = peer_sender_start(a.peer, 3, size, false);
  sys_thread *first = sys_thread_start(worker_read, one), *second = sys_thread_start(worker_read, two);
  while (sys_atomic_get(&one->done) == 0 || sys_atomic_get(&two->done) == 0) {
    loop_pump(l, 5);
  }
  sys_thread_join(first);
  sys_thread_join(second);
  peer_stream_join(sender);
  require_each_byte_once(one, two, size);
  link_end(a);
  loop_end(l);
}

TEST(test_two_concurrent_readers_never_get_the_same_bytes) { /* R5 */
  two_readers(OUR_SERVER, 65536, 2000000, 3000);
  two_readers(OUR_CLIENT, 65536, 800000, 17); /* the shorter the reads, the more often they meet */
  two_readers(OUR_SERVER, 0, 200000, 100);
}

TEST(test_reader_and_writer_threads_on_one_pipe) { /* R5 */
  const size_t size = (size_t)3 * 1024 * 1024;
  for (int i = 0; i < 2; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i == 0 ? OUR_SERVER : OUR_CLIENT);
    sys_atomic *left = test_new(sizeof *left);
    sys_atomic_set(left, (int64_t)size);
    worker *reader = reader_new(a.pipe, size, 3000, 1, left);
    worker *writer = test_new(sizeof *writer);
    writer->pipe = a.pipe;
    writer->size = size;
    writer->seed = 2;
    peer_stream *sender = peer_sender_start(a.peer, 1, size, false);
    peer_stream *receiver = peer_receiver_start(a.peer, 2, size, false);
    sys_thread *first = sys_thread_start(worker_read, reader), *second = sys_thread_start(worker_write, writer);
    while (sys_atomic_get(&reader->done) == 0 || sys_atomic_get(&writer->done) == 0) {
      loop_pump(l, 5);
    }
    while (nps_result_status(nps_pipe_flush_state(a.pipe, &(uint64_t){0})) == NPS_WOULD_BLOCK) {
      loop_pump(l, 5);
    }
    sys_thread_join(first);
    sys_thread_join(second);
    peer_stream_join(sender);
    peer_stream_join(receiver);
    pattern_require(reader->memory, size, 1, 0);
    REQUIRE_EQUAL(size, receiver->moved);
    link_end(a);
    loop_end(l);
  }
}

typedef struct closer {
  nps_pipe *pipe;
  sys_event *go;
  int how;
  nps_result result;
} closer;

static void close_when_told(void *context) {
  closer *c = context;
  REQUIRE(sys_event_wait(c->go, TEST_DEADLINE_MS));
  switch (c->how) {
  case 0:
    c->result = nps_pipe_close(c->pipe, 0);
    break;
  case 1:
    c->result = nps_pipe_close(c->pipe, NPS_FOREVER);
    break;
  default:
    c->result = nps_pipe_abort(c->pipe);
    break;
  }
}

TEST(test_close_from_another_thread_during_a_wait) { /* X2 */
  for (int i = 0; i < 60; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    closer *c = test_new(sizeof *c);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(a.pipe));
    c->pipe = a.pipe;
    c->go = sys_event_new();
    c->how = i % 3;
    sys_thread *thread = sys_thread_start(close_when_told, c);
    loop_forget(l);
    sys_event_set(c->go);
    loop_pump(l, 10); /* the wait survives it, and ends in time: loop_pump looks */
    char byte;
    REQUIRE_EQUAL(0, peer_receive(a.peer, &byte, 1)); /* the peer sees the end */
    sys_thread_join(thread);
    REQUIRE_OK(c->result);
    REQUIRE_STATUS(NPS_E_CLOSED, try_read(a.pipe));
    REQUIRE_STATUS(NPS_E_CLOSED, nps_pipe_close(a.pipe, 0)); /* more than once */
    REQUIRE_EQUAL(0, loop_pump(l, 0));
    nps_pipe_release(a.pipe);
    peer_close(a.peer);
    sys_event_free(c->go);
    loop_end(l);
  }
}

TEST(test_close_races_with_io_and_events) { /* X2, rule 4 */
  for (int i = 0; i < 200; i++) {
    loop *l = loop_new();
    linked a = link_new(l, 1, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    closer *c = test_new(sizeof *c);
    c->pipe = a.pipe;
    c->go = sys_event_new();
    c->how = i % 3;
    sys_thread *thread = sys_thread_start(close_when_told, c);
    REQUIRE(peer_send(a.peer, "0123456789", 10));
    sys_event_set(c->go);
    nps_result result = NPS_OK;
    uint64_t deadline = test_deadline();
    while (nps_result_status(result) != NPS_E_CLOSED) {
      REQUIRE(!test_expired(deadline));
      result = try_read(a.pipe);
      REQUIRE(result == NPS_OK || nps_result_status(result) == NPS_WOULD_BLOCK ||
              nps_result_status(result) == NPS_E_CLOSED);
      nps_result written = try_write(a.pipe);
      REQUIRE(written == NPS_OK || nps_result_status(written) == NPS_WOULD_BLOCK ||
              nps_result_status(written) == NPS_E_CLOSED);
      loop_pump(l, 0);
    }
    sys_thread_join(thread);
    REQUIRE_EQUAL(0, loop_pump(l, 0)); /* no event of a closed pipe */
    nps_pipe_release(a.pipe);
    peer_close(a.peer);
    sys_event_free(c->go);
    loop_end(l);
  }
}

static void register_and_deregister(void *context) {
  worker *w = context;
  nps_poll *poll = (nps_poll *)(void *)w->memory;
  for (int i = 0; i < 2000; i++) {
    REQUIRE_OK(nps_pipe_deregister(w->pipe));
    REQUIRE_OK(nps_pipe_register(w->pipe, poll, (uint64_t)(i % 2 + 1), BOTH_INTERESTS));
    REQUIRE_OK(nps_pipe_reregister(w->pipe, (uint64_t)(i % 2 + 1), NPS_INTEREST_READABLE));
  }
  sys_atomic_set(&w->done, 1);
}

TEST(test_registration_races_with_waits_and_reads) { /* P5, P6, rule 4 */
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER);
  worker *w = test_new(sizeof *w);
  w->pipe = a.pipe;
  w->memory = (char *)(void *)l->poll;
  sys_thread *thread = sys_thread_start(register_and_deregister, w);
  size_t sent = 0, got = 0;
  while (sys_atomic_get(&w->done) == 0) {
    if (sent - got < 1000) {
      REQUIRE(peer_send(a.peer, "x", 1));
      sent++;
    }
    loop_pump(l, 0);
    got += try_read(a.pipe) == NPS_OK;
  }
  sys_thread_join(thread);
  while (got < sent) {
    char byte;
    l->seen[1] = l->seen[2];
    got += loop_read(l, 2, a.pipe, &byte, 1);
  }
  link_end(a);
  loop_end(l);
}

TEST(test_the_library_creates_no_thread) {
  loop *l = loop_new();
  linked a = link_new(l, 1, OUR_SERVER), b = link_new(l, 2, OUR_CLIENT);
  end_pipe(a.pipe);
  peer_close(a.peer);
  uint32_t before = sys_thread_count(); /* whatever the system's own libraries start, they have started by now */
  linked links[20];
  for (uint64_t i = 0; i < 20; i++) {
    links[i] = link_new(l, i + 3, i % 2 == 0 ? OUR_SERVER : OUR_CLIENT);
    (void)write_until_full(links[i].pipe, i);
  }
  loop *other = loop_new();
  loop_pump(other, 50);
  REQUIRE_EQUAL(before, sys_thread_count());
  for (int i = 0; i < 20; i++) {
    (void)nps_pipe_close(links[i].pipe, 50);
    nps_pipe_release(links[i].pipe);
    peer_close(links[i].peer);
  }
  loop_pump(l, 50);
  REQUIRE_EQUAL(before, sys_thread_count());
  link_end(b);
  loop_end(l);
  loop_end(other);
  REQUIRE_EQUAL(before, sys_thread_count());
}
