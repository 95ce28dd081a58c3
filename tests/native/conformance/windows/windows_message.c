/* A foreign server of messages, and a client of ours whose lent handle somebody has switched to reading messages: bytes all the
 * same, none lost. A part of a message comes with ERROR_MORE_DATA, at once or later (mio-named-pipes 1.2 lost such bytes). */
#include <windows.h>

#include <string.h>

#include "loop.h"
#include "sys.h"

enum { MESSAGE = 100, PART = 16 };

typedef struct messages {
  loop *l;
  HANDLE server;
  nps_pipe *pipe;
} messages;

static messages messages_new(uint32_t read_ahead) {
  messages m = {loop_new(), NULL, NULL};
  const char *name = test_name();
  DWORD mode = PIPE_READMODE_MESSAGE;
  intptr_t handle;
  m.server = CreateNamedPipeA(
      peer_full_name(name), PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | PIPE_READMODE_BYTE, 1, 4096, 4096, 0, NULL);
  REQUIRE(m.server != INVALID_HANDLE_VALUE);
  nps_client_options options = client_options(name);
  options.read_ahead = read_ahead;
  REQUIRE_OK(nps_pipe_open(&options, &m.pipe));
  REQUIRE_OK(nps_pipe_os_handle(m.pipe, &handle));
  REQUIRE(SetNamedPipeHandleState((HANDLE)handle, &mode, NULL, NULL));
  return m;
}

static void messages_end(messages m) {
  end_pipe(m.pipe);
  CloseHandle(m.server);
  loop_end(m.l);
}

static void message_send(const messages *m, uint64_t seed) {
  char message[MESSAGE];
  DWORD written = 0;
  pattern_fill(message, sizeof message, seed, 0);
  REQUIRE(WriteFile(m->server, message, sizeof message, &written, NULL) && written == sizeof message);
}

static void message_receive(const messages *m, uint64_t seed, size_t chunk) {
  loop_read_pattern(m->l, 1, m->pipe, seed, MESSAGE, (read_way){chunk, false});
}

TEST(test_parts_of_a_message_that_was_there_are_not_lost) { /* R1: ERROR_MORE_DATA of the call */
  messages m = messages_new(PART);
  message_send(&m, 1);
  register_pipe(m.l, m.pipe, 1);
  message_receive(&m, 1, MESSAGE);
  messages_end(m);
}

TEST(test_parts_of_a_message_that_comes_are_not_lost) { /* R1: ERROR_MORE_DATA of the packet */
  messages m = messages_new(PART);
  register_pipe(m.l, m.pipe, 1);
  for (uint64_t i = 0; i < 5; i++) {
    message_send(&m, i);
    message_receive(&m, i, MESSAGE);
  }
  messages_end(m);
}

TEST(test_parts_of_a_message_taken_without_a_buffer_are_not_lost) { /* R1 */
  messages m = messages_new(0);
  message_send(&m, 1);
  register_pipe(m.l, m.pipe, 1);
  message_receive(&m, 1, 7);
  message_send(&m, 2);
  message_receive(&m, 2, MESSAGE);
  messages_end(m);
}
