/* driver.c - the scenarios. What two threads touch is either constant during a play or one thread's alone: neither
 * the ends of one side nor its bench_loop are ever looked at by the other side's thread. */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 8, FULL_CHECK_EVERY = 256, NAME_CAPACITY = 64 };

/* One side: its ends and what they have seen. */
typedef struct bench_loop {
  bench_side *side;
  bench_end *ends;
  uint64_t messages; /* complete ones that came in */
  uint32_t blocked; /* ends that wait for driver_writable */
  uint32_t closed; /* ends whose peer has closed */
} bench_loop;

typedef struct bench_run {
  bench_case which;
  char name[NAME_CAPACITY];
  uint8_t *pattern;
  uint64_t stream_target; /* the client's: messages that it may have sent by now */
  bench_loop server;
  bench_loop client;
} bench_run;

static bench_loop *driver__loop(bench_end *end) {
  return end->server ? &end->run->server : &end->run->client;
}

/* ---------------------------------------------------------------- messages */

/* Compares what of [position, position + size) lies inside the word at `at`. */
static bool driver__word_matches(const uint8_t *data, uint32_t position, uint32_t size, uint32_t at, uint64_t word) {
  uint8_t bytes[WORD];
  uint32_t from = position > at ? position : at;
  uint32_t to = position + size < at + WORD ? position + size : at + WORD;
  if (from >= to)
    return true;
  memcpy(bytes, &word, WORD);
  return memcmp(data + (from - position), bytes + (from - at), to - from) == 0;
}

/* Checks a part of message `sequence`: its number at both its ends always, all of it now and then. */
static void driver__check(
    const bench_run *run, const uint8_t *data, uint32_t position, uint32_t size, uint64_t sequence) {
  uint32_t whole = run->which.size;
  bool good;
  if (whole < 2 * WORD) {
    good = data[0] == (uint8_t)sequence;
  } else {
    good = driver__word_matches(data, position, size, 0, sequence) &&
           driver__word_matches(data, position, size, whole - WORD, ~sequence);
    if (good && sequence % FULL_CHECK_EVERY == 0) {
      uint32_t from = position > WORD ? position : WORD;
      uint32_t to = position + size < whole - WORD ? position + size : whole - WORD;
      if (from < to)
        good = memcmp(data + (from - position), run->pattern + from, to - from) == 0;
    }
  }
  bench_require(good, "verify: the bytes that came are not those that were sent");
}

static uint8_t *driver__message(const bench_end *end) {
  return end->messages[end->out_sequence % 2];
}

static void driver__stamp(bench_end *end) {
  uint32_t whole = end->run->which.size;
  uint8_t *message = driver__message(end);
  uint64_t sequence = end->out_sequence;
  uint64_t inverse = ~sequence;
  if (whole < 2 * WORD) {
    message[0] = (uint8_t)sequence;
    return;
  }
  memcpy(message, &sequence, WORD);
  memcpy(message + whole - WORD, &inverse, WORD);
}

/* Sends the rest of the current message. False: it did not fit, driver_writable goes on. */
static bool driver__push(bench_end *end) {
  uint32_t whole = end->run->which.size;
  const uint8_t *message = driver__message(end);
  while (end->out_position < whole) {
    uint32_t taken = transport_write(end, message + end->out_position, whole - end->out_position);
    end->out_position += taken;
    end->sent += taken;
    if (taken == 0) {
      end->blocked = true;
      driver__loop(end)->blocked++;
      return false;
    }
  }
  end->out_sequence++;
  return true;
}

static bool driver__send(bench_end *end) {
  end->out_position = 0;
  driver__stamp(end);
  return driver__push(end);
}

static void driver__stream(bench_end *end) {
  while (end->out_sequence < end->run->stream_target && driver__send(end)) {}
}

/* What a server does with a whole message: echo it, or acknowledge the last of a stream's two parts. */
static void driver__answer(bench_end *end) {
  const bench_case *which = &end->run->which;
  switch (which->scenario) {
  case BENCH_PINGPONG:
  case BENCH_FANIN:
    (void)driver__send(end);
    break;
  case BENCH_STREAM:
    if (end->in_sequence == which->warmup || end->in_sequence == which->warmup + which->ops)
      (void)driver__send(end);
    break;
  case BENCH_CONNECT:
    break;
  }
}

/* ---------------------------------------------------------------- what the transport tells */

void driver_connected(bench_end *end) {
  end->connected = true;
}

void driver_closed(bench_end *end) {
  end->connected = false;
  driver__loop(end)->closed++;
}

void driver_readable(bench_end *end, const uint8_t *data, uint32_t size) {
  uint32_t whole = end->run->which.size;
  end->received += size;
  while (size > 0) {
    uint32_t part = whole - end->in_position < size ? whole - end->in_position : size;
    driver__check(end->run, data, end->in_position, part, end->in_sequence);
    end->in_position += part;
    data += part;
    size -= part;
    if (end->in_position < whole)
      continue;
    end->in_position = 0;
    end->in_sequence++;
    driver__loop(end)->messages++;
    if (end->server)
      driver__answer(end);
  }
}

void driver_writable(bench_end *end) {
  if (!end->blocked)
    return;
  end->blocked = false;
  driver__loop(end)->blocked--;
  if (driver__push(end) && !end->server && end->run->which.scenario == BENCH_STREAM)
    driver__stream(end);
}

/* ---------------------------------------------------------------- opening and closing */

static void driver__end_init(bench_run *run, bench_end *end, bool server) {
  end->run = run;
  end->server = server;
  if (run->which.size == 0)
    return; /* idle: nothing will be sent, and what the driver holds shall not be measured */
  for (int i = 0; i < 2; i++) {
    end->messages[i] = bench_alloc(run->which.size);
    memcpy(end->messages[i], run->pattern, run->which.size);
  }
}

static bench_run *driver__open(const bench_case *which, bool connected) {
  static uint32_t s_count;
  bench_run *run = bench_alloc(sizeof *run);
  uint64_t pipes = which->pipes;
  run->which = *which;
  run->which.warmup = (which->warmup + pipes - 1) / pipes * pipes;
  run->which.ops = (which->ops + pipes - 1) / pipes * pipes;
  snprintf(run->name, sizeof run->name, "nps-bench-%u-%u", (unsigned)bench_process_id(), (unsigned)s_count++);
  run->pattern = bench_alloc(which->size + 1u);
  for (uint32_t i = 0; i < which->size; i++)
    run->pattern[i] = (uint8_t)(i * 31u + 7u);
  run->server.ends = bench_alloc(pipes * sizeof *run->server.ends);
  run->client.ends = bench_alloc(pipes * sizeof *run->client.ends);
  run->server.side = transport_side_open(which->pipes, which->size);
  run->client.side = transport_side_open(which->pipes, which->size);
  for (uint32_t i = 0; i < pipes; i++) {
    bench_end *server = &run->server.ends[i];
    driver__end_init(run, server, true);
    driver__end_init(run, &run->client.ends[i], false);
    transport_listen(run->server.side, server, run->name);
    if (!connected)
      continue;
    transport_open(run->client.side, &run->client.ends[i], run->name);
    while (!server->connected)
      transport_wait(run->server.side, BENCH_FOREVER);
  }
  return run;
}

static void driver__close_loop(bench_run *run, bench_loop *loop, bool ends) {
  for (uint32_t i = 0; i < run->which.pipes; i++) {
    if (ends)
      transport_close(&loop->ends[i]);
  }
  transport_side_close(loop->side);
  for (uint32_t i = 0; i < run->which.pipes; i++) {
    free(loop->ends[i].messages[0]);
    free(loop->ends[i].messages[1]);
  }
  free(loop->ends);
}

static void driver__close(bench_run *run, bool connected) {
  driver__close_loop(run, &run->client, connected);
  driver__close_loop(run, &run->server, true);
  free(run->pattern);
  free(run);
}

/* ---------------------------------------------------------------- playing */

static uint64_t driver__on_the_way(const bench_loop *from, const bench_loop *to, uint32_t count) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < count; i++)
    bytes += from->ends[i].sent - to->ends[i].received;
  return bytes;
}

/* One thread for both sides: each waits if something is on its way to it, and looks if one of its ends waits to
 * write. */
static void driver__turn(bench_run *run, bench_loop *from, bench_loop *to) {
  if (driver__on_the_way(from, to, run->which.pipes) > 0) {
    transport_wait(to->side, BENCH_FOREVER);
  } else if (to->blocked > 0) {
    transport_wait(to->side, 0);
  }
}

static void driver__until_answered(bench_run *run, uint64_t messages) {
  while (run->client.messages < messages) {
    if (run->which.two_threads) {
      transport_wait(run->client.side, BENCH_FOREVER);
    } else {
      driver__turn(run, &run->client, &run->server);
      driver__turn(run, &run->server, &run->client);
    }
  }
}

/* pingpong and fanin: every client sends one message, then all answers are awaited. */
static void driver__rounds(bench_run *run, uint64_t ops) {
  for (uint64_t done = 0; done < ops; done += run->which.pipes) {
    for (uint32_t i = 0; i < run->which.pipes; i++)
      (void)driver__send(&run->client.ends[i]);
    driver__until_answered(run, run->client.messages + run->which.pipes);
  }
}

static void driver__stream_part(bench_run *run, uint64_t ops) {
  run->stream_target += ops;
  driver__stream(&run->client.ends[0]);
  driver__until_answered(run, run->client.messages + 1);
}

/* connect, one byte, disconnect: the server sees the client, its byte and its end, then listens again. */
static void driver__connects(bench_run *run, uint64_t ops) {
  bench_end *server = &run->server.ends[0];
  bench_end *client = &run->client.ends[0];
  for (uint64_t i = 0; i < ops; i++) {
    uint64_t messages = run->server.messages;
    uint32_t closed = run->server.closed;
    transport_open(run->client.side, client, run->name);
    while (!server->connected)
      transport_wait(run->server.side, BENCH_FOREVER);
    bench_require(driver__send(client), "connect: the byte did not fit");
    while (run->server.messages == messages)
      transport_wait(run->server.side, BENCH_FOREVER);
    transport_close(client);
    while (run->server.closed == closed)
      transport_wait(run->server.side, BENCH_FOREVER);
    transport_listen_again(server);
  }
}

static void driver__part(bench_run *run, uint64_t ops) {
  switch (run->which.scenario) {
  case BENCH_PINGPONG:
  case BENCH_FANIN:
    driver__rounds(run, ops);
    break;
  case BENCH_STREAM:
    driver__stream_part(run, ops);
    break;
  case BENCH_CONNECT:
    driver__connects(run, ops);
    break;
  }
}

/* The second thread serves until everything was asked and answered: how much that is it knows from the start. */
static void driver__server_thread(void *argument) {
  bench_run *run = argument;
  uint64_t all = run->which.warmup + run->which.ops;
  while (run->server.messages < all || run->server.blocked > 0)
    transport_wait(run->server.side, BENCH_FOREVER);
}

bench_measure bench_play(const bench_case *which) {
  bench_measure measure;
  bool connected = which->scenario != BENCH_CONNECT;
  bench_run *run = driver__open(which, connected);
  bench_thread *thread = which->two_threads ? bench_thread_start(driver__server_thread, run) : NULL;
  driver__part(run, run->which.warmup);
  uint64_t processor = bench_processor_ns();
  uint64_t start = bench_now_ns();
  driver__part(run, run->which.ops);
  measure.elapsed = bench_now_ns() - start;
  measure.processor = bench_processor_ns() - processor;
  if (thread != NULL)
    bench_thread_join(thread);
  driver__close(run, connected);
  return measure;
}

bench_run *bench_hold_pairs(uint32_t pairs) {
  bench_case which = {.scenario = BENCH_PINGPONG, .pipes = pairs, .warmup = 1, .ops = 1};
  return driver__open(&which, true);
}

void bench_let_go(bench_run *held) {
  driver__close(held, true);
}
