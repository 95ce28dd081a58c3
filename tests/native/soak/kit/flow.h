/* flow.h - the bytes of a link's connection, and what is asked of its pipes meanwhile. */
#ifndef NPS_SOAK_FLOW_H
#define NPS_SOAK_FLOW_H

#include "soak.h"

uint64_t end_token(const link *one, int which);

/* false: all that was planned has arrived. */
bool flow_step(soak *s, link *one, chance *random);

/* The end `which` reads what is there; true: up to the end of the stream. */
bool flow_read_to_the_end(soak *s, link *one, int which, chance *random);

#endif
