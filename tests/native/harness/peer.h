/* peer.h - the other end of a pipe, made of plain blocking system calls and nothing of the library, as a program
 * that has never heard of it would be: a Unix socket on Linux, CreateFile and CreateNamedPipe on Windows. Every call
 * ends at the deadline. One thread at a time sends and one receives. One .c per system. */
#ifndef NPS_TEST_PEER_H
#define NPS_TEST_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys.h"

typedef struct peer peer; /* a connected end */
typedef struct peer_server peer_server; /* a name that is served */

typedef enum peer_open_status { PEER_OPENED, PEER_NOT_FOUND, PEER_BUSY, PEER_DENIED, PEER_FAILED } peer_open_status;

/* One try. */
peer_open_status peer_try_open(const char *name, peer **opened);
/* Tries again while the name is busy; any other failure fails the case. */
peer *peer_open(const char *name);

/* Takes the name; it must be free. `instances`: Windows, how many clients at once; Linux, the backlog. */
peer_server *peer_listen(const char *name, uint32_t instances);
peer *peer_accept(peer_server *server);
void peer_server_close(peer_server *server);

/* false: the other end is gone. */
bool peer_send(peer *to, const void *memory, size_t size);
/* Bytes received; 0: the end, or the connection was cut; -1: nothing came before the deadline. */
ptrdiff_t peer_receive(peer *from, void *memory, size_t size);
/* Exactly `size` bytes, or the case fails. */
void peer_receive_exactly(peer *from, void *memory, size_t size);
/* true when nothing is there to be received now. */
bool peer_nothing_there(peer *from);
void peer_close(peer *one);

/* Leaves the name as a server does that crashed: on Linux a socket's file, on Windows nothing. */
void peer_leave_dead_name(const char *name);

/* Gives up the peer, not its handle. */
intptr_t peer_take_handle(peer *one);
peer *peer_of_handle(intptr_t os_handle);

/* A pair of connected ends with nobody's library in between, for adopt. */
void peer_pair(peer **one, peer **other);
void peer_close_handle(intptr_t os_handle);

/* Where the name lives in the system: \\.\pipe\NAME, or the socket's path. The text belongs to the case. */
const char *peer_full_name(const char *name);

/* ---- threads that send or receive a whole stream; `finished` is theirs until joined ---- */

typedef struct peer_stream {
  peer *end;
  uint64_t seed;
  size_t size; /* sender: all of it; receiver: SIZE_MAX for "until the end" */
  size_t chunk; /* bytes of one call; 0: 64 KiB */
  bool close_after;
  size_t moved;
  bool broken; /* the other end was gone before `size` */
  sys_atomic ended; /* may be looked at before the join */
  sys_thread *thread;
} peer_stream;

/* The stream's memory belongs to the case. */
peer_stream *peer_sender_start(peer *to, uint64_t seed, size_t size, bool close_after);
peer_stream *peer_receiver_start(peer *from, uint64_t seed, size_t size, bool close_after);
void peer_stream_join(peer_stream *stream);

#endif
