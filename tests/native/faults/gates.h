/* gates.h - what gates.c, which the build writes, includes. gcc and clang alone. */
#ifndef NPS_TEST_GATES_H
#define NPS_TEST_GATES_H

#if defined(_WIN32)
#include <windows.h>
#include <sddl.h>
/* After it. */
#include "ntdll.h"

#define FAULT_MORE_THERE 0u
#define FAULT_PACKET_FAILS ERROR_NO_SYSTEM_RESOURCES

#ifndef STATUS_ACCESS_DENIED
#define STATUS_ACCESS_DENIED 0xC0000022u
#endif
#ifndef STATUS_INSUFFICIENT_RESOURCES
#define STATUS_INSUFFICIENT_RESOURCES 0xC000009Au
#endif
#ifndef STATUS_INVALID_PARAMETER
#define STATUS_INVALID_PARAMETER 0xC000000Du
#endif
#else
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/poll.h>
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
