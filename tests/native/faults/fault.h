/* fault.h - which call of the library fails next, and what became of it.
 *
 * A site is one call instruction of the library that goes to the system or to os_alloc (generate.cmake finds them all). A plan
 * names a site, which of its calls in this run, and an error; the gate before the function then answers that error instead of making
 * the call. THREADS: plans are made between runs; calls come from any thread. */
#ifndef NPS_TEST_FAULT_H
#define NPS_TEST_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fault_error {
  const char *name;
  uint32_t code;
  bool quiet; /* the library may absorb it: nobody need hear of it */
  bool lasting; /* also tried as one that goes on until it is lifted */
} fault_error;

typedef struct fault_site {
  const char *object;
  const char *import;
  const char *function;
  uint32_t offset; /* of the call in the object file */
  const fault_error *errors; /* ends with one without a name */
  const char *unreached; /* why no test can have it, or null */
} fault_site;

extern const fault_site fault_sites[];
extern const uint32_t fault_site_count;

#define FAULT_PLANS 3 /* at once */

typedef struct fault_plan {
  uint32_t site;
  uint32_t nth; /* call of that site in a run, from 0 */
  const fault_error *error;
  bool always; /* and all that follow */
} fault_plan;

/* Begins a run with these plans (`count` may be 0) and forgets the last one's counts. */
void fault_begin(const fault_plan *plans, uint32_t count);
void fault_end(void);

/* The plan for the first call of an import in a function of the library, by the names of all three; the case fails if there is no such
 * site. */
fault_plan fault_plan_of(const char *function, const char *import, const char *error);

/* Prints the plans of the run that is under way, and how often they struck. */
void fault_describe(void);

uint32_t fault_calls(uint32_t site); /* in this run */
uint32_t fault_injected(uint32_t site); /* since the start */

/* Of this run: how often a plan struck; which errors did; and the end of those that are always there. */
uint32_t fault_fired(void);
bool fault_fired_code(const char *import, const char *error); /* `import` null: any */
void fault_lift(void);

/* Linux: called once, by the library's next exchange of two files' names, before it; then forgotten. */
extern void (*fault_before_exchange)(const char *path);

/* What fails now, nobody need hear of: the library is giving something back. */
void fault_set_closing(bool closing);
void fault_forgive(const fault_error *error);

/* A call answered this: true if that is what a fault that struck should look like (and the fault counts as heard of). */
bool fault_explains(int64_t result);
/* Faults that struck, are not quiet, and that nobody has heard of. */
uint32_t fault_unheard(void);

/* What a code looks like through nps.h. One for each system. */
int32_t fault_status_of(const char *import, uint32_t code);
/* Or what it may be taken for by a call that knows more. */
bool fault_may_mean(const char *import, uint32_t code, int64_t result);

int64_t fault_blocks(void); /* of memory that the library holds */
void fault_count_block(int difference);

/* Forgets what own_*.c remembers of descriptors. */
void fault_own_reset(void);

#endif
