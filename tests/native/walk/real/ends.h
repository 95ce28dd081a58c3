/* ends.h - what the model knows of the ends on a real system: which end is connected with which, how many bytes went which way,
 * and what may have been lost. ends.c keeps it, the same for both systems; what the system itself says is in system_linux.c or
 * system_windows.c.
 *
 * Who is connected with whom is found when a connection begins, not guessed from the bytes: on Linux every client gets an address
 * of its own, which its server's end can ask for; on Windows the instance that a client has taken is the one that was listening
 * and is connected now. */
#ifndef NPS_WALK_ENDS_H
#define NPS_WALK_ENDS_H

#include "kernel.h"

#define REAL_NO_NAME WALK_NAMES

/* One end of a connection; it outlives the end that had it. */
typedef struct real_side {
  walk_notes notes;
  walk_end *end;      /* null: not there yet, or gone */
  uint32_t direction; /* what this end was made for: on Linux it has shut the other half */
  bool came;          /* it is or was there */
  bool cut;           /* the server disconnected: what was unread here is gone (Windows) */
  uint64_t in_hand;   /* of what was sent, bytes that may not be the system's yet; of a message pipe one more, since a message may be empty */
  uint64_t lost_most; /* it is gone, and so many of the last bytes may have gone with it */
} real_side;

typedef struct real_connection {
  struct real_connection *next; /* the one before */
  uint32_t number;
  real_side sides[2]; /* server, client */
} real_connection;

struct walk_end {
  bool used;
  nps_pipe *pipe; /* null: a foreign peer's */
  const os_pipe *os;
  uint32_t name;
  bool server;
  uint32_t side;
  uint32_t direction;
  real_connection *connection; /* null: not connected */
  uint32_t generation;         /* of the pipe, when this was last looked at */
  bool lingering;
  uint64_t linger_until;
  nps_poll *poll;
  uint64_t failures; /* writes that must have failed in the background */
  intptr_t handle;   /* a foreign peer's; -1: none */
  intptr_t listener; /* Linux, a foreign server's; -1: none */
  void *system;      /* Windows, a foreign peer's operations */
};

/* ---- ends.c ---- */

walk_end *real_foreign(void); /* a free place */
void real_forget(walk_end *end);

/* A client has come; its server's end may be there already (Windows) or come later. */
real_connection *real_connect(walk_end *client);
void real_join(real_connection *connection, uint32_t side, walk_end *end);
real_connection *real_connection_of(uint32_t number);

/* The end leaves its connection. `cut`: the peer's unread bytes go too. `lost_most`: of what it had sent. */
void real_leave(walk_end *end, bool cut, uint64_t lost_most);

real_side *real_side_of(const walk_end *end);
real_side *real_side_of_peer(const walk_end *end);
void real_check_end(const walk_end *end); /* a foreign peer was told the end of the stream */

typedef void (*real_visit)(walk_end *end, void *context);
void real_each_end(real_visit visit, void *context);

/* ---- system_linux.c, system_windows.c; process_linux.c, process_windows.c ---- */

void system_begin(const char *label); /* once for each episode; names are new where `label` is */
void system_finish(void);             /* names are free, handles and memory are back */
void system_look(const walk_end *end, walk_view *view);
void system_made(walk_end *end);    /* a library's pipe: a client's connection begins here */
void system_joined(walk_end *end);  /* an open pipe without a connection: it may have one now */
void system_adopted(walk_end *peer);
void system_exported(walk_end *end);
extern const bool system_cuts;      /* a server that disconnects takes back what was not read */

#endif
