/* ours.c - the library through its C ABI, the loop its header recommends: read until would-block or until a read
 * gives fewer bytes than the buffer holds, then wait. */
#include <stdio.h>
#include <stdlib.h>

#include "nps.h"
#include "transport.h"

enum { BATCH = 128 };

struct bench_io {
  nps_pipe *pipe;
  bench_side *side;
};

struct bench_side {
  nps_poll *poll;
  nps_event events[BATCH];
  uint8_t buffer[BENCH_READ_CAPACITY];
};

/* `result` must be one of the two expected statuses. */
static int32_t ours__expect(nps_result result, int32_t first, int32_t second, const char *what) {
  int32_t status = nps_result_status(result);
  if (status != first && status != second) {
    char text[160];
    snprintf(text, sizeof text, "%s: %s %u", what, nps_status_name(status), (unsigned)nps_result_detail(result));
    bench_require(false, text);
  }
  return status;
}

bench_side *transport_side_open(uint32_t ends, uint32_t size) {
  bench_side *side = bench_alloc(sizeof *side);
  (void)ends;
  (void)size;
  ours__expect(nps_poll_create(NULL, &side->poll), NPS_OK, NPS_OK, "nps_poll_create");
  return side;
}

void transport_side_close(bench_side *side) {
  ours__expect(nps_poll_close(side->poll), NPS_OK, NPS_OK, "nps_poll_close");
  nps_poll_release(side->poll);
  free(side);
}

static void ours__register(bench_side *side, bench_end *end, nps_pipe *pipe) {
  if (end->io == NULL)
    end->io = bench_alloc(sizeof *end->io);
  end->io->pipe = pipe;
  end->io->side = side;
  ours__expect(
      nps_pipe_register(pipe, side->poll, (uint64_t)(uintptr_t)end, NPS_INTEREST_READABLE | NPS_INTEREST_WRITABLE),
      NPS_OK, NPS_OK, "nps_pipe_register");
}

void transport_listen(bench_side *side, bench_end *end, const char *name) {
  nps_server_options options;
  nps_pipe *pipe;
  nps_server_options_init(&options, sizeof options);
  options.name = name;
  ours__expect(nps_pipe_create(&options, &pipe), NPS_OK, NPS_OK, "nps_pipe_create");
  ours__register(side, end, pipe);
  ours__expect(nps_pipe_connect(pipe), NPS_WOULD_BLOCK, NPS_OK, "nps_pipe_connect");
}

void transport_listen_again(bench_end *end) {
  ours__expect(nps_pipe_disconnect(end->io->pipe, 1), NPS_WOULD_BLOCK, NPS_OK, "nps_pipe_disconnect");
}

void transport_open(bench_side *side, bench_end *end, const char *name) {
  nps_client_options options;
  nps_pipe *pipe;
  nps_client_options_init(&options, sizeof options);
  options.name = name;
  ours__expect(nps_pipe_open(&options, &pipe), NPS_OK, NPS_OK, "nps_pipe_open");
  ours__register(side, end, pipe);
}

void transport_close(bench_end *end) {
  ours__expect(nps_pipe_close(end->io->pipe, NPS_FOREVER), NPS_OK, NPS_WOULD_BLOCK, "nps_pipe_close");
  nps_pipe_release(end->io->pipe);
  free(end->io);
  end->io = NULL;
}

uint32_t transport_write(bench_end *end, const uint8_t *data, uint32_t size) {
  size_t count = 0;
  ours__expect(nps_pipe_write(end->io->pipe, data, size, &count), NPS_OK, NPS_WOULD_BLOCK, "nps_pipe_write");
  return (uint32_t)count;
}

static void ours__read(bench_side *side, bench_end *end) {
  for (;;) {
    size_t count = 0;
    nps_result result = nps_pipe_read(end->io->pipe, side->buffer, sizeof side->buffer, &count);
    if (result != NPS_OK) {
      if (nps_result_status(result) == NPS_WOULD_BLOCK)
        return;
      ours__expect(result, NPS_END_OF_STREAM, NPS_END_OF_STREAM, "nps_pipe_read");
      driver_closed(end);
      return;
    }
    driver_readable(end, side->buffer, (uint32_t)count);
    if (count < sizeof side->buffer)
      return;
  }
}

void transport_wait(bench_side *side, int timeout_ms) {
  uint32_t count = 0;
  ours__expect(nps_poll_wait(side->poll, side->events, BATCH, timeout_ms, &count), NPS_OK, NPS_OK, "nps_poll_wait");
  for (uint32_t i = 0; i < count; i++) {
    const nps_event *event = &side->events[i];
    bench_end *end = (bench_end *)(uintptr_t)event->token;
    bench_require((event->readiness & NPS_ERROR) == 0, "an error event");
    if (event->readiness & NPS_WRITABLE) {
      if (end->connected || !end->server) {
        driver_writable(end);
      } else {
        driver_connected(end);
      }
    }
    if (event->readiness & (NPS_READABLE | NPS_CLOSED))
      ours__read(side, end);
  }
}
