/* messages.c - which messages were sent on each connection, and how far each end has read them: none is lost, invented, merged or cut
 * in two (R4, W5). */
#include "kernel.h"

#include <stdlib.h>

#define MESSAGES_KEPT 64u /* connections, each with two ways; older ones are over */

/* One way of a connection. */
struct walk_messages {
  uint32_t connection; /* 0: none */
  uint32_t *sizes;     /* of each that was accepted, in order */
  uint32_t count, capacity;
  uint32_t seen; /* read to the end */
  uint32_t part; /* bytes of the next one that were read */
};

static walk_messages *messages__all; /* by 2 * (connection - 1) + from_server */
static uint32_t messages__ways;

static walk_messages *messages__way(uint32_t connection, bool from_server) {
  const uint32_t place = 2 * (connection - 1) + from_server;
  if (place >= messages__ways) {
    const uint32_t ways = 2 * (connection + MESSAGES_KEPT);
    walk_messages *grown = realloc(messages__all, ways * sizeof *grown);
    if (grown == NULL) walk_fail("the walk: no memory");
    memset(grown + messages__ways, 0, (ways - messages__ways) * sizeof *grown);
    messages__all = grown;
    messages__ways = ways;
  }
  return &messages__all[place];
}

void walk_messages_forget(void) {
  for (uint32_t i = 0; i < messages__ways; i++) free(messages__all[i].sizes);
  free(messages__all);
  messages__all = NULL;
  messages__ways = 0;
}

static walk_messages *messages__to(const walk_view *view) { return messages__way(view->connection, !view->server); }

void walk_message_sent(const walk_view *view, uint32_t size) {
  walk_messages *way = messages__way(view->connection, view->server);
  if (way->count == way->capacity) {
    const uint32_t capacity = way->capacity == 0 ? 16 : 2 * way->capacity;
    uint32_t *grown = realloc(way->sizes, capacity * sizeof *grown);
    if (grown == NULL) walk_fail("the walk: no memory");
    way->sizes = grown;
    way->capacity = capacity;
  }
  way->sizes[way->count++] = size;
}

void walk_message_read(const walk_view *view, uint32_t count, bool more) {
  walk_messages *way = messages__to(view);
  if (way->seen == way->count) walk_fail("R4: a message that nobody sent");
  const uint32_t size = way->sizes[way->seen];
  if (count > size - way->part) walk_fail("R4: a message has %u bytes more than were sent", count - (size - way->part));
  way->part += count;
  if (more && way->part == size) walk_fail("R4: more data, and the message of %u bytes is over", size);
  if (more) return;
  if (way->part != size) walk_fail("R4: a message of %u bytes ends after %u", size, way->part);
  way->part = 0;
  way->seen++;
}

uint32_t walk_messages_sent(const walk_view *view) { return messages__to(view)->count; }

uint32_t walk_messages_seen(const walk_view *view) { return messages__to(view)->seen; }

bool walk_message_begun(const walk_view *view) { return messages__to(view)->part != 0; }

uint32_t walk_messages_unseen_by_peer(const walk_view *view, bool with_begun) {
  const walk_messages *way = messages__way(view->connection, view->server);
  return way->count - way->seen - (way->part != 0 && !with_begun);
}

bool walk_bytes_unseen_by_peer(const walk_view *view) {
  const walk_messages *way = messages__way(view->connection, view->server);
  for (uint32_t i = way->seen + (way->part != 0); i < way->count; i++) {
    if (way->sizes[i] != 0) return true;
  }
  return false;
}

bool walk_message_next(const walk_view *view, uint32_t *left) {
  const walk_messages *way = messages__to(view);
  if (way->seen == way->count) return false;
  *left = way->sizes[way->seen] - way->part;
  return true;
}

void walk_check_message_end(const walk_view *view) {
  const walk_messages *way = messages__to(view);
  if (view->cut) return;
  if (way->part != 0 && !view->torn) walk_fail("R4: the end of the stream in the middle of a message");
  if (way->seen < view->arrived_messages) {
    walk_fail("R3: end of stream after %u messages, %u were sent", way->seen, view->arrived_messages);
  }
}
