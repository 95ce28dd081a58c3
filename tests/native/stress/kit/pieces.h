/* pieces.h - what one of two threads moved, call by call, and whether two such logs together are one stream: each call's bytes in
 * one piece, each thread's calls in their order, no byte twice and none missing. */
#ifndef NPS_STRESS_PIECES_H
#define NPS_STRESS_PIECES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct pieces {
  char *bytes; /* of all calls, one behind the other */
  size_t have;
  size_t room;
  size_t *lengths;
  size_t count;
  size_t most;
} pieces;

/* Memory of the case. */
pieces *pieces_new(size_t room, size_t most);
void pieces_clear(pieces *one);
/* The bytes are at bytes + have already. */
void pieces_add(pieces *one, size_t length);
void pieces_require_merge(const char *stream, size_t size, const pieces *one, const pieces *two);

#endif
