/* echo.c - an echo server and its client, on one thread: nothing blocks here but nps_poll_wait. */
#include <nps.h>
#include <stdio.h>
#include <string.h>

enum { SERVER = 1, CLIENT = 2 }; /* tokens: whose event it is */

/* A pipe may take less than it is offered: what is left is for the next event. */
static nps_result send_rest(nps_pipe *pipe, const char *bytes, size_t size, size_t *sent) {
  nps_result result = NPS_OK;
  while (result == NPS_OK && *sent < size) {
    size_t count = 0;
    result = nps_pipe_write(pipe, bytes + *sent, size - *sent, &count);
    *sent += count;
  }
  return result;
}

/* Reads, and sends back what was read, until a call answers other than NPS_OK. */
static nps_result serve(nps_pipe *pipe) {
  static char held[256]; /* what was read and not yet sent back */
  static size_t size, sent;
  nps_result result = nps_pipe_connect(pipe); /* NPS_WOULD_BLOCK until there is a client */
  while (result == NPS_OK) {
    if (sent == size) {
      size = sent = 0;
      result = nps_pipe_read(pipe, held, sizeof held, &size);
    }
    if (result == NPS_OK) {
      result = send_rest(pipe, held, size, &sent);
    }
  }
  return result;
}

static int fail(const char *what, nps_result result) {
  int32_t status = nps_result_status(result);
  (void)fprintf(stderr, "%s: %s (%s, %u)\n", what, nps_status_text(status), nps_status_name(status),
      (unsigned)nps_result_detail(result));
  return 1;
}

int main(int count, char **arguments) {
  static const char question[] = "Hello through a named pipe!";
  char answer[sizeof question];
  size_t asked = 0, answered = 0;
  const char *name = count > 1 ? arguments[1] : "echo-in-c";

  nps_poll *poll = NULL;
  nps_result result = nps_poll_create(NULL, &poll);
  if (result < 0) {
    return fail("nps_poll_create", result);
  }

  nps_server_options server_options;
  nps_server_options_init(&server_options, sizeof server_options);
  server_options.name = name;
  nps_pipe *server = NULL;
  result = nps_pipe_create(&server_options, &server);
  if (result < 0) {
    return fail("nps_pipe_create", result);
  }
  nps_pipe_register(server, poll, SERVER, NPS_INTEREST_READABLE | NPS_INTEREST_WRITABLE);
  nps_pipe_connect(server); /* begins to wait for a client: an event says when there is one */

  nps_client_options client_options;
  nps_client_options_init(&client_options, sizeof client_options);
  client_options.name = name;
  nps_pipe *client = NULL;
  result = nps_pipe_open(&client_options, &client);
  if (result < 0) {
    return fail("nps_pipe_open", result);
  }
  nps_pipe_register(client, poll, CLIENT, NPS_INTEREST_READABLE | NPS_INTEREST_WRITABLE);

  while (answered < sizeof answer) {
    nps_event events[8];
    uint32_t ready = 0;
    result = nps_poll_wait(poll, events, 8, 10000, &ready); /* sleeps until a pipe is ready; 10 s at most */
    if (result < 0) {
      return fail("nps_poll_wait", result);
    }
    if (ready == 0) {
      (void)fprintf(stderr, "no answer in 10 s\n");
      return 1;
    }
    for (uint32_t i = 0; i < ready; i++) {
      /* Events are edges: go on until a call answers other than NPS_OK. */
      result = events[i].token == SERVER ? serve(server) : send_rest(client, question, sizeof question, &asked);
      while (result >= 0 && events[i].token == CLIENT && answered < sizeof answer) {
        size_t got = 0;
        result = nps_pipe_read(client, answer + answered, sizeof answer - answered, &got);
        answered += got;
        if (result != NPS_OK) {
          break;
        }
      }
      if (result < 0) {
        return fail("read or write", result);
      }
    }
  }

  printf("The server sent back: %s\n", answer);
  nps_pipe_close(client, 0);
  nps_pipe_release(client);
  nps_pipe_release(server); /* closes first, as it was not */
  nps_poll_release(poll);
  return memcmp(answer, question, sizeof question) == 0 ? 0 : 1;
}
