/* kernel.h - what the files of the simulated kernel share. */
#ifndef NPS_SIM_KERNEL_H
#define NPS_SIM_KERNEL_H

#include <stddef.h>
#include <string.h>

#include "sim.h"

#define SIM_NAME_MAX 256u
#define SIM_DEFAULT_NAME_LIMIT 63u
#define SIM_DEFAULT_QUOTA 4096u
#define SIM_DEFAULT_BACKLOG 4u
#define SIM_MESSAGES 64u /* on their way to one end at most */

typedef struct sim_connection sim_connection;

/* A ring of bytes on their way to one end. */
typedef struct sim_stream {
  uint8_t *bytes;
  uint32_t first;
  uint32_t count;
  uint32_t quota;
  uint32_t capacity; /* of the ring: the quota, or the longest message */
  uint64_t total; /* ever written */
  uint32_t total_messages; /* likewise */
  uint32_t lengths[SIM_MESSAGES]; /* message mode: a ring, of what is left of each */
  uint32_t first_message, messages;
} sim_stream;

/* One end of a connection. */
typedef struct sim_side {
  sim_connection *connection;
  sim_stream in;
  uint32_t direction;
  bool open;
  bool cut;       /* the server disconnected (buffered) */
  bool nothing;   /* a write of no byte waits for its reader (buffered) */
  sim_notes notes;
  struct sim_side *next_waiting; /* in a backlog */
} sim_side;

typedef struct sim_name {
  struct sim_name *next;
  char text[SIM_NAME_MAX + 1];
  uint32_t instances;
  uint32_t retired; /* of them (direct) */
  bool given_up;    /* there are instances, and all are retired: the text may be a name again (likewise) */
  uint32_t max_instances;
  uint32_t direction;
  uint32_t mode;
  uint32_t quota_in, quota_out; /* of the first instance: direct, where a client comes before its instance */
  sim_side *backlog; /* direct: clients (their server sides) that nobody has accepted, oldest first */
} sim_name;

struct sim_connection {
  sim_side sides[2]; /* server, client */
  sim_name *name;
  uint32_t number;
  bool message;
};

struct sim_file {
  sim_file *next;
  sim_name *name;    /* null for a client */
  sim_side *side;    /* null: not connected */
  os_pipe *pipe;     /* null: a peer that the test plays, or an exported handle */
  os_port *port;     /* bound for ever */
  intptr_t handle;
  uint32_t direction;
  uint32_t quota_in, quota_out;
  bool listening;    /* buffered server without a client: one may come */
  bool retired;      /* will not listen again */
  bool ended;        /* a read of this connection has answered end of stream: rule 6 */
  uint64_t background_failures;
};

struct os_pipe {
  sim_file *file;
};

struct os_port {
  uint32_t wakes;
  bool waiting;
};

/* An operation that the kernel holds. */
typedef struct sim_request {
  os_op *op;
  os_op copy;       /* as it was at the start: nothing of it may change */
  os_port *port;
  sim_file *file;   /* null: its connection is over, and it only waits to be handed out */
  sim_side *client; /* direct CONNECT */
  uint8_t *data;    /* READ: what it got. The op's memory gets it when the completion is dequeued, not before */
  uint64_t checksum; /* WRITE: of the memory */
  uint32_t moved;
  bool cancelled;
  bool completed;
  bool fault;       /* will end with NPS_E_IO or the like */
  bool stray;       /* will end with NPS_E_CLOSED though nobody asked */
  uint64_t age;     /* sequence number: connects are served oldest first */
  nps_result result;
  uint32_t bytes;
  uint32_t flags;
} sim_request;

typedef struct sim_kernel {
  sim_settings settings;
  uint64_t random;
  const uint8_t *feed; /* decides in the place of `random` */
  size_t feed_left;
  uint64_t now;
  uint64_t sequence;
  sim_name *names; /* all that ever were */
  sim_file *files;
  intptr_t handles;
  uint32_t connections; /* ever made */
  uint32_t connections_open;
  sim_request **requests;
  uint32_t request_count, request_capacity;
  uint32_t ports, loose_clients;
  uint32_t locks, locks_held, signals;
  const os_pipe *closing; /* a cancel said that its close comes next, under the same hold of its lock */
  uint32_t fault_at[SIM_FAULT_COUNT];
  uint32_t fault_hits[SIM_FAULT_COUNT];
  void (*hook)(sim_moment moment, void *context);
  void *hook_context;
  bool in_hook;
} sim_kernel;

extern sim_kernel sim;

static inline nps_result sim_result(nps_status status) { return (nps_result)((uint64_t)(uint32_t)status << 32); }
static inline bool sim_is(nps_result result, nps_status status) { return nps_result_status(result) == (int32_t)status; }

/* Whether something can be received now, an empty message too. */
static inline bool sim_side_has(const sim_side *side) {
  return side->connection->message ? side->in.messages != 0 : side->in.count != 0;
}

/* kernel.c */
bool sim_strikes(sim_fault fault);
void sim_moment_passes(sim_moment moment);
void *sim_host_alloc(size_t size); /* the simulator's own memory: never fails */
void sim_host_free(void *memory);
void sim_check_unlocked(const char *where);

/* Whether each byte is `value`. */
static inline bool sim_is_all(const uint8_t *bytes, size_t size, uint8_t value) {
  return size == 0 || (bytes[0] == value && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* memory.c */
void sim_memory_begin(void);
void sim_memory_finish(void);
bool sim_memory_is_block(const void *memory);         /* os_alloc gave it, os_free has not had it */
void sim_memory_hold(const void *memory, int change); /* the kernel takes (1) or lets go of (-1) the block */

/* stream.c */
sim_connection *sim_connection_new(sim_name *name, const sim_file *server, uint32_t client_direction);
void sim_side_close(sim_side *side);
sim_side *sim_side_peer(const sim_side *side);
bool sim_side_done(const sim_side *side);   /* the peer sends no more */
bool sim_side_broken(const sim_side *side); /* the peer takes no more */
uint32_t sim_side_room(const sim_side *side);
uint32_t sim_side_send(sim_side *side, const uint8_t *bytes, uint32_t size);
uint32_t sim_side_receive(sim_side *side, uint8_t *bytes, uint32_t size);
bool sim_side_takes_message(const sim_side *side, uint32_t size);
bool sim_side_send_message(sim_side *side, const uint8_t *bytes, uint32_t size); /* whole, or not at all */
/* Of the next message. *more: it goes on. pre: there is one */
uint32_t sim_side_receive_message(sim_side *side, uint8_t *bytes, uint32_t size, bool *more);
uint32_t sim_part(uint32_t most); /* all of it, or by chance less, at least 1 */

/* file.c */
sim_name *sim_name_find(const char *text);
nps_result sim_file_new_server(const nps_server_options *options, sim_file **file);
nps_result sim_file_new_client(const char *name, uint32_t mode, uint32_t direction, sim_file **file);
void sim_file_close(sim_file *file);
void sim_file_retire(sim_file *file);
void sim_file_end_connection(sim_file *file, bool cut);
void sim_file_install(sim_file *file, sim_side *side);
void sim_backlog_return(sim_side *side);
sim_side *sim_backlog_take(sim_name *name);

/* request.c */
sim_request *sim_request_new(os_op *op, sim_file *file);
void sim_request_drop(sim_request *request); /* out of the list, and freed */
void sim_request_hand_out(sim_request *request, os_completion *completion);
sim_request *sim_request_of(const os_op *op);
bool sim_request_try(sim_request *request); /* completes it if it can */
void sim_requests_detach(sim_file *file);   /* the connection is over: all of the file's end, each once */

#endif
