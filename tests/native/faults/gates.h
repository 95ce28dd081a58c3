/* gates.h - what gates.c, which the build writes, includes. gcc and clang alone. */
#ifndef NPS_TEST_GATES_H
#define NPS_TEST_GATES_H

#if defined(_WIN32)
#include <windows.h>
/* After it. */
#include "../../../native/os/iocp/ntdll.h"
#define FAULT_CALL
#else
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#endif

#include "fault.h"

/* The calls of one function from one object file. */
typedef struct fault_group {
  uint32_t first; /* site */
  uint32_t count;
  const char *base; /* a function of that object file ... */
  uint32_t base_offset; /* ... and where it is in it */
} fault_group;

/* The error that this call is to give, or null. */
const fault_error *fault_enter(const fault_group *group, const void *return_address);

#endif
