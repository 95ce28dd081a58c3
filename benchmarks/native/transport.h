/* transport.h - what a contestant provides, and what the driver provides to it.
 *
 * The driver (driver.c) plays the scenarios; a transport moves the bytes: floor_epoll.c and floor_iocp.c with bare
 * system calls, ours.c through nps.h. All share one driver, so that they differ in nothing else. A side is one loop's
 * epoll, port or poll; an end is one end of a pipe, bound to a side. Everything that cannot fail in a sound run ends
 * the process through bench_require.
 */
#ifndef BENCH_TRANSPORT_H
#define BENCH_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_FOREVER (-1)
#define BENCH_READ_CAPACITY 131072u /* above every message size: a short read says "drained" */

typedef struct bench_side bench_side;
typedef struct bench_io bench_io;

/* One end as the driver sees it. */
typedef struct bench_end {
  bench_io *io; /* the transport's */
  struct bench_run *run;
  uint8_t *messages[2]; /* what this end sends, in turn: templates in which each message is numbered */
  uint64_t out_sequence; /* messages sent, and the number of the one that is being sent */
  uint64_t in_sequence; /* messages received, likewise */
  uint64_t sent; /* bytes */
  uint64_t received;
  uint32_t out_position; /* bytes of the current message that are sent */
  uint32_t in_position;
  bool server;
  bool blocked; /* waits for driver_writable */
  bool connected;
} bench_end;

/* ---- the transport ---- */

/* Room for `ends` ends, each of which will read messages of `size` bytes. */
bench_side *transport_side_open(uint32_t ends, uint32_t size);
void transport_side_close(bench_side *side);

/* A server end that waits for a client of `name`: driver_connected follows. */
void transport_listen(bench_side *side, bench_end *end, const char *name);

/* A connected client end. */
void transport_open(bench_side *side, bench_end *end, const char *name);

/* After driver_closed: the server end waits for the next client. */
void transport_listen_again(bench_end *end);

void transport_close(bench_end *end);

/* Bytes taken, in order; fewer than `size`: driver_writable follows. `data` may be in use until
 * the next call that takes bytes (floor_iocp: one overlapped write in flight); the driver sends from two in turn. */
uint32_t transport_write(bench_end *end, const uint8_t *data, uint32_t size);

/* One wait, and the driver's functions for what it brought. */
void transport_wait(bench_side *side, int timeout_ms);

/* ---- the driver, called from inside transport_wait ---- */

void driver_connected(bench_end *end);
void driver_readable(bench_end *end, const uint8_t *data, uint32_t size);
void driver_writable(bench_end *end);
void driver_closed(bench_end *end);

/* ---- the system (system_linux.c, system_windows.c) ---- */

uint64_t bench_now_ns(void);
uint64_t bench_processor_ns(void); /* of the whole process, user and kernel */
uint32_t bench_process_id(void);
void bench_raise_handle_limit(void);

typedef struct bench_thread bench_thread;
bench_thread *bench_thread_start(void (*body)(void *), void *argument);
void bench_thread_join(bench_thread *thread);

/* Ends the process with `what` and the system's last error unless `condition`. */
void bench_require(bool condition, const char *what);

void *bench_alloc(size_t size); /* zeroed */

#endif
