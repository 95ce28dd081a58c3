/* NPS_INTEREST_ON_DEMAND keeps descriptors out of the epoll set, which /proc shows. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"

/* Whether the descriptor is in an epoll set of this process. */
static bool is_watched(intptr_t fd) {
  DIR *folder = opendir("/proc/self/fdinfo");
  REQUIRE(folder != NULL);
  bool found = false;
  for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    char path[300], line[200];
    int watched;
    (void)snprintf(path, sizeof path, "/proc/self/fdinfo/%s", entry->d_name);
    FILE *info = fopen(path, "r");
    while (info != NULL && fgets(line, sizeof line, info) != NULL) {
      found = found || (sscanf(line, "tfd: %d", &watched) == 1 && watched == (int)fd);
    }
    if (info != NULL) {
      (void)fclose(info);
    }
  }
  (void)closedir(folder);
  return found;
}

static intptr_t fd_of(nps_pipe *pipe) {
  intptr_t fd = -1;
  REQUIRE_OK(nps_pipe_os_handle(pipe, &fd));
  return fd;
}

TEST(test_on_demand_nothing_enters_the_epoll_set_before_a_would_block) {
  loop *l = loop_new();
  const char *name = test_name();
  nps_pipe *server = server_new(name), *client = client_new(name);
  char memory[100];
  size_t count;
  REQUIRE_OK(nps_pipe_register(server, l->poll, 1, BOTH_INTERESTS | NPS_INTEREST_ON_DEMAND));
  REQUIRE_OK(
      nps_pipe_register(client, l->poll, 2, NPS_INTEREST_WRITABLE | NPS_INTEREST_ON_DEMAND)); /* no CLOSE_PROBE */
  loop_connect(l, 1, server);
  for (int i = 0; i < 10; i++) {
    REQUIRE_OK(write_pipe(client, "abc", 3, &count));
    REQUIRE_OK(read_pipe(server, memory, sizeof memory, &count)); /* short */
    REQUIRE_OK(write_pipe(server, "abc", 3, &count));
    REQUIRE_OK(read_pipe(client, memory, 3, &count));
  }
  loop_pump(l, 0);
  REQUIRE(!is_watched(fd_of(server)) && !is_watched(fd_of(client)));
  REQUIRE_STATUS(NPS_WOULD_BLOCK, try_read(server));
  REQUIRE(is_watched(fd_of(server)) && !is_watched(fd_of(client)));
  (void)write_until_full(client, 1);
  REQUIRE(is_watched(fd_of(client)));
  end_pipe(client);
  end_pipe(server);
  loop_end(l);
}

TEST(test_without_on_demand_a_connected_end_is_watched_at_once) {
  loop *l = loop_new();
  linked one = link_new(l, 1, OUR_CLIENT);
  REQUIRE(is_watched(fd_of(one.pipe)));
  link_end(one);
  loop_end(l);
}
