/* Security descriptors, handles' inheritance, what a client lets a server do: O1, K3, as the system has them. */
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>
#include <string.h>

#include "loop.h"

static nps_pipe *create(const nps_server_options *options) {
  nps_pipe *pipe = NULL;
  REQUIRE_OK(nps_pipe_create(options, &pipe));
  return pipe;
}

static HANDLE handle_of(nps_pipe *pipe) {
  intptr_t handle = -1;
  REQUIRE_OK(nps_pipe_os_handle(pipe, &handle));
  return (HANDLE)handle;
}

static bool inheritable(nps_pipe *pipe) {
  DWORD flags = 0;
  REQUIRE(GetHandleInformation(handle_of(pipe), &flags));
  return (flags & HANDLE_FLAG_INHERIT) != 0;
}

TEST(test_handles_are_inherited_only_if_asked_for) { /* O1 */
  for (int inherit = 0; inherit < 2; inherit++) {
    nps_server_options serving = server_options(test_name());
    nps_client_options opening = client_options(serving.name);
    serving.flags = inherit ? NPS_SERVER_INHERITABLE : 0;
    opening.flags = inherit ? NPS_CLIENT_INHERITABLE : 0;
    nps_pipe *server = create(&serving), *client = NULL;
    REQUIRE_OK(nps_pipe_open(&opening, &client));
    REQUIRE_EQUAL(inherit, inheritable(server));
    REQUIRE_EQUAL(inherit, inheritable(client));
    end_pipe(client);
    end_pipe(server);
  }
}

/* The pipe's handle as a program that was started meanwhile has it. Asking the pipe for its handle would say that it is lent. */
static HANDLE inherited_copy(void) {
  HANDLE copy = NULL;
  for (uintptr_t value = 4; value < 0x4000 && copy == NULL; value += 4) {
    DWORD flags = 0;
    HANDLE handle = (HANDLE)value;
    if (GetHandleInformation(handle, &flags) && (flags & HANDLE_FLAG_INHERIT) != 0 &&
        GetNamedPipeInfo(handle, NULL, NULL, NULL, NULL)) {
      REQUIRE(
          DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, 0, FALSE, DUPLICATE_SAME_ACCESS));
    }
  }
  REQUIRE(copy != NULL);
  return copy;
}

TEST(test_a_close_ends_what_is_pending_though_others_inherited_the_handle) { /* X1, P7 */
  for (int connected = 0; connected < 2; connected++) {
    loop *l = loop_new();
    nps_server_options serving = server_options(test_name());
    serving.flags = NPS_SERVER_INHERITABLE;
    nps_pipe *server = create(&serving);
    HANDLE copy = inherited_copy();
    peer *client = NULL;
    register_pipe(l, server, 1);
    if (connected) {
      client = peer_open(serving.name);
      loop_connect(l, 1, server); /* and a read waits */
    } else {
      REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
    }
    end_pipe(server);
    loop_end(l); /* returns when the system has let go of every buffer */
    CloseHandle(copy);
    if (client != NULL) {
      peer_close(client);
    }
  }
}

TEST(test_a_clients_close_ends_its_read_though_others_inherited_the_handle) { /* X1, P7 */
  loop *l = loop_new();
  nps_client_options opening = client_options(test_name());
  opening.flags = NPS_CLIENT_INHERITABLE;
  peer_server *listening = peer_listen(opening.name, 1);
  nps_pipe *client = NULL;
  REQUIRE_OK(nps_pipe_open(&opening, &client));
  HANDLE copy = inherited_copy();
  peer *server = peer_accept(listening);
  register_pipe(l, client, 1);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(client));
  end_pipe(client);
  loop_end(l);
  CloseHandle(copy);
  peer_close(server);
  peer_server_close(listening);
}

static void require_descriptor(nps_pipe *pipe, SECURITY_INFORMATION what, const char *part) {
  PSECURITY_DESCRIPTOR descriptor = NULL;
  char *text = NULL;
  REQUIRE_EQUAL(
      ERROR_SUCCESS, GetSecurityInfo(handle_of(pipe), SE_KERNEL_OBJECT, what, NULL, NULL, NULL, NULL, &descriptor));
  REQUIRE(ConvertSecurityDescriptorToStringSecurityDescriptorA(descriptor, SDDL_REVISION_1, what, &text, NULL));
  if (strstr(text, part) == NULL) {
    FAIL("the descriptor is %s, without %s", text, part);
  }
  LocalFree(text);
  LocalFree(descriptor);
}

TEST(test_the_callers_descriptor_is_the_pipes) { /* O1 */
  nps_server_options serving = server_options(test_name());
  serving.security = NPS_SECURITY_DESCRIPTOR;
  serving.descriptor = "D:(A;;FA;;;WD)(A;;0x12019b;;;BG)";
  nps_pipe *server = create(&serving), *second = create(&serving);
  require_descriptor(server, DACL_SECURITY_INFORMATION, ";WD)");
  require_descriptor(server, DACL_SECURITY_INFORMATION, ";BG)");
  end_pipe(second);
  end_pipe(server);
}

TEST(test_current_elevation_labels_the_pipe) { /* O1 */
  nps_server_options serving = server_options(test_name());
  serving.security = NPS_SECURITY_CURRENT_ELEVATION;
  nps_pipe *server = create(&serving);
  ACL *label = NULL;
  PSECURITY_DESCRIPTOR descriptor = NULL;
  void *entry = NULL;
  REQUIRE_EQUAL(ERROR_SUCCESS, GetSecurityInfo(handle_of(server), SE_KERNEL_OBJECT, LABEL_SECURITY_INFORMATION, NULL,
                                   NULL, NULL, &label, &descriptor));
  REQUIRE(label != NULL && GetAce(label, 0, &entry));
  const SYSTEM_MANDATORY_LABEL_ACE *found = entry;
  REQUIRE_EQUAL(SYSTEM_MANDATORY_LABEL_ACE_TYPE, found->Header.AceType);
  REQUIRE_EQUAL(SYSTEM_MANDATORY_LABEL_NO_WRITE_UP | SYSTEM_MANDATORY_LABEL_NO_READ_UP, found->Mask);
  LocalFree(descriptor);
  end_pipe(server);
}

TEST(test_a_server_can_act_only_as_far_as_its_client_lets_it) { /* K3, I2 */
  loop *l = loop_new();
  static const SECURITY_IMPERSONATION_LEVEL expected[] = {
      SecurityIdentification, SecurityIdentification, SecurityAnonymous, SecurityImpersonation, SecurityDelegation};
  for (uint32_t level = 0; level <= NPS_IMPERSONATION_DELEGATION; level++) {
    const char *name = test_name();
    nps_pipe *server = server_new(name), *client = NULL;
    nps_client_options opening = client_options(name);
    opening.impersonation = level;
    REQUIRE_OK(nps_pipe_open(&opening, &client));
    register_pipe(l, server, 1);
    register_pipe(l, client, 2);
    loop_connect(l, 1, server);
    size_t count;
    char byte;
    REQUIRE_OK(write_pipe(client, "x", 1, &count));
    REQUIRE_EQUAL(1, loop_read(l, 1, server, &byte, 1));
    REQUIRE_OK(nps_pipe_impersonate(server));
    HANDLE token = NULL;
    SECURITY_IMPERSONATION_LEVEL found = SecurityAnonymous;
    DWORD used = 0;
    if (OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) { /* an anonymous one cannot be opened */
      (void)GetTokenInformation(token, TokenImpersonationLevel, &found, sizeof found, &used);
      CloseHandle(token);
    }
    REQUIRE_OK(nps_revert());
    REQUIRE_EQUAL(expected[level], found);
    end_pipe(client);
    end_pipe(server);
  }
  loop_end(l);
}
