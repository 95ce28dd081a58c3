#include "peer.h"

#include <stdlib.h>

#include "sys.h"
#include "test.h"

peer *peer_open(const char *name) {
  uint64_t deadline = test_deadline();
  peer *opened = NULL;
  peer_open_status status = PEER_BUSY;
  while (status == PEER_BUSY) {
    status = peer_try_open(name, &opened);
    if (status == PEER_BUSY) {
      REQUIRE(!test_expired(deadline));
      sys_yield();
    }
  }
  REQUIRE_EQUAL(PEER_OPENED, status);
  return opened;
}

void peer_receive_exactly(peer *from, void *memory, size_t size) {
  size_t have = 0;
  while (have < size) {
    ptrdiff_t got = peer_receive(from, (char *)memory + have, size - have);
    if (got <= 0) {
      FAIL("the peer got %llu of %llu bytes, then %s", (unsigned long long)have, (unsigned long long)size,
          got == 0 ? "the end" : "nothing more");
    }
    have += (size_t)got;
  }
}

static void peer__send_stream(void *context) {
  peer_stream *stream = context;
  size_t chunk = stream->chunk != 0 ? stream->chunk : 65536;
  char *memory = malloc(chunk);
  REQUIRE(memory != NULL);
  while (!stream->broken && stream->moved < stream->size) {
    size_t part = stream->size - stream->moved < chunk ? stream->size - stream->moved : chunk;
    pattern_fill(memory, part, stream->seed, stream->moved);
    stream->broken = !peer_send(stream->end, memory, part);
    stream->moved += stream->broken ? 0 : part;
  }
  free(memory);
  if (stream->close_after) {
    peer_close(stream->end);
  }
  sys_atomic_set(&stream->ended, 1);
}

static void peer__receive_stream(void *context) {
  peer_stream *stream = context;
  size_t chunk = stream->chunk != 0 ? stream->chunk : 65536;
  char *memory = malloc(chunk);
  REQUIRE(memory != NULL);
  while (!stream->broken && stream->moved < stream->size) {
    size_t part = stream->size - stream->moved < chunk ? stream->size - stream->moved : chunk;
    ptrdiff_t got = peer_receive(stream->end, memory, part);
    REQUIRE(got >= 0);
    pattern_require(memory, (size_t)got, stream->seed, stream->moved);
    stream->moved += (size_t)got;
    stream->broken = got == 0;
  }
  free(memory);
  if (stream->close_after) {
    peer_close(stream->end);
  }
  sys_atomic_set(&stream->ended, 1);
}

static peer_stream *peer__stream_start(peer *end, uint64_t seed, size_t size, bool close_after, void (*run)(void *)) {
  peer_stream *stream = test_new(sizeof *stream);
  stream->end = end;
  stream->seed = seed;
  stream->size = size;
  stream->close_after = close_after;
  stream->thread = sys_thread_start(run, stream);
  return stream;
}

peer_stream *peer_sender_start(peer *to, uint64_t seed, size_t size, bool close_after) {
  return peer__stream_start(to, seed, size, close_after, peer__send_stream);
}

peer_stream *peer_receiver_start(peer *from, uint64_t seed, size_t size, bool close_after) {
  return peer__stream_start(from, seed, size, close_after, peer__receive_stream);
}

void peer_stream_join(peer_stream *stream) {
  sys_thread_join(stream->thread);
  stream->thread = NULL;
}
