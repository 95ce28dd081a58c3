/* scenarios.h - small programs over nps.h that between them make every call of the library that goes to the system. Each uses fixed
 * names, so that a run finds what the one before it has left. */
#ifndef NPS_TEST_SCENARIOS_H
#define NPS_TEST_SCENARIOS_H

#include "explore.h"

extern const scenario scenario_poll;
extern const scenario scenario_transfer;
extern const scenario scenario_on_demand;
extern const scenario scenario_one_way;
extern const scenario scenario_relisten;
extern const scenario scenario_linger;
extern const scenario scenario_instances; /* Linux */
extern const scenario scenario_adopt;
extern const scenario scenario_names;
extern const scenario scenario_descriptor; /* Windows */
extern const scenario scenario_open;
extern const scenario scenario_messages;
extern const scenario scenario_ask;
extern const scenario scenario_threads;

#endif
