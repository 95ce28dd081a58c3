/* sim.h - how a test drives the simulated kernel. Backend contract: ../os.h; rules of the house: README.md.
 *
 * Everything is decided by one seed, and nothing moves but inside calls: the kernel makes a step in each wait and in sim_step. One
 * thread. What the library may not do (free memory that the kernel holds, start two reads, sleep under a lock ...) ends in the
 * `fail` function of the settings, which does not return. */
#ifndef NPS_SIM_H
#define NPS_SIM_H

#include "os.h"

typedef enum sim_fault {
  SIM_FAULT_ALLOC,       /* os_alloc: null */
  SIM_FAULT_PORT_CREATE, /* NPS_E_TOO_MANY_HANDLES */
  SIM_FAULT_PORT_WAIT,   /* NPS_E_OUT_OF_MEMORY */
  SIM_FAULT_PORT_WAKE,   /* NPS_E_OUT_OF_MEMORY, and nobody wakes */
  SIM_FAULT_PIPE_CREATE, /* NPS_E_TOO_MANY_HANDLES */
  SIM_FAULT_PIPE_OPEN,   /* NPS_E_TOO_MANY_HANDLES */
  SIM_FAULT_BIND,        /* NPS_E_OUT_OF_MEMORY */
  SIM_FAULT_CONNECT,     /* NPS_E_TOO_MANY_HANDLES, at once or later */
  SIM_FAULT_READ,        /* NPS_E_IO; also of a take and a probe */
  SIM_FAULT_WRITE,       /* NPS_E_IO, at once or later; also of a give and a probe */
  SIM_FAULT_CANCELLED,   /* a read or a write that nobody cancelled ends with NPS_E_CLOSED: a lent handle */
  SIM_FAULT_DISCONNECT,  /* NPS_E_IO */
  SIM_FAULT_SHUTDOWN,    /* NPS_E_IO; direct */
  SIM_FAULT_PROBE,       /* NPS_E_OUT_OF_MEMORY, at once; direct */
  SIM_FAULT_COUNT
} sim_fault;

typedef struct sim_settings {
  uint64_t seed;
  uint32_t now_percent;       /* a start that can complete at once does; else its completion is owed */
  uint32_t fire_percent;      /* in a step: a pending operation that can complete does */
  uint32_t deliver_percent;   /* in a wait: a completion that is there is handed out */
  uint32_t lose_percent;      /* a cancel comes too late, if the operation can complete */
  uint32_t take_back_percent; /* a cancel answers true */
  uint32_t whole_percent;     /* bytes move as many as can, else a part of them */
  uint32_t spurious_percent;  /* in a step: a probe completes for nothing; a wait returns with nothing */
  uint32_t quarantine;        /* blocks that were freed and are kept, poisoned, for a while; 0 under a sanitizer */
  uint32_t quota;             /* bytes that are kept for a direction whose options leave it open; 0: 4096 */
  uint32_t backlog;           /* direct: clients that may wait; 0: 4 */
  uint32_t name_limit;        /* bytes of a name, with its prefix, at most 256; 0: 63 */
  bool prompt;                /* as real systems are: a connect whose client is there, and a write for which there is room, are done
                                 at once and whole; a read gets all that is there; no probe completes for nothing; a client
                                 whose connect was ended before it came out goes to the next at once */
  bool threads;               /* the hook lets other threads run, one at a time, also in the middle of others' calls */
  uint32_t fault_per_10000[SIM_FAULT_COUNT];
  void (*fail)(const char *message);
} sim_settings;

/* All certain and at once: nothing but what a script asks for happens. */
sim_settings sim_settings_plain(void);

/* An empty kernel. pre: sim_finish was called for the one before. */
void sim_begin(const sim_settings *settings);
sim_settings *sim_current(void); /* may be changed at any time */

/* Everything must be gone: fails if there is memory, a port, an operation or a file that the library should have given up. */
void sim_finish(void);

_Noreturn void sim_fail(const char *format, ...);

/* ---- chance and time ---- */

uint32_t sim_random(uint32_t below);
bool sim_chance(uint32_t percent);

/* From now on chance is what these bytes say (one, two or four of them for each decision), for as long as they last; then the seed's
 * again. They must stay where they are meanwhile. */
void sim_feed(const uint8_t *bytes, size_t size);
size_t sim_feed_left(void);

void sim_pass_time(uint64_t ms);

/* One step of the kernel: operations that can complete may do so. `all`: they do. */
void sim_step(bool all);

/* The `n`th call from now on (1 = the next) that this fault can strike fails, once. */
void sim_fault_at(sim_fault fault, uint32_t n);
uint32_t sim_fault_hits(sim_fault fault);

/* ---- moments at which another thread would run ---- */

typedef enum sim_moment {
  SIM_UNLOCKED, /* a lock was left, and none is held */
  SIM_ASLEEP,   /* a wait finds nothing to do */
  SIM_NAP,      /* os_sleep_ms */
  SIM_SIGNAL    /* `threads`: os_signal_wait, with its lock left */
} sim_moment;

/* Called at each such moment, never from within itself (but with `threads`); may call the library. */
void sim_set_hook(void (*hook)(sim_moment moment, void *context), void *context);

/* ---- files: kernel objects behind pipes; also the foreign peers that a test plays ---- */

typedef struct sim_file sim_file;

/* Names are short, or begin with what the system puts before them. */
const char *sim_name_prefix(void);

sim_file *sim_serve(const char *name, uint32_t direction, uint32_t quota); /* a server instance, listening */
sim_file *sim_serve_messages(const char *name, uint32_t quota);
sim_file *sim_connect(const char *name, uint32_t direction);               /* a client; null: nobody there, or busy */
nps_result sim_try_connect(const char *name, uint32_t direction, sim_file **file); /* ... and which of them */
bool sim_accept(sim_file *server); /* direct: takes a client from the backlog. true: it has one */
uint32_t sim_write(sim_file *file, const void *bytes, uint32_t size); /* what fits now; on a message pipe one message, whole or not at all */
uint32_t sim_read(sim_file *file, void *bytes, uint32_t size);        /* what is there, or of the next message */
/* Of a message pipe. false: there is no room, or no message. */
bool sim_send(sim_file *file, const void *bytes, uint32_t size);
bool sim_receive(sim_file *file, void *bytes, uint32_t size, uint32_t *count, bool *more);
void sim_write_nothing(sim_file *file); /* buffered: a reader completes with 0 bytes */
void sim_disconnect(sim_file *server);
void sim_close(sim_file *file);

intptr_t sim_handle(const sim_file *file);
sim_file *sim_file_of_handle(intptr_t handle); /* null: there is none */
sim_file *sim_file_of(const os_pipe *pipe);

/* ---- what is there ---- */

typedef struct sim_view {
  bool connected;
  uint32_t connection;  /* its number, from 1 */
  bool server;
  bool peer_done;       /* nothing more will come */
  bool peer_broken;     /* nothing more can be sent */
  bool cut;             /* the server has disconnected: what was unread is gone */
  bool torn;            /* never: the end of a message goes only with its beginning */
  uint32_t unread;      /* bytes in the kernel for this end */
  uint32_t room;        /* bytes that a write may add now */
  uint64_t arrived;     /* bytes in all that the kernel has accepted for this end */
  uint64_t dispatched;  /* ... and from it */
  bool message;
  uint32_t messages;    /* in the kernel for this end, with one that is read in part */
  uint32_t arrived_messages; /* in all that the kernel has accepted for this end */
  bool listening;       /* a client may come (buffered), and none has */
  uint32_t backlog;     /* direct: clients that wait */
} sim_view;

sim_view sim_look(const sim_file *file);

/* Counters of a connection's end for the test's model; they live as long as the connection. */
typedef struct sim_notes {
  uint64_t sent; /* bytes that a write call accepted */
  uint64_t seen; /* bytes that a read call gave */
  bool failed;   /* an operation of it failed by a fault */
  bool keep;     /* for the test */
} sim_notes;

sim_notes *sim_notes_of(sim_file *file);      /* null: not connected */
sim_notes *sim_notes_of_peer(sim_file *file);

uint32_t sim_blocks(void);           /* of memory that the library holds */
uint64_t sim_bytes(void);            /* ... and their size */
uint32_t sim_handles(void);          /* files and ports */
uint32_t sim_pending(const os_pipe *pipe, os_op_kind kind); /* operations of the current connection that are in flight */
uint32_t sim_in_flight(void);
const os_op *sim_in_flight_op(uint32_t index);
uint64_t sim_background_failures(const sim_file *file); /* connects and writes of it that pended, and then failed */

#endif
