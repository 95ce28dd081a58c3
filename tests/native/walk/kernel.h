/* kernel.h - what the walk asks of the system below the library, and the foreign peers that it plays on it. Two implementations:
 * sim/ (the simulated kernel, in both its variants) and real/ (Linux and Windows themselves). Chance and everything that the model
 * knows comes from here; the calls, the model and its judgement are the same for all.
 *
 * kernel_types.h is the implementation's own header, found through the include path:
 *   walk_end    one end of a pipe, as the kernel has it
 *   walk_view   what is there: connected, connection (its number, from 1), server, message, peer_done (nothing more will come), peer_broken
 *               (nothing more can be sent), cut (the server has disconnected: what was unread is gone), torn (the peer left with a write under
 *               way: the end of its last message may be gone, though its beginning was read), unread (bytes in the kernel
 *               for this end), arrived (bytes in all that were accepted for this end), messages (of which something is in the kernel for this end),
 *               arrived_messages (as arrived; at least), listening
 *   walk_notes  of an end of a connection, kept by the walk: sent, seen (bytes accepted and given by calls), failed, keep */
#ifndef NPS_WALK_KERNEL_H
#define NPS_WALK_KERNEL_H

#include "kernel_types.h"
#include "walk.h"

const char *walk_kernel(void);    /* its name: nps_walk_NAME is the program */
extern const bool walk_knows_ops; /* walk_in_flight tells of each operation that the kernel holds */

/* ---- chance, beginnings and ends ---- */

uint32_t walk_random(uint32_t below);
bool walk_chance(uint32_t percent);
_Noreturn void walk_fail(const char *format, ...);

void walk_begin(uint64_t seed, uint64_t episode, uint32_t quarantine, void (*failed)(const char *message));
void walk_ending(void); /* the library's objects are about to go */
void walk_finish(void); /* fails if anything of them is left */
void walk_change_mood(void);

/* Between these two only what must come comes: no faults, no other threads. */
void walk_calm(void);
void walk_disturb(void);

/* Something is owed and has not come: may it still? Then waits for it. `since`: when the walk began to settle. */
bool walk_is_patient(walk_poll *p, uint64_t since);

void walk_wait_begins(void);
void walk_sync(void); /* a call of the library has returned */

/* ---- the library's ends ---- */

walk_end *walk_end_of(const walk_pipe *p); /* null: closed */
walk_view walk_look(const walk_end *end);
walk_notes *walk_notes_of(walk_end *end); /* null: not connected */
walk_notes *walk_notes_of_peer(walk_end *end);
bool walk_has_all(walk_end *end); /* what must arrive has been seen; nothing more than that will be */
void walk_shut(walk_end *end); /* it has said that it writes no more, and its peer sees the end */
bool walk_is_handle_of(const walk_pipe *p, intptr_t handle);
bool walk_has_client(const walk_pipe *p); /* a connect must end: a client is there for it */
bool walk_can_write(const walk_pipe *p, const walk_view *view);
/* Fails if `unsent` is not what flush_state may say. */
void walk_check_flushed(const walk_pipe *p, nps_result result, uint64_t unsent);
const char *walk_check_settled(const walk_pipe *p); /* null, or what is wrong with the bytes under way when all is quiet */
uint64_t walk_background_failures(walk_end *end);   /* connects and writes of it that pended, and then failed */
bool walk_may_have_failed(walk_end *end);

/* For the invariants. */
bool walk_is_connected(const os_pipe *os);
uint32_t walk_in_flight(void);
const os_op *walk_in_flight_op(uint32_t index);
void walk_check_blocks(uint32_t known); /* of memory that the library holds */

/* ---- calls whose arguments the system decides ---- */

const char *walk_name(uint32_t which); /* WALK_NAMES: one that nobody serves */
const char *walk_long_name(void);
uint32_t walk_instances(uint32_t which);
uint32_t walk_server_direction(uint32_t which);
uint32_t walk_client_direction(uint32_t which);
int64_t walk_wait_time(const walk_poll *p);
int64_t walk_linger_time(void);
void walk_aim_a_fault(const walk_pipe *p); /* chance alone would hardly ever hit the few calls of some kinds. `p` may be null */
bool walk_call_rarely(walk_pipe *p);       /* true: it made a call that chance alone would not */
void walk_before_linger(const walk_pipe *p); /* it is closed next, and loses nothing by that */
void walk_before_close(const walk_poll *p, bool release); /* or it is released, and does not linger */
bool walk_tries_odd_handle(void);
intptr_t walk_odd_handle(void); /* nothing that can be adopted */
void walk_odd_handle_end(intptr_t handle);

/* A pipe was made, has taken over a peer's handle, has given its own away. */
void walk_made(walk_pipe *p);
void walk_adopted(walk_pipe *p, walk_end *peer);
walk_end *walk_exported(walk_pipe *p, intptr_t handle);

/* Which outcomes the kernel cannot give at all, of those that the model allows; and which only by a rare chance. Bits as in
 * coverage.c. */
uint32_t walk_impossible(walk_state state, walk_call call);
uint32_t walk_rare(walk_state state, walk_call call);

/* ---- foreign peers ---- */

walk_end *walk_peer_connect(uint32_t which, uint32_t direction); /* null: nobody is there, or busy */
walk_end *walk_peer_serve(uint32_t which, uint32_t direction, uint32_t quota); /* null: the name is somebody else's */
intptr_t walk_peer_handle(const walk_end *peer);
bool walk_peer_may_go(const walk_end *peer); /* be adopted: nothing of it is under way */
void walk_peer_accept(walk_end *server);
uint32_t walk_peer_write(walk_end *peer, const void *bytes, uint32_t size); /* what is accepted */
uint32_t walk_peer_read(walk_end *peer, void *bytes, uint32_t size);        /* what is there */
/* A message pipe's. false: there is no room, or no message. */
bool walk_peer_send(walk_end *peer, const void *bytes, uint32_t size);
bool walk_peer_receive(walk_end *peer, void *bytes, uint32_t size, uint32_t *count, bool *more);
void walk_peer_write_nothing(walk_end *peer);
void walk_peer_disconnect(walk_end *server);
void walk_peer_close(walk_end *peer);

#endif
