/* actors.h - the threads of a case on the simulated kernel. Each is a thread of the system, but only one runs at a time, and which
 * is decided by the kernel's seed: at the kernel's moments (no lock is held then, so nobody waits for a lock), and wherever a thread
 * waits for something. So a case with threads is repeated exactly by its seed. */
#ifndef NPS_TEST_ACTORS_H
#define NPS_TEST_ACTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim.h"

typedef struct actor actor;

/* The calling thread is the only one. `switch_percent`: how often another one goes on where the running one need not stop. */
void actors_begin(uint32_t switch_percent);
void actors_end(void); /* pre: all others were joined */

/* The one that runs was started by the case: what it moves may come in pieces. */
bool actors_is_helper(void);

actor *actor_start(void (*run)(void *), void *context);
bool actor_join(actor *one, uint64_t deadline); /* false: it has not ended in time */

/* Lets others run and the kernel work until the condition, which changes nothing, is true; false: the deadline is over. */
bool actors_wait(bool (*ready)(void *context), void *context, uint64_t deadline);
/* The kernel makes a step. Another one may go on, as at a moment; does, if there is one. */
void actors_pass(void);
void actors_yield(void);
/* For sim_set_hook. */
void actors_moment(sim_moment moment, void *context);

#endif
