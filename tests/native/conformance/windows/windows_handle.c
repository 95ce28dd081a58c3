/* What only Windows has: handles that are not overlapped, message pipes, access of a handle, who may open a pipe:
 * adopt, C5, K1, O1. */
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>

#include "loop.h"
#include "sys.h"

static HANDLE raw_server(const char *name, DWORD open_mode, DWORD pipe_mode) {
  HANDLE pipe = CreateNamedPipeA(peer_full_name(name), open_mode, pipe_mode, 4, 4096, 4096, 0, NULL);
  REQUIRE(pipe != INVALID_HANDLE_VALUE);
  return pipe;
}

static HANDLE raw_client(const char *name, DWORD access, DWORD flags) {
  HANDLE pipe = CreateFileA(peer_full_name(name), access, 0, NULL, OPEN_EXISTING, flags, NULL);
  REQUIRE(pipe != INVALID_HANDLE_VALUE);
  return pipe;
}

static void require_not_adopted(HANDLE handle, int32_t status) {
  nps_pipe *pipe = NULL;
  DWORD flags;
  REQUIRE_STATUS(status, nps_pipe_adopt((intptr_t)handle, NULL, &pipe));
  REQUIRE(pipe == NULL && GetHandleInformation(handle, &flags)); /* it is the caller's still */
  CloseHandle(handle);
}

TEST(test_libuv_1525_a_synchronous_handle_is_refused) { /* adopt: every call would wait for a read */
  const char *name = test_name();
  HANDLE server = raw_server(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE); /* no FILE_FLAG_OVERLAPPED */
  HANDLE client = raw_client(name, GENERIC_READ | GENERIC_WRITE, 0);
  require_not_adopted(server, NPS_E_NOT_OVERLAPPED);
  require_not_adopted(client, NPS_E_NOT_OVERLAPPED);
}

TEST(test_what_is_no_pipe_is_refused) { /* adopt */
  char path[MAX_PATH], folder[MAX_PATH];
  REQUIRE(GetTempPathA(MAX_PATH, folder) != 0 && GetTempFileNameA(folder, "nps", 0, path) != 0);
  HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
      FILE_FLAG_OVERLAPPED | FILE_FLAG_DELETE_ON_CLOSE, NULL);
  REQUIRE(file != INVALID_HANDLE_VALUE);
  require_not_adopted(file, NPS_E_NOT_A_PIPE);
  require_not_adopted(CreateEventW(NULL, TRUE, FALSE, NULL), NPS_E_NOT_A_PIPE);
}

TEST(test_an_adopted_handle_reads_as_it_was_set_to) { /* adopt, R4: a client of a message pipe starts with bytes */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = NULL, *client = NULL;
  HANDLE serving =
      raw_server(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE);
  HANDLE opened = raw_client(name, GENERIC_READ | GENERIC_WRITE, FILE_FLAG_OVERLAPPED);
  REQUIRE_OK(nps_pipe_adopt((intptr_t)serving, NULL, &server));
  REQUIRE_OK(nps_pipe_adopt((intptr_t)opened, NULL, &client));
  nps_info of_server = {.size = sizeof of_server}, of_client = {.size = sizeof of_client};
  REQUIRE_OK(nps_pipe_info(server, &of_server));
  REQUIRE_OK(nps_pipe_info(client, &of_client));
  REQUIRE_EQUAL(NPS_MODE_MESSAGE, of_server.mode);
  REQUIRE_EQUAL(NPS_MODE_BYTE, of_client.mode);
  register_pipe(l, server, 1);
  register_pipe(l, client, 2);
  char memory[100];
  size_t count = 0;
  for (int i = 0; i < 20; i++) {
    REQUIRE_OK(nps_pipe_write(client, "message", 7, &count));
    nps_result result = nps_pipe_read(server, memory, 4, &count);
    while (nps_result_status(result) == NPS_WOULD_BLOCK) {
      loop_await(l, 1, NPS_READABLE);
      result = nps_pipe_read(server, memory, 4, &count);
    }
    REQUIRE_STATUS(NPS_MORE_DATA, result);
    REQUIRE_EQUAL(4, count);
    REQUIRE_OK(nps_pipe_read(server, memory, 4, &count));
    REQUIRE_EQUAL(3, count);
    loop_write_pattern(l, 1, server, 3, 50);
    loop_write_pattern(l, 1, server, 4, 50);
    loop_read_pattern(l, 2, client, 3, 50, (read_way){7, false});
    loop_read_pattern(l, 2, client, 4, 50, (read_way){7, false});
    loop_pump(l, 0);
    loop_reset(l, 1);
  }
  end_pipe(client);
  end_pipe(server);
  loop_end(l);
}

/* It was refused as "not a pipe". Windows may also let it be asked, and adopted: then it reads the end. */
TEST(test_a_client_whose_server_disconnected_it_is_a_pipe_still) { /* adopt */
  const char *name = test_name();
  nps_pipe *pipe = NULL;
  DWORD flags;
  HANDLE server = raw_server(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE);
  HANDLE client = raw_client(name, GENERIC_READ | GENERIC_WRITE, FILE_FLAG_OVERLAPPED);
  REQUIRE(DisconnectNamedPipe(server));
  nps_result result = nps_pipe_adopt((intptr_t)client, NULL, &pipe);
  if (result == NPS_OK) {
    loop *l = loop_new();
    register_pipe(l, pipe, 1);
    loop_expect_end(l, 1, pipe);
    end_pipe(pipe);
    loop_end(l);
  } else {
    REQUIRE_STATUS(NPS_E_NOT_CONNECTED, result);
    REQUIRE(pipe == NULL && GetHandleInformation(client, &flags)); /* it is the caller's still */
    CloseHandle(client);
  }
  CloseHandle(server);
}

TEST(test_a_handle_bound_elsewhere_says_already_registered) { /* NPS_E_ALREADY_REGISTERED of nps.h */
  loop *l = loop_new();
  peer *one, *other;
  nps_pipe *pipe = NULL;
  peer_pair(&one, &other);
  intptr_t handle = peer_take_handle(one);
  HANDLE port = CreateIoCompletionPort((HANDLE)handle, NULL, 1, 0);
  REQUIRE(port != NULL);
  REQUIRE_OK(nps_pipe_adopt(handle, NULL, &pipe));
  REQUIRE_STATUS(NPS_E_ALREADY_REGISTERED, nps_pipe_register(pipe, l->poll, 1, BOTH_INTERESTS));
  end_pipe(pipe);
  CloseHandle(port);
  peer_close(other);
  loop_end(l);
}

TEST(test_an_adopted_server_handle_can_connect) { /* adopt: an instance that still listens */
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *pipe = NULL;
  HANDLE server = raw_server(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE);
  REQUIRE_OK(nps_pipe_adopt((intptr_t)server, NULL, &pipe));
  register_pipe(l, pipe, 1);
  for (int i = 0; i < 20; i++) {
    REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(pipe));
    peer *client = peer_open(name);
    loop_connect(l, 1, pipe);
    peer_stream *sender = peer_sender_start(client, 1, 100000, false);
    peer_stream *receiver = peer_receiver_start(client, 2, 100000, false);
    loop_read_pattern(l, 1, pipe, 1, 100000, (read_way){4096, true});
    loop_write_pattern(l, 1, pipe, 2, 100000);
    peer_stream_join(sender);
    peer_stream_join(receiver);
    peer_close(client);
    loop_expect_end(l, 1, pipe);
    REQUIRE_OK(nps_pipe_disconnect(pipe, 0));
    loop_reset(l, 1);
  }
  end_pipe(pipe);
  loop_end(l);
}

/* C5: cancelled by somebody on the lent handle */
TEST(test_a_connect_that_fails_is_an_event_and_the_error_comes_once) {
  const char *name = test_name();
  loop *l = loop_new();
  intptr_t handle = -1;
  nps_result error = NPS_OK;
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  REQUIRE_OK(nps_pipe_os_handle(server, &handle));
  REQUIRE(CancelIoEx((HANDLE)handle, NULL));
  loop_await(l, 1, NPS_ERROR);
  REQUIRE_OK(nps_pipe_take_error(server, &error));
  REQUIRE(error < 0);
  REQUIRE_OK(nps_pipe_take_error(server, &error));
  REQUIRE_OK(error); /* once */
  REQUIRE_STATUS(NPS_E_NOT_CONNECTED, try_read(server));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  peer *client = peer_open(name);
  loop_connect(l, 1, server);
  peer_close(client);
  end_pipe(server);
  loop_end(l);
}

TEST(test_a_direction_that_does_not_fit_is_denied) { /* K1 */
  const char *name = test_name();
  nps_server_options options = server_options(name);
  nps_pipe *server = NULL, *client = NULL;
  nps_client_options opening = client_options(name);
  options.direction = NPS_DIRECTION_OUT;
  REQUIRE_OK(nps_pipe_create(&options, &server));
  opening.direction = NPS_DIRECTION_DUPLEX;
  nps_result denied = nps_pipe_open(&opening, &client);
  REQUIRE_STATUS(NPS_E_ACCESS_DENIED, denied);
  REQUIRE_EQUAL(ERROR_ACCESS_DENIED, nps_result_detail(denied));
  opening.direction = NPS_DIRECTION_IN;
  REQUIRE_OK(nps_pipe_open(&opening, &client));
  nps_pipe_release(client);
  nps_pipe_release(server);
}

TEST(test_errors_carry_the_systems_code) { /* K1 */
  const char *name = test_name();
  nps_client_options opening = client_options(name);
  nps_server_options options = server_options(name);
  nps_pipe *server = NULL, *pipe = NULL;
  REQUIRE_EQUAL(ERROR_FILE_NOT_FOUND, nps_result_detail(nps_pipe_open(&opening, &pipe)));
  options.max_instances = 1;
  REQUIRE_OK(nps_pipe_create(&options, &server));
  nps_result second = nps_pipe_create(&options, &pipe);
  REQUIRE_STATUS(NPS_E_PIPE_BUSY, second);
  REQUIRE_EQUAL(ERROR_PIPE_BUSY, nps_result_detail(second));
  peer *client = peer_open(name);
  REQUIRE_EQUAL(ERROR_PIPE_BUSY, nps_result_detail(nps_pipe_open(&opening, &pipe)));
  peer_close(client);
  nps_pipe_release(server);
}

TEST(test_an_end_that_only_writes_hears_of_the_close_at_its_next_write) { /* P8, W3 */
  const char *name = test_name();
  loop *l = loop_new();
  nps_server_options options = server_options(name);
  nps_client_options opening = client_options(name);
  nps_pipe *server = NULL, *client = NULL;
  options.direction = NPS_DIRECTION_OUT;
  opening.direction = NPS_DIRECTION_IN;
  REQUIRE_OK(nps_pipe_create(&options, &server));
  REQUIRE_OK(nps_pipe_open(&opening, &client));
  register_pipe(l, server, 1);
  loop_connect(l, 1, server);
  nps_pipe_release(client);
  REQUIRE_STATUS(NPS_E_BROKEN_PIPE, try_write(server));
  loop_await(l, 1, NPS_CLOSED);
  end_pipe(server);
  loop_end(l);
}

/* Everyone and anonymous are in the system's default list, and must not be in ours. */
TEST(test_only_the_current_user_is_in_the_access_list) { /* O1 */
  intptr_t handle = -1;
  PSECURITY_DESCRIPTOR descriptor = NULL;
  char *text = NULL;
  nps_pipe *server = server_new(test_name());
  REQUIRE_OK(nps_pipe_os_handle(server, &handle));
  REQUIRE_EQUAL(ERROR_SUCCESS, GetSecurityInfo((HANDLE)handle, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL,
                                   NULL, NULL, &descriptor));
  REQUIRE(ConvertSecurityDescriptorToStringSecurityDescriptorA(
      descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, NULL));
  if (strstr(text, ";WD)") != NULL || strstr(text, ";AN)") != NULL || strstr(text, "(A;") == NULL) {
    FAIL("the access list is %s", text);
  }
  LocalFree(text);
  LocalFree(descriptor);
  nps_pipe_release(server);
}

TEST(test_names_that_windows_would_strip_are_refused) { /* O3 */
  static const char *const names[] = {".", "..", " ", ". .", "\\\\.\\pipe\\.", "\\\\.\\pipe\\a\\b", "\\\\.\\PIPE\\"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    nps_server_options options = server_options(names[i]);
    nps_client_options opening = client_options(names[i]);
    nps_pipe *pipe = NULL;
    REQUIRE_INVALID(NPS_ARGUMENT_NAME, nps_pipe_create(&options, &pipe));
    REQUIRE_INVALID(NPS_ARGUMENT_NAME, nps_pipe_open(&opening, &pipe));
  }
}

TEST(test_names_are_case_insensitive) {
  char name[64];
  loop *l = loop_new();
  (void)snprintf(name, sizeof name, "%s", test_name());
  nps_pipe *server = server_new(name);
  for (char *at = name; *at != '\0'; at++) {
    *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
  }
  nps_pipe *client = client_new(name);
  register_pipe(l, server, 1);
  REQUIRE_OK(nps_pipe_connect(server));
  end_pipe(client);
  end_pipe(server);
  loop_end(l);
}
