/* One name and many pipes; handles that come and go: C9, K1, O1, X3. */
#include <string.h>

#include "race.h"

/* ---- export against close, against register ---- */

typedef struct handover {
  loop *l;
  nps_pipe *pipe;
  nps_result exported, other;
  intptr_t handle;
  bool closes; /* the other thread closes; else it registers */
} handover;

static void export_it(void *context, chance *random) {
  handover *o = context;
  jitter(random);
  o->exported = nps_pipe_export(o->pipe, &o->handle);
}

static void close_or_register_it(void *context, chance *random) {
  handover *o = context;
  jitter(random);
  o->other = o->closes ? nps_pipe_close(o->pipe, 0) : nps_pipe_register(o->pipe, o->l->poll, 1, BOTH_INTERESTS);
}

/* The handle is what it was: adopted again, it works. */
static void require_it_works(handover *o, peer *end) {
  nps_pipe *again = NULL;
  char byte = 0;
  REQUIRE_OK(nps_pipe_adopt(o->handle, NULL, &again));
  register_pipe(o->l, again, 2);
  REQUIRE_OK(try_write(again));
  peer_receive_exactly(end, &byte, 1);
  REQUIRE(peer_send(end, "x", 1));
  REQUIRE_EQUAL(1, loop_read(o->l, 2, again, &byte, 1));
  end_pipe(again);
}

TEST(test_export_meets_close_and_register) { /* exactly one of them has the handle */
  race *r = race_new();
  handover *o = test_new(sizeof *o);
  const char *name = test_name();
  peer_server *server = peer_listen(name, 200);
  o->l = loop_new();
  race_add(r, export_it, o);
  race_add(r, close_or_register_it, o);
  const uint32_t rounds = race_rounds(1000, 150);
  for (uint32_t round = 0; round < rounds; round++) {
    char byte;
    o->closes = round % 2 == 0;
    o->pipe = client_new(name);
    peer *end = peer_accept(server);
    race_round(r);
    if (o->exported == NPS_OK) {
      REQUIRE_STATUS(NPS_E_CLOSED, o->other);
      require_it_works(o, end);
    } else {
      REQUIRE_STATUS(o->closes ? NPS_E_CLOSED : NPS_E_ALREADY_REGISTERED, o->exported);
      REQUIRE_OK(o->other);
    }
    nps_pipe_release(o->pipe);
    REQUIRE_EQUAL(0, peer_receive(end, &byte, 1)); /* nobody has it any more */
    peer_close(end);
  }
  peer_server_close(server);
  loop_end(o->l);
  race_end(r);
}

static void adopt_and_export(void *context, chance *random) {
  handover *o = context; /* each thread its own */
  for (int i = 0; i < 20; i++) {
    REQUIRE_OK(nps_pipe_adopt(o->handle, NULL, &o->pipe));
    jitter(random);
    REQUIRE_OK(nps_pipe_export(o->pipe, &o->handle));
    nps_pipe_release(o->pipe);
  }
}

TEST(test_both_ends_are_adopted_and_exported_at_once) {
  race *r = race_new();
  handover *o[2];
  peer *ends[2];
  peer_pair(&ends[0], &ends[1]);
  for (int i = 0; i < 2; i++) {
    o[i] = test_new(sizeof *o[i]);
    o[i]->handle = peer_take_handle(ends[i]);
    race_add(r, adopt_and_export, o[i]);
  }
  const uint32_t rounds = race_rounds(200, 20);
  for (uint32_t round = 0; round < rounds; round++)
    race_round(r);
  char byte = 0;
  for (int i = 0; i < 2; i++)
    ends[i] = peer_of_handle(o[i]->handle);
  REQUIRE(peer_send(ends[0], "x", 1));
  peer_receive_exactly(ends[1], &byte, 1);
  peer_close(ends[0]);
  peer_close(ends[1]);
  race_end(r);
}

/* ---- C9: many instances on several polls, clients that come and go ---- */

enum { INSTANCES = 3, NONCE = 8 };

typedef struct house {
  const char *name;
  int visits;
  sys_atomic visitors; /* threads of clients that still go on */
  sys_atomic echoed;
  sys_atomic answered; /* clients that got their nonce back */
} house;

typedef struct host {
  house *in;
  loop *l;
  nps_pipe *pipes[INSTANCES];
  char nonce[INSTANCES][NONCE];
  size_t have[INSTANCES];
} host;

/* Until it would block. */
static void host_one(host *h, uint32_t i) {
  for (;;) {
    size_t count = 0;
    nps_result result = nps_pipe_connect(h->pipes[i]);
    if (result == NPS_OK)
      result = read_pipe(h->pipes[i], h->nonce[i] + h->have[i], NONCE - h->have[i], &count);
    if (result == NPS_OK && h->have[i] == NONCE) { /* the client goes when it has its echo: look for the end */
      char byte;
      result = read_pipe(h->pipes[i], &byte, 1, &count);
      REQUIRE_EQUAL(0, count);
    }
    h->have[i] += count;
    if (result == NPS_OK && count > 0 && h->have[i] == NONCE) {
      REQUIRE_ONE_OF(write_pipe(h->pipes[i], h->nonce[i], NONCE, &count), NPS_E_BROKEN_PIPE);
      (void)sys_atomic_add(&h->in->echoed, 1);
    } else if (nps_result_status(result) == NPS_END_OF_STREAM) {
      h->have[i] = 0;
      REQUIRE_ONE_OF(nps_pipe_disconnect(h->pipes[i], 1), NPS_WOULD_BLOCK);
    } else if (nps_result_status(result) == NPS_WOULD_BLOCK) {
      return;
    } else {
      REQUIRE_OK(result);
    }
  }
}

static void be_host(void *context, chance *random) {
  host *h = context;
  (void)random;
  for (uint32_t i = 0; i < INSTANCES; i++)
    host_one(h, i);
  while (sys_atomic_get(&h->in->visitors) > 0) {
    nps_event events[INSTANCES + 1];
    uint32_t count = 0;
    REQUIRE_OK(nps_poll_wait(h->l->poll, events, INSTANCES + 1, TEST_DEADLINE_MS, &count));
    REQUIRE(count > 0);
    for (uint32_t i = 0; i < count; i++) {
      if (events[i].readiness != NPS_WAKE)
        host_one(h, (uint32_t)events[i].token);
    }
  }
}

typedef struct guest {
  house *in;
  host *hosts[2];
} guest;

static void be_guest(void *context, chance *random) {
  guest *g = context;
  for (int i = 0; i < g->in->visits; i++) {
    char nonce[NONCE], back[NONCE];
    const uint64_t number = chance_next(random);
    memcpy(nonce, &number, NONCE);
    peer *client = peer_open(g->in->name); /* never not found, tries again while busy */
    const uint32_t manners = chance_below(random, 10);
    if (manners < 8 && peer_send(client, nonce, NONCE)) {
      peer_receive_exactly(client, back, NONCE);
      REQUIRE(memcmp(nonce, back, NONCE) == 0);
      (void)sys_atomic_add(&g->in->answered, 1);
    } else if (manners == 8) {
      REQUIRE(peer_send(client, nonce, NONCE / 2));
    }
    if (chance_is(random, 30))
      jitter(random);
    peer_close(client);
  }
  if (sys_atomic_add(&g->in->visitors, -1) == 0) {
    REQUIRE_OK(nps_poll_wake(g->hosts[0]->l->poll, 0));
    REQUIRE_OK(nps_poll_wake(g->hosts[1]->l->poll, 0));
  }
}

TEST(test_many_instances_on_two_polls_serve_clients_that_come_and_go) { /* C6, C9 */
  race *r = race_new();
  house *in = test_new(sizeof *in);
  guest *g = test_new(sizeof *g);
  in->name = test_name();
  in->visits = (int)race_rounds(1500, 150);
  g->in = in;
  for (int i = 0; i < 2; i++) {
    g->hosts[i] = test_new(sizeof *g->hosts[i]);
    g->hosts[i]->in = in;
    g->hosts[i]->l = loop_new();
    for (uint32_t k = 0; k < INSTANCES; k++) {
      g->hosts[i]->pipes[k] = server_new(in->name);
      register_pipe(g->hosts[i]->l, g->hosts[i]->pipes[k], k);
    }
    race_add(r, be_host, g->hosts[i]);
  }
  for (int i = 0; i < 3; i++)
    race_add(r, be_guest, g);
  sys_atomic_set(&in->visitors, 3);
  race_round(r);
  REQUIRE(sys_atomic_get(&in->answered) > 0);
  REQUIRE_EQUAL(sys_atomic_get(&in->answered), sys_atomic_get(&in->echoed));
  for (int i = 0; i < 2; i++) {
    for (uint32_t k = 0; k < INSTANCES; k++)
      end_pipe(g->hosts[i]->pipes[k]);
    loop_end(g->hosts[i]->l);
  }
  race_end(r);
}

/* ---- create, open and close of one name ---- */

static void make_open_and_end(void *context, chance *random) {
  const char *name = context;
  for (int i = 0; i < 20; i++) {
    nps_server_options options = server_options(name);
    nps_client_options opening = client_options(name);
    nps_pipe *server = NULL, *client = NULL;
    if (chance_is(random, 60))
      REQUIRE_OK(nps_pipe_create(&options, &server));
    jitter(random);
    nps_result opened = nps_pipe_open(&opening, &client);
    REQUIRE_ONE_OF(opened, NPS_E_NOT_FOUND, NPS_E_PIPE_BUSY); /* K1 */
    REQUIRE((opened == NPS_OK) == (client != NULL));
    REQUIRE(server == NULL || nps_result_status(opened) != NPS_E_NOT_FOUND);
    jitter(random);
    if (chance_is(random, 50)) {
      nps_pipe_release(server);
      nps_pipe_release(client);
    } else {
      nps_pipe_release(client);
      nps_pipe_release(server);
    }
  }
}

TEST(test_one_name_is_made_opened_and_ended_by_many) { /* K1, X3 */
  race *r = race_new();
  const char *name = test_name();
  peer *nobody = NULL;
  for (int i = 0; i < 3; i++)
    race_add(r, make_open_and_end, (void *)(uintptr_t)name);
  const uint32_t rounds = race_rounds(60, 15);
  for (uint32_t round = 0; round < rounds; round++) {
    race_round(r);
    REQUIRE_EQUAL(PEER_NOT_FOUND, peer_try_open(name, &nobody)); /* the name is free */
  }
  race_end(r);
}
