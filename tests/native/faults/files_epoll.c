/* files_epoll.c - the folder where the sockets of this suite are, and what is in it. */
#define _GNU_SOURCE 1

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explore.h"
#include "test.h"

static char s_folder[64];

void explore_begin_files(void) { /* a case that failed leaves its folder, to be looked at */
  (void)snprintf(s_folder, sizeof s_folder, "/tmp/nps-faults-XXXXXX");
  REQUIRE(mkdtemp(s_folder) != NULL);
  REQUIRE(setenv("TMPDIR", s_folder, 1) == 0);
}

void explore_end_files(void) {
  REQUIRE(rmdir(s_folder) == 0);
  REQUIRE(unsetenv("TMPDIR") == 0);
}

/* A dead socket at a pipe's name, and an empty lock file: the next server of that name replaces the one and takes the other. */
static bool files__may_stay(const char *name) {
  return strncmp(name, "CoreFxPipe_", strlen("CoreFxPipe_")) == 0 ||
         strncmp(name, "NpsMessage_", strlen("NpsMessage_")) == 0 || strncmp(name, "NpsLock_", strlen("NpsLock_")) == 0;
}

unsigned explore_files(bool *stale) {
  unsigned count = 0;
  DIR *folder = opendir(s_folder);
  REQUIRE(folder != NULL);
  *stale = true;
  for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
      continue;
    }
    count++;
    if (!files__may_stay(entry->d_name)) {
      printf("  left: %s\n", entry->d_name);
      *stale = false;
    }
  }
  closedir(folder);
  return count;
}
