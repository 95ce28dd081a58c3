/* The variant that behaves as epoll does: bytes move by take and give, operations are probes. */
#include "kernel.h"

const bool os_direct_io = true;
