/* writer.h - the write side of a connected pipe. The pipe's lock is held in all of them.
 *
 * Either the side is READY, or `out` is pending: a WRITE of bytes that were accepted (copied into a buffer of ours, for the
 * caller's memory is its own again), or on a direct backend a WRITE_PROBE. */
#ifndef NPS_CORE_WRITER_H
#define NPS_CORE_WRITER_H

#include "pipe.h"

nps_result writer_write(nps_pipe *pipe, const nps_buffer *buffers, uint32_t buffer_count, size_t *count);

/* As nps_pipe_shutdown, nps_pipe_drain_state. */
nps_result writer_shutdown(nps_pipe *pipe);
nps_result writer_drain_state(nps_pipe *pipe, uint64_t *unread);

/* Bytes that were accepted and are not in the system's hands. */
uint64_t writer_unsent(const nps_pipe *pipe);

/* Whether there are such bytes, or an empty message. */
bool writer_busy(const nps_pipe *pipe);

/* A WRITE or WRITE_PROBE of this connection has come back. */
void writer_complete(nps_pipe *pipe, const os_completion *completion);

#endif
