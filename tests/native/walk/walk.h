/* walk.h - the random walk: random calls of the whole API on many pipes and polls, each answer held against a simple model, the
 * library's invariants looked at after each step. Which system is below is kernel.h's business: the simulated kernel, where
 * everything follows from one seed, or a real one, where the calls do and the times of completions do not. */
#ifndef NPS_WALK_H
#define NPS_WALK_H

#include "kernel_types.h"

/* core's own headers: the walk looks inside */
#include "pipe.h"
#include "poll.h"

#define WALK_PIPES 14
#define WALK_POLLS 3
#define WALK_PEERS 8
#define WALK_NAMES 5
#define WALK_MESSAGE_NAME 4u /* a message pipe */
#define WALK_EVENTS 16
#define WALK_TICKETS 256
#define WALK_BYTES 24576u

typedef struct walk_poll {
  nps_poll *poll; /* null: the place is free */
  uint32_t serial;
  bool closed;
  bool waiting;   /* a wait or a close of it is under way, and this is another thread */
  bool wake_owed; /* a wake succeeded, and no event told of it */
  uint64_t wake_token;
} walk_poll;

/* What a program knows of one of its pipes, and what it may expect. */
typedef struct walk_pipe {
  nps_pipe *pipe; /* null: the place is free */
  uint32_t id;
  uint32_t name; /* which of walk_name; WALK_NAMES: adopted */
  uint32_t direction;
  bool server;
  bool message;
  uint32_t poll_serial; /* bound to; 0: to none */
  bool registered;
  uint32_t interest;
  uint64_t token;
  bool touched;             /* another thread used it during the wait under way */
  bool was_connecting;      /* when the wait began */
  bool armed_in, armed_out; /* readiness, when it is there, is owed an event */
  bool on_demand;           /* registered so */
  bool watched;             /* a read or a write has answered would-block, in this connection. Unless os_direct_io: the last read has */
  bool let_be;              /* on demand since the connection began, and no would-block since */
  bool shut;                /* says that it writes no more, in this connection */
  bool retired;             /* it will not listen again */
  bool closed_told;         /* NPS_CLOSED was reported in this registration and connection */
  uint64_t failures_told;   /* of walk_background_failures */
} walk_pipe;

/* What the wait under way may report: all that was registered when it began, or since. */
typedef struct walk_ticket {
  uint64_t token;
  uint32_t id;
  uint32_t interest;
} walk_ticket;

typedef struct walk_world {
  walk_poll polls[WALK_POLLS];
  walk_pipe pipes[WALK_PIPES];
  walk_end *peers[WALK_PEERS];
  uint32_t serial;
  bool nested;      /* inside the hook of another call (simulated kernel) */
  bool faults;      /* may strike now (likewise) */
  bool others;      /* the hook may make calls (likewise) */
  walk_poll *waits; /* whose wait is under way */
  walk_ticket tickets[WALK_TICKETS];
  uint32_t ticket_count;
  uint64_t steps;
  uint8_t bytes[WALK_BYTES];
} walk_world;

extern walk_world world;

/* ---- coverage.c ---- */

typedef enum walk_state {
  STATE_NEW_SERVER,
  STATE_NEW_CONNECTED,
  STATE_IDLE,
  STATE_IDLE_DEREGISTERED,
  STATE_CONNECTING,
  STATE_CONNECTING_DEREGISTERED,
  STATE_CONNECTED,
  STATE_CONNECTED_DEREGISTERED,
  STATE_GONE,
  STATE_GONE_DEREGISTERED,
  STATE_LET_BE, /* connected, on demand, and nothing is watched yet */
  STATE_LET_BE_GONE,
  STATE_LINGERING,
  STATE_CLOSED,
  STATE_POLL_OPEN,
  STATE_POLL_WAITING,
  STATE_POLL_CLOSED,
  STATE_NONE,
  STATE_COUNT
} walk_state;

/* One outcome in a set of them. */
#define WALK_OUTCOME(status) (1u << ((uint32_t)((int32_t)(status) - (int32_t)NPS_E_IO)))

typedef enum walk_call {
  CALL_REGISTER,
  CALL_REGISTER_OTHER, /* with another poll than the one it is bound to, or with one that is closed */
  CALL_REREGISTER,
  CALL_DEREGISTER,
  CALL_CONNECT,
  CALL_DISCONNECT,
  CALL_RELISTEN,
  CALL_READ,
  CALL_READ_VECTOR,
  CALL_READ_NOTHING,
  CALL_WRITE,
  CALL_WRITE_VECTOR,
  CALL_WRITE_NOTHING,
  CALL_MESSAGE_READ, /* of a message pipe: in the order of those above */
  CALL_MESSAGE_READ_VECTOR,
  CALL_MESSAGE_READ_NOTHING,
  CALL_MESSAGE_WRITE,
  CALL_MESSAGE_WRITE_VECTOR,
  CALL_MESSAGE_WRITE_NOTHING,
  CALL_PEEK,
  CALL_MESSAGE_PEEK,
  CALL_SHUTDOWN,
  CALL_MESSAGE_SHUTDOWN,
  CALL_DRAIN_STATE,
  CALL_MESSAGE_DRAIN_STATE,
  CALL_INFO,
  CALL_RETIRE,
  CALL_CLOSE,
  CALL_CLOSE_LINGER,
  CALL_ABORT,
  CALL_RELEASE,
  CALL_FLUSH_STATE,
  CALL_TAKE_ERROR,
  CALL_OS_HANDLE,
  CALL_EXPORT,
  CALL_POLL_WAIT,
  CALL_POLL_WAKE,
  CALL_POLL_CLOSE,
  CALL_POLL_CREATE,
  CALL_CREATE,
  CALL_OPEN,
  CALL_ADOPT,
  CALL_COUNT
} walk_call;

walk_state walk_state_of(const walk_pipe *p);
walk_state walk_state_of_poll(const walk_poll *p);

/* Counts the outcome, and fails if the model does not allow it. */
void walk_outcome(walk_state state, walk_call call, nps_result result, const walk_pipe *p);

/* The table; the number of reachable combinations that were met less than `least` times. */
uint32_t walk_print_coverage(uint32_t least);

/* ---- calls.c ---- one random call of each kind */

void walk_make(void);          /* create, open, adopt, polls */
void walk_use_pipe(walk_pipe *p);
void walk_release(walk_pipe *p);
void walk_use_poll(walk_poll *p);
void walk_close_poll(walk_poll *p, bool release);
walk_poll *walk_poll_of(const walk_pipe *p); /* null: bound to none */
void walk_disconnect(walk_pipe *p, bool listen);
void walk_deregister(walk_pipe *p);
void walk_close(walk_pipe *p, bool linger);

/* ---- messages.c ---- */

typedef struct walk_messages walk_messages;

void walk_message_sent(const walk_view *view, uint32_t size); /* by this end */
void walk_message_read(const walk_view *view, uint32_t count, bool more); /* a part, or the last one; fails if it is not of the next message */
uint32_t walk_messages_sent(const walk_view *view); /* to this end */
uint32_t walk_messages_seen(const walk_view *view);
bool walk_message_begun(const walk_view *view); /* the next one was read in part */
uint32_t walk_messages_unseen_by_peer(const walk_view *view, bool with_begun); /* with one of which it has had a part, or without */
bool walk_bytes_unseen_by_peer(const walk_view *view); /* of messages of which it has not had a byte */
bool walk_message_next(const walk_view *view, uint32_t *left); /* bytes of it that were not read; false: none was sent */
void walk_check_message_end(const walk_view *view); /* end of stream was told */
void walk_messages_forget(void);

/* ---- ask.c ---- calls that move nothing, and end no connection */

void walk_peek(walk_pipe *p);
void walk_shutdown(walk_pipe *p);
void walk_drain_state(walk_pipe *p);
void walk_info(walk_pipe *p);
void walk_retire(walk_pipe *p);

/* ---- bytes.c ---- */

void walk_check_bytes(const walk_view *view, uint64_t place, uint32_t size); /* what is in world.bytes came from there */
bool walk_lets_be(const walk_pipe *p); /* on demand, and nothing has answered would-block */
bool walk_owes_read(const walk_pipe *p); /* bytes that come are an event */
void walk_would_block(walk_pipe *p);

uint8_t walk_byte(uint32_t connection, bool from_server, uint64_t place);
void walk_read(walk_pipe *p, bool nothing);
void walk_write(walk_pipe *p, bool nothing);
void walk_play_peer(void);
uint32_t walk_play_read(walk_end *peer); /* the bytes that it got */

/* ---- wait.c ---- */

uint32_t walk_wait(walk_poll *p, uint32_t capacity, int64_t timeout_ms);
void walk_ticket_add(const walk_pipe *p); /* it may be reported from now on */
/* Between these other threads' calls may come in the middle of a call (simulated kernel). */
void walk_others_may_run(void);
void walk_others_stop(void);
/* Lets everything come to rest, waits until there are no more events, and looks whether one is owed. */
void walk_settle(walk_poll *p);

/* ---- invariants.c ---- */

void walk_check_invariants(void);

/* ---- step.c ---- */

void walk_step(void);
void walk_end_all(void); /* nothing is left */

#endif
