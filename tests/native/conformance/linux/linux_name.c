/* The socket's file: whose it may be, what is never touched, who gets in: O4, K1, C8. */
#define _GNU_SOURCE 1

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop.h"
#include "sys.h"

#define NOBODY 65534

static nps_result create_and_release(const char *name) {
  nps_server_options options = server_options(name);
  nps_pipe *pipe = NULL;
  nps_result result = nps_pipe_create(&options, &pipe);
  REQUIRE((result == NPS_OK) == (pipe != NULL));
  nps_pipe_release(pipe);
  return result;
}

static nps_result open_and_release(const char *name) {
  nps_client_options options = client_options(name);
  nps_pipe *pipe = NULL;
  nps_result result = nps_pipe_open(&options, &pipe);
  nps_pipe_release(pipe);
  return result;
}

TEST(test_a_living_servers_name_is_denied) { /* O4, dotnet runtime #131203 */
  const char *name = test_name();
  peer_server *living = peer_listen(name, 5);
  for (int i = 0; i < 10; i++) {
    nps_result result = create_and_release(name);
    REQUIRE_STATUS(NPS_E_ACCESS_DENIED, result);
    REQUIRE_EQUAL(EADDRINUSE, nps_result_detail(result));
    peer *seen = peer_accept(living); /* our look: it knows a client that came and left */
    peer_close(seen);
  }
  peer *client = peer_open(name); /* nobody took its socket away */
  peer *accepted = peer_accept(living);
  REQUIRE(peer_send(client, "x", 1));
  char byte;
  peer_receive_exactly(accepted, &byte, 1);
  peer_close(client);
  peer_close(accepted);
  peer_server_close(living);
}

TEST(test_a_living_server_with_a_full_backlog_is_denied) { /* O4 */
  const char *name = test_name();
  peer_server *living = peer_listen(name, 0);
  peer *clients[64], *more = NULL;
  int count = 0;
  while (peer_try_open(name, &more) == PEER_OPENED) {
    REQUIRE(count < 64);
    clients[count++] = more;
  }
  REQUIRE_STATUS(NPS_E_ACCESS_DENIED, create_and_release(name));
  while (count > 0) {
    peer_close(clients[--count]);
  }
  peer_server_close(living);
}

TEST(test_dotnet_131203_a_second_process_does_not_take_the_name) { /* O4: ours, without the flag */
  const char *name = test_name();
  nps_pipe *server = server_new(name);
  sys_process *second = sys_spawn("child_create", name);
  REQUIRE_EQUAL(-NPS_E_ACCESS_DENIED, sys_process_wait(second));
  loop *l = loop_new();
  register_pipe(l, server, 1);
  peer *client = peer_open(name);
  loop_connect(l, 1, server);
  peer_close(client);
  end_pipe(server);
  loop_end(l);
}

/* In a process of its own. */
CHILD(child_create) {
  nps_server_options options = server_options(argument);
  nps_pipe *pipe = NULL;
  /* After fork this process has a copy of the parent's table of names; a fresh path to the same file keeps that out
   * of it. */
  char path[200];
  const char *folder = getenv("TMPDIR") != NULL && getenv("TMPDIR")[0] != '\0' ? getenv("TMPDIR") : "/tmp";
  (void)snprintf(path, sizeof path, "%s/./CoreFxPipe_%s", folder, argument);
  options.name = path;
  return -nps_result_status(nps_pipe_create(&options, &pipe));
}

TEST(test_a_dead_socket_is_replaced) { /* O4 */
  for (int i = 0; i < 20; i++) {
    const char *name = test_name();
    peer_leave_dead_name(name);
    REQUIRE(access(peer_full_name(name), F_OK) == 0);
    REQUIRE_STATUS(NPS_E_NOT_FOUND, open_and_release(name));
    loop *l = loop_new();
    nps_pipe *server = server_new(name);
    register_pipe(l, server, 1);
    peer *client = peer_open(name);
    loop_connect(l, 1, server);
    peer_close(client);
    end_pipe(server);
    loop_end(l);
    REQUIRE(access(peer_full_name(name), F_OK) != 0);
  }
}

TEST(test_a_file_that_is_no_socket_is_not_touched) { /* O4 */
  const char *name = test_name(), *path = peer_full_name(name);
  char text[20] = {0};
  FILE *file = fopen(path, "w");
  REQUIRE(file != NULL);
  const bool written = fputs("precious", file) >= 0;
  REQUIRE(fclose(file) == 0 && written);
  REQUIRE_STATUS(NPS_E_NOT_A_PIPE, create_and_release(name));
  REQUIRE_STATUS(NPS_E_NOT_A_PIPE, create_and_release(path));
  REQUIRE_STATUS(NPS_E_NOT_A_PIPE, open_and_release(name));
  file = fopen(path, "r");
  REQUIRE(file != NULL);
  const char *line = fgets(text, sizeof text, file);
  (void)fclose(file);
  REQUIRE(line != NULL && strcmp(text, "precious") == 0);
  unlink(path);
}

TEST(test_a_name_may_end_as_any_of_our_own_files_does) { /* O1: names are independent of each other */
  const char *name = test_name();
  char other[200];
  (void)snprintf(other, sizeof other, "%s.lock", name);
  nps_pipe *first = server_new(other);
  REQUIRE_OK(create_and_release(name));
  REQUIRE_STATUS(NPS_E_NOT_FOUND, open_and_release(name)); /* it was given up, too */
  REQUIRE(access(peer_full_name(name), F_OK) != 0);
  REQUIRE_OK(open_and_release(other));
  end_pipe(first);
}

typedef struct taking {
  const char *name;
  sys_atomic begun, ended;
  nps_result result;
} taking;

static void take_a_name(void *context) {
  taking *t = context;
  sys_atomic_set(&t->begun, 1);
  t->result = create_and_release(t->name);
  sys_atomic_set(&t->ended, 1);
}

/* Another process was stopped while it had that name's lock; as long as that lasts, this test has it. */
TEST(test_a_name_that_is_slow_to_take_holds_up_no_other) { /* nps_pipe_release never blocks, nps_pipe_info neither */
  taking *t = test_new(sizeof *t);
  t->name = test_name();
  nps_pipe *server = server_new(test_name());
  char path[200];
  const char *socket_path = peer_full_name(t->name), *file = strrchr(socket_path, '/') + 1;
  (void)snprintf(path, sizeof path, "%.*sNpsLock_%s", (int)(file - socket_path), socket_path, file);
  int lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  REQUIRE(lock >= 0 && flock(lock, LOCK_EX) == 0);
  sys_thread *thread = sys_thread_start(take_a_name, t);
  while (sys_atomic_get(&t->begun) == 0) {
    sys_yield();
  }
  for (uint64_t until = sys_now_ms() + 100; sys_now_ms() < until;) { /* much less than it waits for the lock */
    nps_info info = {.size = sizeof info};
    REQUIRE_OK(nps_pipe_info(server, &info));
    nps_pipe_release(server_new(test_name()));
  }
  REQUIRE_EQUAL(0, sys_atomic_get(&t->ended));
  close(lock);
  sys_thread_join(thread);
  REQUIRE_OK(t->result);
  end_pipe(server);
}

TEST(test_folders_links_and_fifos_are_not_touched) { /* O4 */
  const char *name = test_name(), *path = peer_full_name(name);
  struct stat there;
  REQUIRE(mkdir(path, 0700) == 0);
  REQUIRE_STATUS(NPS_E_NOT_A_PIPE, create_and_release(name));
  REQUIRE(rmdir(path) == 0);
  REQUIRE(mkfifo(path, 0600) == 0);
  REQUIRE_STATUS(NPS_E_NOT_A_PIPE, create_and_release(name));
  REQUIRE(unlink(path) == 0);
  REQUIRE(symlink("/nowhere/at/all", path) == 0);
  REQUIRE_STATUS(NPS_E_NOT_A_PIPE, create_and_release(name));
  REQUIRE(lstat(path, &there) == 0 && S_ISLNK(there.st_mode));
  REQUIRE(unlink(path) == 0);
  REQUIRE_OK(create_and_release(name));
}

TEST(test_a_datagram_socket_is_not_a_pipe) { /* O4 */
  const char *name = test_name();
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", peer_full_name(name));
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
  REQUIRE_STATUS(NPS_E_NOT_A_PIPE, create_and_release(name));
  REQUIRE_STATUS(NPS_E_NOT_A_PIPE, open_and_release(name));
  REQUIRE(access(address.sun_path, F_OK) == 0);
  close(fd);
  unlink(address.sun_path);
}

TEST(test_closing_removes_only_our_own_socket) { /* O4 */
  const char *name = test_name(), *path = peer_full_name(name);
  nps_pipe *server = server_new(name);
  REQUIRE(unlink(path) == 0); /* somebody takes it away and serves there himself */
  peer_server *other = peer_listen(name, 5);
  nps_pipe_release(server);
  peer *client = peer_open(name);
  peer_close(client);
  peer_server_close(other);
}

TEST(test_only_the_current_user_gets_in) { /* K1, O1 */
  const char *name = test_name(), *path = peer_full_name(name);
  struct stat made;
  mode_t before = umask(0); /* the mode does not hang on it */
  nps_pipe *server = server_new(name);
  umask(before);
  REQUIRE(lstat(path, &made) == 0);
  REQUIRE_EQUAL(0600, made.st_mode & 07777u);
  REQUIRE_EQUAL(geteuid(), made.st_uid);
  nps_pipe_release(server);
}

TEST(test_no_file_is_left_behind) { /* X3 */
  char folder[] = "/tmp/nps-test-XXXXXX", path[100];
  REQUIRE(mkdtemp(folder) != NULL);
  (void)snprintf(path, sizeof path, "%s/pipe", folder);
  nps_pipe *one = server_new(path), *two = server_new(path);
  REQUIRE_STATUS(NPS_E_NOT_FOUND, open_and_release("no-such-name"));
  nps_pipe_release(one);
  REQUIRE(access(path, F_OK) == 0);
  nps_pipe_release(two);
  REQUIRE(rmdir(folder) == 0); /* empty */
}

/* ---- another user ---- */

static void become_nobody(void) {
  if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0) {
    sys_exit_now(77);
  }
}

CHILD(child_open_as_nobody) {
  nps_client_options options = client_options(argument);
  nps_pipe *pipe = NULL;
  become_nobody();
  return -nps_result_status(nps_pipe_open(&options, &pipe));
}

CHILD(child_create_as_nobody) {
  nps_server_options options = server_options(argument);
  nps_pipe *pipe = NULL;
  become_nobody();
  return -nps_result_status(nps_pipe_create(&options, &pipe));
}

/* Connects without the library: 0 = cut without an answer, 1 = answered, 2 = not let in. */
CHILD(child_knock_as_nobody) {
  become_nobody();
  peer *end = NULL;
  if (peer_try_open(argument, &end) != PEER_OPENED) {
    return 2;
  }
  char byte;
  return peer_receive(end, &byte, 1) == 1;
}

static void needs_root(void) {
  if (geteuid() != 0) {
    test_skip("only root can become another user");
  }
}

TEST(test_another_user_is_denied) { /* K1 */
  needs_root();
  const char *name = test_name();
  nps_pipe *server = server_new(name);
  REQUIRE_EQUAL(-NPS_E_ACCESS_DENIED, sys_process_wait(sys_spawn("child_open_as_nobody", name)));
  nps_pipe_release(server);
  REQUIRE_EQUAL(-NPS_E_NOT_FOUND, sys_process_wait(sys_spawn("child_open_as_nobody", name)));
}

TEST(test_a_folder_that_may_not_be_entered_is_denied) { /* K1 */
  needs_root();
  char folder[] = "/tmp/nps-test-XXXXXX", path[100];
  REQUIRE(mkdtemp(folder) != NULL); /* 0700 */
  (void)snprintf(path, sizeof path, "%s/pipe", folder);
  nps_pipe *server = server_new(path);
  REQUIRE_EQUAL(-NPS_E_ACCESS_DENIED, sys_process_wait(sys_spawn("child_open_as_nobody", path)));
  nps_pipe_release(server);
  REQUIRE_EQUAL(-NPS_E_ACCESS_DENIED, sys_process_wait(sys_spawn("child_create_as_nobody", path)));
  REQUIRE(rmdir(folder) == 0);
}

TEST(test_another_user_who_got_through_the_file_is_cut) { /* O1, C8: the peer's credentials are looked at, too */
  needs_root();
  const char *name = test_name();
  loop *l = loop_new();
  nps_pipe *server = server_new(name);
  register_pipe(l, server, 1);
  REQUIRE_STATUS(NPS_WOULD_BLOCK, nps_pipe_connect(server));
  REQUIRE(chmod(peer_full_name(name), 0666) == 0);
  sys_process *stranger = sys_spawn("child_knock_as_nobody", name);
  for (int i = 0; i < 10; i++) {
    loop_pump(l, 20); /* accepting happens here */
  }
  peer *friend = peer_open(name); /* the stranger was not taken for the client */
  loop_connect(l, 1, server);
  REQUIRE_OK(try_write(server));
  char byte;
  peer_receive_exactly(friend, &byte, 1);
  REQUIRE_EQUAL(0, sys_process_wait(stranger));
  peer_close(friend);
  end_pipe(server);
  loop_end(l);
}

CHILD(child_serve_as_nobody) {
  become_nobody();
  peer_server *server = peer_listen(argument, 5);
  chmod(peer_full_name(argument), 0666);
  for (ptrdiff_t got = 0; got != 1;) { /* until somebody says a word */
    char byte;
    peer *client = peer_accept(server);
    got = peer_receive(client, &byte, 1);
    peer_close(client);
  }
  peer_server_close(server);
  return 0;
}

TEST(test_a_client_does_not_talk_to_another_users_server) { /* O4: a name that somebody squats on */
  needs_root();
  const char *name = test_name();
  sys_process *squatter = sys_spawn("child_serve_as_nobody", name);
  uint64_t deadline = test_deadline();
  while (access(peer_full_name(name), F_OK) != 0) {
    REQUIRE(!test_expired(deadline));
    sys_yield();
  }
  nps_result result = NPS_E_NOT_FOUND * ((nps_result)1 << 32);
  while (nps_result_status(result) == NPS_E_NOT_FOUND && !test_expired(deadline)) { /* until it listens */
    result = open_and_release(name);
  }
  REQUIRE_STATUS(NPS_E_ACCESS_DENIED, result);
  REQUIRE_STATUS(NPS_E_ACCESS_DENIED, create_and_release(name));
  peer *end = peer_open(name);
  REQUIRE(peer_send(end, "q", 1));
  peer_close(end);
  REQUIRE_EQUAL(0, sys_process_wait(squatter));
  unlink(peer_full_name(name));
}
