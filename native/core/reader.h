/* reader.h - the read side of a connected pipe. The pipe's lock is held in all of them.
 *
 * Either the side is READY (a read call finds data read ahead, asks the system, or answers how the stream ended), or an
 * operation is pending that will make it so: `in` is a READ into a pool buffer, or a READ_PROBE where there is no buffer.
 * On demand no operation is started before a call wants bytes: until then the side counts as ready, and the call asks.
 * On a direct backend a CLOSE_PROBE stands in while nobody is interested in data, so that the peer's close is seen all the
 * same. */
#ifndef NPS_CORE_READER_H
#define NPS_CORE_READER_H

#include "pipe.h"

/* The pipe has just been connected, or registered connected. */
void reader_begin(nps_pipe *pipe);

/* The pipe, which is bound, may be on demand no more. */
void reader_go_on(nps_pipe *pipe);

nps_result reader_read(nps_pipe *pipe, const nps_buffer *buffers, uint32_t buffer_count, size_t *count);

/* As nps_pipe_peek. */
nps_result reader_peek(nps_pipe *pipe, char *buffer, size_t size, size_t *count, uint64_t *available);

/* A READ, READ_PROBE or CLOSE_PROBE of this connection has come back. */
void reader_complete(nps_pipe *pipe, const os_completion *completion);

/* Keeps an eye on the peer's close where the caller will not read. Should that fail it is a background error; taking the error
 * tries again. */
void reader_watch_close(nps_pipe *pipe);

#endif
