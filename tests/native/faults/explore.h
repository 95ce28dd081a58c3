/* explore.h - runs a scenario once for every call that it makes and every error that this call can give. */
#ifndef NPS_TEST_EXPLORE_H
#define NPS_TEST_EXPLORE_H

#include <stdbool.h>

typedef struct scenario {
  const char *name;
  void (*run)(void); /* gives back all that it made */
  bool loose; /* threads or time decide how many calls there are: a planned one may not come */
} scenario;

/* Runs it without a fault; then with each; after each, without again. Then with two or three faults, where one has led
 * the library to a call that no scenario makes without it. After every run nothing may be left. */
void explore(const scenario *one);

/* The table of sites. false: there are some that no fault has struck, or whose reason for that is wrong. */
bool explore_report(void);

/* What the system may be left with: one for each system. */
void explore_begin_files(void); /* a folder of our own for sockets, where there are such files */
void explore_end_files(void);
/* Files there. *stale: all of them are such as the library may leave when the system fails it, and takes away later. */
unsigned explore_files(bool *stale);

#endif
