/* Who may connect by the socket's file (O1), whose server a client trusts (O4), and inheritance. */
#define _GNU_SOURCE /* setgroups. NOLINT(bugprone-reserved-identifier) */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loop.h"
#include "sys.h"

#define NOBODY 65534
#define THEIR_GROUP 4321

static void needs_root(void) {
  if (geteuid() != 0) {
    test_skip("only root can become another user");
  }
}

static nps_server_options serving_by_mode(const char *name, uint32_t mode, uint32_t group) {
  nps_server_options options = server_options(name);
  options.security = NPS_SECURITY_FILE_MODE;
  options.file_mode = mode;
  options.file_group = group;
  return options;
}

static nps_pipe *create(const nps_server_options *options) {
  nps_pipe *pipe = NULL;
  REQUIRE_OK(nps_pipe_create(options, &pipe));
  return pipe;
}

/* argument: the name, and before it the client's flags as a letter. The answer: the status. */
static int open_as(gid_t group, const char *argument) {
  nps_client_options options = client_options(argument + 1);
  nps_pipe *pipe = NULL;
  options.flags = argument[0] == 'a' ? NPS_CLIENT_ANY_USER : argument[0] == 'c' ? NPS_CLIENT_CURRENT_USER : 0;
  if (setgroups(0, NULL) != 0 || setgid(group) != 0 || setuid(NOBODY) != 0) {
    return 77;
  }
  return -nps_result_status(nps_pipe_open(&options, &pipe));
}

CHILD(child_open_in_their_group) {
  return open_as(THEIR_GROUP, argument);
}

CHILD(child_open_in_no_group) {
  return open_as(NOBODY, argument);
}

static int child_opens(const char *child, char how, const char *name) {
  char argument[200];
  (void)snprintf(argument, sizeof argument, "%c%s", how, name);
  return sys_process_wait(sys_spawn(child, argument));
}

TEST(test_the_file_has_the_mode_and_the_group_whatever_the_umask) { /* O1 */
  struct stat made;
  for (int round = 0; round < 2; round++) {
    const char *name = test_name();
    nps_server_options options = serving_by_mode(name, round == 0 ? 0777 : 0620, getegid());
    mode_t before = umask(round == 0 ? 0077 : 0);
    nps_pipe *server = create(&options);
    umask(before);
    REQUIRE(lstat(peer_full_name(name), &made) == 0);
    REQUIRE_EQUAL(options.file_mode, made.st_mode & 07777u);
    REQUIRE_EQUAL(getegid(), made.st_gid);
    nps_pipe_release(server);
  }
}

TEST(test_a_group_of_clients) { /* O1 */
  needs_root();
  loop *l = loop_new();
  const char *name = test_name();
  nps_server_options options = serving_by_mode(name, 0660, THEIR_GROUP);
  nps_pipe *server = create(&options);
  register_pipe(l, server, 1);
  REQUIRE_EQUAL(0, child_opens("child_open_in_their_group", 'a', name));
  loop_connect(l, 1, server); /* it is let in: nobody cuts it for its credentials */
  REQUIRE_EQUAL(-NPS_E_ACCESS_DENIED, child_opens("child_open_in_no_group", 'a', name));
  end_pipe(server);
  loop_end(l);
}

TEST(test_a_client_trusts_its_own_user_and_root_unless_told_otherwise) { /* O4 */
  needs_root();
  const char *name = test_name();
  nps_server_options options = serving_by_mode(name, 0666, NPS_NO_GROUP);
  nps_pipe *server = create(&options); /* root's */
  REQUIRE_EQUAL(0, child_opens("child_open_in_no_group", 'd', name));
  REQUIRE_EQUAL(0, child_opens("child_open_in_no_group", 'a', name));
  REQUIRE_EQUAL(-NPS_E_ACCESS_DENIED, child_opens("child_open_in_no_group", 'c', name));
  nps_pipe_release(server);
}

TEST(test_instances_of_a_name_agree_in_their_security) { /* O2: the file is there already */
  const char *name = test_name();
  nps_server_options options = serving_by_mode(name, 0660, NPS_NO_GROUP), other = server_options(name);
  nps_pipe *server = create(&options), *second = NULL;
  REQUIRE_STATUS(NPS_E_ACCESS_DENIED, nps_pipe_create(&other, &second));
  other = serving_by_mode(name, 0600, NPS_NO_GROUP);
  REQUIRE_STATUS(NPS_E_ACCESS_DENIED, nps_pipe_create(&other, &second));
  REQUIRE_OK(nps_pipe_create(&options, &second));
  nps_pipe_release(second);
  nps_pipe_release(server);
}

CHILD(child_create_for_a_group) {
  if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0) {
    return 77;
  }
  nps_server_options options = serving_by_mode(argument, 0660, THEIR_GROUP);
  nps_pipe *server = NULL;
  return -nps_result_status(nps_pipe_create(&options, &server));
}

TEST(test_a_group_that_is_not_ours_to_give_leaves_no_file) { /* X3 */
  needs_root();
  const char *name = test_name();
  REQUIRE_EQUAL(-NPS_E_ACCESS_DENIED, sys_process_wait(sys_spawn("child_create_for_a_group", name)));
  REQUIRE(access(peer_full_name(name), F_OK) != 0);
}

static int close_on_exec(nps_pipe *pipe) {
  intptr_t fd = -1;
  REQUIRE_OK(nps_pipe_os_handle(pipe, &fd));
  return fcntl((int)fd, F_GETFD) & FD_CLOEXEC;
}

TEST(test_descriptors_are_inherited_only_if_asked_for) { /* O1 */
  loop *l = loop_new();
  for (int inherit = 0; inherit < 2; inherit++) {
    nps_server_options serving = server_options(test_name());
    nps_client_options opening = client_options(serving.name);
    serving.flags = inherit ? NPS_SERVER_INHERITABLE : 0;
    opening.flags = inherit ? NPS_CLIENT_INHERITABLE : 0;
    nps_pipe *server = create(&serving), *client = NULL;
    register_pipe(l, server, 1);
    for (int round = 0; round < 2; round++) { /* accepted at once, and later */
      if (round == 1) {
        REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_disconnect(server, 1));
      }
      REQUIRE_OK(nps_pipe_open(&opening, &client));
      loop_connect(l, 1, server);
      REQUIRE_EQUAL(inherit, close_on_exec(server) == 0);
      REQUIRE_EQUAL(inherit, close_on_exec(client) == 0);
      end_pipe(client);
    }
    end_pipe(server);
  }
  loop_end(l);
}

/* The connection that comes next, as a program that was started meanwhile has it: a copy of the lowest descriptor that is free now. */
static int lowest_free(void) {
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  REQUIRE(fd >= 0);
  close(fd);
  return fd;
}

static int inherited_copy(int fd) {
  int type, copy = dup(fd);
  socklen_t size = sizeof type;
  REQUIRE(copy >= 0 && getsockopt(copy, SOL_SOCKET, SO_TYPE, &type, &size) == 0);
  return copy;
}

/* How many epoll sets of this process have a descriptor of that number. */
static int watched(int fd) {
  int found = 0;
  DIR *folder = opendir("/proc/self/fdinfo");
  REQUIRE(folder != NULL);
  for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    char path[sizeof "/proc/self/fdinfo/" + sizeof entry->d_name], line[256];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%s", entry->d_name);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
      int tfd;
      found += sscanf(line, "tfd: %d", &tfd) == 1 && tfd == fd;
    }
    if (file != NULL) {
      fclose(file);
    }
  }
  closedir(folder);
  return found;
}

TEST(test_an_inherited_connection_is_watched_no_more_after_close) { /* X3: else each byte for them wakes us */
  loop *l = loop_new();
  nps_client_options opening = client_options(test_name());
  nps_pipe *client = NULL;
  opening.flags = NPS_CLIENT_INHERITABLE;
  peer_server *listening = peer_listen(opening.name, 1);
  int fd = lowest_free();
  REQUIRE_OK(nps_pipe_open(&opening, &client));
  int copy = inherited_copy(fd);
  peer *server = peer_accept(listening);
  register_pipe(l, client, 1);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(client));
  REQUIRE_EQUAL(1, watched(fd));
  end_pipe(client);
  REQUIRE_EQUAL(0, watched(fd));
  close(copy);
  peer_close(server);
  peer_server_close(listening);
  loop_end(l);
}

TEST(test_disconnect_ends_a_connection_that_others_inherited) { /* C8: the client sees a break, never a hang */
  loop *l = loop_new();
  nps_server_options serving = server_options(test_name());
  serving.flags = NPS_SERVER_INHERITABLE;
  nps_pipe *server = create(&serving);
  char bytes[8];
  register_pipe(l, server, 1);
  peer *client = peer_open(serving.name);
  int fd = lowest_free();
  loop_connect(l, 1, server);
  int copy = inherited_copy(fd);
  REQUIRE_OK(try_write(server));
  REQUIRE_OK(nps_pipe_disconnect(server, 0));
  REQUIRE_EQUAL(1, peer_receive(client, bytes, sizeof bytes)); /* what was sent to it stays readable */
  REQUIRE_EQUAL(0, peer_receive(client, bytes, sizeof bytes));
  close(copy);
  peer_close(client);
  end_pipe(server);
  loop_end(l);
}
