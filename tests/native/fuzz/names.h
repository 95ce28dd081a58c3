/* names.h - what the targets for names share: core's part of the rules. */
#ifndef NPS_FUZZ_NAMES_H
#define NPS_FUZZ_NAMES_H

#include "fuzz.h"
#include "nps.h"

/* Whether core lets the name through to the backend; fails unless it does so for UTF-8, and that alone. */
bool names_core_takes(const char *name);

nps_result names_refused(void); /* invalid argument: the name */

#endif
