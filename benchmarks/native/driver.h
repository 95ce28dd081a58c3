/* driver.h - the scenarios, each played by one thread over two sides, or by two threads. */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#include "transport.h"

typedef enum bench_scenario { BENCH_PINGPONG, BENCH_STREAM, BENCH_FANIN, BENCH_CONNECT } bench_scenario;

typedef struct bench_case {
  bench_scenario scenario;
  bool two_threads; /* the server's loop has a thread of its own */
  uint32_t size; /* bytes of a message */
  uint32_t pipes;
  uint64_t warmup; /* operations that are not timed, at least 1; both are rounded up to whole rounds over all pipes */
  uint64_t ops;
} bench_case;

/* What the timed operations took: nanoseconds by the clock, and of processor time of the whole process. */
typedef struct bench_measure {
  uint64_t elapsed;
  uint64_t processor;
} bench_measure;

/* Opens pipes, plays, verifies, closes. */
bench_measure bench_play(const bench_case *which);

/* Opens and registers `pairs` connected pairs; they stay until they are let go. */
struct bench_run *bench_hold_pairs(uint32_t pairs);
void bench_let_go(struct bench_run *held);

#endif
