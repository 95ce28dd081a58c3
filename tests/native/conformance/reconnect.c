/* Disconnecting and connecting again, alone and under fire: C7, C8. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

/* Every round's bytes carry its number: one byte of another round is a stale one. */
static void fill_with_nonce(uint32_t *words, size_t count, uint32_t nonce) {
  for (size_t i = 0; i < count; i++) {
    words[i] = nonce;
  }
}

enum { WORDS = 600 };

/* One connection, left in a state that the round chooses: unread bytes, bytes on the way, a read waiting, the peer
 * gone. */
static void nonce_round(loop *l, const char *name, nps_pipe *server, uint32_t round) {
  uint32_t words[WORDS], got[WORDS];
  fill_with_nonce(words, WORDS, round);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server)); /* on Windows nobody gets in before */
  peer *client = peer_open(name);
  loop_connect(l, 1, server);
  if (round % 5 != 0) {
    REQUIRE(peer_send(client, words, sizeof words));
    size_t wanted = round % 5 == 1 ? 4 : round % 5 == 2 ? sizeof words / 2 : sizeof words;
    size_t have = 0;
    while (have < wanted) {
      size_t n = loop_read(l, 1, server, (char *)got + have, wanted - have);
      if (n == 0) {
        FAIL("round %u: an old end of stream", round);
      }
      have += n;
    }
    for (size_t i = 0; i < wanted / 4; i++) {
      if (got[i] != round) {
        FAIL("round %u: a word of round %u", round, got[i]);
      }
    }
  } else {
    nps_result result = try_read(server);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, result); /* no old byte, no old end, no old error */
  }
  size_t count;
  nps_result written = write_pipe(server, words, sizeof words, &count);
  REQUIRE_OK(written);
  if (round % 2 == 0) {
    peer_receive_exactly(client, got, 4);
    REQUIRE_EQUAL(round, got[0]);
  }
  if (round % 7 == 3) {
    peer_close(client);
    client = NULL;
    if (round % 5 == 0 || round % 5 > 2) { /* all was read: the end must show */
      loop_expect_end(l, 1, server);
      loop_await_ever(l, 1, NPS_CLOSED);
    }
  }
  if (round % 11 == 4 && client != NULL) {
    REQUIRE(peer_send(client, words, sizeof words)); /* on its way when the connection ends */
  }
  REQUIRE_OK(nps_pipe_disconnect(server, 0));
  loop_reset(l, 1);
  if (client != NULL) {
    char rest[4096];
    ptrdiff_t n = 1;
    while (n > 0) { /* what was sent may still come, then the end must */
      n = peer_receive(client, rest, sizeof rest);
    }
    REQUIRE_EQUAL(0, n);
    peer_close(client);
  }
}

TEST(test_reconnect_rounds_never_show_an_old_byte_or_error) { /* C7 */
  enum { ROUNDS = 1000 };
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  for (uint32_t round = 1; round <= ROUNDS; round++) {
    nps_result error = -1;
    nonce_round(l, name, server, round);
    REQUIRE_OK(nps_pipe_take_error(server, &error));
    REQUIRE_OK(error);
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, try_read(server));
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, try_write(server));
    /* Readiness is cleared: a wait that starts now says nothing of the old connection. */
    REQUIRE_EQUAL(0, loop_pump(l, 0));
    if (round % 3 == 0) {
      nps_result connected = nps_pipe_connect(server);
      REQUIRE_STATUS(NPS_WOULD_BLOCK, connected);
      REQUIRE_EQUAL(0, loop_pump(l, 0));
    }
  }
  end_pipe(server);
  loop_end(l);
}

TEST(test_disconnect_clears_what_was_due) { /* C7, rule 4 */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  for (int i = 0; i < 30; i++) {
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
    peer *client = peer_open(name);
    loop_connect(l, 1, server);
    REQUIRE(peer_send(client, "x", 1));
    loop_await(l, 1, NPS_READABLE);
    REQUIRE_OK(nps_pipe_reregister(server, 1, BOTH_INTERESTS)); /* events are queued ... */
    REQUIRE_OK(nps_pipe_disconnect(server, 0));
    REQUIRE_EQUAL(0, loop_pump(l, 0)); /* ... of a connection that is no more */
    if (i % 2 == 0) {
      REQUIRE_OK(nps_pipe_reregister(server, 1, BOTH_INTERESTS));
      REQUIRE_EQUAL(0, loop_pump(l, 0)); /* and nothing is ready now */
    }
    loop_reset(l, 1);
    peer_close(client);
  }
  end_pipe(server);
  loop_end(l);
}

TEST(test_disconnect_and_listen_is_one_call) { /* C7, C8 */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_disconnect(server, 1)); /* also from idle */
  for (uint32_t round = 0; round < 200; round++) {
    peer *client = peer_open(name);
    uint32_t nonce = round, got = 0xFFFFFFFFu;
    loop_connect(l, 1, server);
    REQUIRE(peer_send(client, &nonce, sizeof nonce));
    size_t have = 0;
    while (have < sizeof got) {
      size_t n = loop_read(l, 1, server, (char *)&got + have, sizeof got - have);
      REQUIRE(n > 0);
      have += n;
    }
    REQUIRE_EQUAL(round, got);
    nps_result listening = nps_pipe_disconnect(server, 1);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, listening);
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
    REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(server));
    loop_reset(l, 1);
    peer_close(client);
  }
  end_pipe(server);
  loop_end(l);
}

TEST(test_disconnect_cancels_a_pending_connect) { /* C7 */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  for (int i = 0; i < 300; i++) {
    nps_result error = -1;
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
    REQUIRE_OK(nps_pipe_disconnect(server, 0));
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, try_read(server));
    REQUIRE_EQUAL(0, loop_pump(l, 0));
    REQUIRE_OK(nps_pipe_take_error(server, &error));
    REQUIRE_OK(error); /* the cancelled connect is not an error of the next one */
  }
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server)); /* on Windows nobody gets in before */
  peer *client = peer_open(name);
  loop_connect(l, 1, server);
  REQUIRE_OK(try_write(server));
  char byte;
  peer_receive_exactly(client, &byte, 1);
  peer_close(client);
  end_pipe(server);
  loop_end(l);
}

/* ---- C8 ---- */

typedef struct hammer {
  const char *name;
  sys_atomic stop, not_found, opened, busy, failed, hung;
  bool ask; /* sends a byte and waits for the answer or the break */
} hammer;

static void hammer_run(void *context) {
  hammer *h = context;
  while (sys_atomic_get(&h->stop) == 0) {
    peer *client = NULL;
    switch (peer_try_open(h->name, &client)) {
    case PEER_OPENED: {
      char byte = 1;
      sys_atomic_add(&h->opened, 1);
      if (h->ask && peer_send(client, &byte, 1) && peer_receive(client, &byte, 1) < 0) {
        sys_atomic_add(&h->hung, 1); /* neither served nor cut before the deadline */
      }
      peer_close(client);
      break;
    }
    case PEER_BUSY:
      sys_atomic_add(&h->busy, 1);
      break;
    case PEER_NOT_FOUND:
      sys_atomic_add(&h->not_found, 1);
      break;
    case PEER_DENIED:
    case PEER_FAILED:
      sys_atomic_add(&h->failed, 1);
      break;
    }
  }
}

static void serve_under_fire(bool ask, bool cancel) {
  enum { ROUNDS = 400, CLIENTS = 3 };
  loop *l = loop_new();
  hammer *h = test_new(sizeof *h);
  sys_thread *threads[CLIENTS];
  h->name = test_name();
  h->ask = ask;
  nps_pipe *server = server_new(h->name);
  register_pipe(l, server, 1);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  for (int i = 0; i < CLIENTS; i++) {
    threads[i] = sys_thread_start(hammer_run, h);
  }
  for (int round = 0; round < ROUNDS; round++) {
    if (cancel && round % 2 == 0) { /* stops listening while clients come in */
      REQUIRE_OK(nps_pipe_disconnect(server, 0));
      loop_reset(l, 1);
    }
    loop_connect(l, 1, server);
    if (ask) {
      char byte = 0;
      if (loop_read(l, 1, server, &byte, 1) == 1) {
        (void)try_write(server);
      }
    }
    nps_result again = nps_pipe_disconnect(server, 1);
    REQUIRE(again == NPS_OK || nps_result_status(again) == NPS_WOULD_BLOCK);
    loop_reset(l, 1);
  }
  sys_atomic_set(&h->stop, 1);
  REQUIRE_OK(nps_pipe_close(server, 0)); /* cuts those that still wait */
  for (int i = 0; i < CLIENTS; i++) {
    sys_thread_join(threads[i]);
  }
  nps_pipe_release(server);
  loop_end(l);
  REQUIRE(sys_atomic_get(&h->opened) >= ROUNDS / 2);
  REQUIRE_EQUAL(0, sys_atomic_get(&h->failed));
  REQUIRE_EQUAL(0, sys_atomic_get(&h->hung));
  /* After the close nobody serves the name; each thread may have seen that before it stopped. */
  REQUIRE(sys_atomic_get(&h->not_found) <= CLIENTS);
}

TEST(test_between_rounds_a_client_never_finds_nobody) {
  serve_under_fire(false, false);
} /* C8 */

TEST(test_a_client_between_rounds_is_served_or_cut) {
  serve_under_fire(true, false);
} /* C8 */

TEST(test_a_client_that_slips_into_a_cancelled_connect_never_hangs) {
  serve_under_fire(true, true);
} /* C8 */

typedef struct opener {
  const char *name;
  sys_atomic opened;
  int64_t rounds;
} opener;

static void open_again_and_again(void *context) {
  opener *o = context;
  for (int64_t i = 0; i < o->rounds; i++) {
    nps_client_options options = client_options(o->name);
    nps_pipe *pipe = NULL;
    options.timeout_ms = TEST_DEADLINE_MS;
    REQUIRE_OK(nps_pipe_open(&options, &pipe)); /* busy is waited for */
    sys_atomic_add(&o->opened, 1);
    nps_pipe_release(pipe);
  }
}

TEST(test_a_client_succeeds_by_waiting) { /* C8, K2 */
  loop *l = loop_new();
  opener *o = test_new(sizeof *o);
  o->name = test_name();
  o->rounds = 100;
  nps_pipe *server = server_new(o->name);
  register_pipe(l, server, 1);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  sys_thread *one = sys_thread_start(open_again_and_again, o), *two = sys_thread_start(open_again_and_again, o);
  for (int64_t i = 0; i < 2 * o->rounds; i++) {
    loop_connect(l, 1, server);
    loop_expect_end(l, 1, server);
    loop_reset(l, 1);
    REQUIRE(nps_pipe_disconnect(server, 1) >= 0);
  }
  sys_thread_join(one);
  sys_thread_join(two);
  REQUIRE_EQUAL(2 * o->rounds, sys_atomic_get(&o->opened));
  end_pipe(server);
  loop_end(l);
}
