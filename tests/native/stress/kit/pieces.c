#include "pieces.h"

#include <string.h>

#include "test.h"

enum { MOST_CHOICES = 4096 };

typedef struct place {
  size_t piece[2]; /* the next of each log */
  size_t byte[2]; /* where it begins */
} place;

pieces *pieces_new(size_t room, size_t most) {
  pieces *made = test_new(sizeof *made);
  made->room = room;
  made->most = most;
  made->bytes = test_new(room);
  made->lengths = test_new(most * sizeof *made->lengths);
  return made;
}

void pieces_clear(pieces *one) {
  one->have = one->count = 0;
}

void pieces_add(pieces *one, size_t length) {
  REQUIRE(one->count < one->most && length <= one->room - one->have);
  one->lengths[one->count++] = length;
  one->have += length;
}

static bool pieces__fit(const char *stream, size_t size, const pieces *log, const place *at, int which) {
  const size_t piece = at->piece[which], from = at->byte[0] + at->byte[1];
  return piece < log->count && log->lengths[piece] <= size - from &&
         memcmp(stream + from, log->bytes + at->byte[which], log->lengths[piece]) == 0;
}

static void pieces__take(const pieces *log, place *at, int which) {
  at->byte[which] += log->lengths[at->piece[which]++];
}

/* Where both logs' next pieces fit, the first one's is tried first, and the other remembered: short pieces may be equal. */
void pieces_require_merge(const char *stream, size_t size, const pieces *one, const pieces *two) {
  static place s_choices[MOST_CHOICES];
  const pieces *logs[2] = {one, two};
  place at = {{0, 0}, {0, 0}};
  size_t choices = 0, furthest = 0;
  REQUIRE_EQUAL(size, one->have + two->have);
  while (at.piece[0] < one->count || at.piece[1] < two->count) {
    const bool first = pieces__fit(stream, size, one, &at, 0), second = pieces__fit(stream, size, two, &at, 1);
    if (first && second) {
      REQUIRE(choices < MOST_CHOICES);
      s_choices[choices++] = at;
    }
    if (first || second) {
      pieces__take(logs[first ? 0 : 1], &at, first ? 0 : 1);
      if (at.byte[0] + at.byte[1] > furthest)
        furthest = at.byte[0] + at.byte[1];
    } else if (choices > 0) {
      at = s_choices[--choices];
      pieces__take(two, &at, 1);
    } else {
      FAIL("byte %llu of %llu is next in neither thread's bytes", (unsigned long long)furthest,
          (unsigned long long)size);
    }
  }
}
