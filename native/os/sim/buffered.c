/* The variant that behaves as a completion port does: reads and writes are operations on buffers. */
#include "kernel.h"

const bool os_direct_io = false;
