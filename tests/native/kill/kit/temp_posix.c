/* temp_posix.c - a temp folder of the case's own, so that what the killed leave behind is seen and goes. */
#define _GNU_SOURCE 1

#include "kill.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char s_former[200], s_folder[240];

void kill_temp_begin(void) {
  const char *former = getenv("TMPDIR");
  (void)snprintf(s_former, sizeof s_former, "%s", former != NULL ? former : "");
  (void)snprintf(s_folder, sizeof s_folder, "%s/nps-kill-XXXXXX", s_former[0] != '\0' ? s_former : "/tmp");
  REQUIRE(mkdtemp(s_folder) != NULL);
  REQUIRE(setenv("TMPDIR", s_folder, 1) == 0);
}

/* A socket that was never moved to its name may stay (docs/platforms.md); no name, and no lock. */
void kill_temp_end(void) {
  static const char s_unnamed[] = ".nps-";
  char left[256] = "";
  DIR *folder = opendir(s_folder);
  REQUIRE(folder != NULL);
  for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
      continue;
    }
    if (strncmp(entry->d_name, s_unnamed, sizeof s_unnamed - 1) != 0) {
      (void)snprintf(left, sizeof left, "%s", entry->d_name);
    }
    (void)unlinkat(dirfd(folder), entry->d_name, 0);
  }
  closedir(folder);
  rmdir(s_folder);
  REQUIRE((s_former[0] != '\0' ? setenv("TMPDIR", s_former, 1) : unsetenv("TMPDIR")) == 0);
  if (left[0] != '\0' && !test_has_failed()) {
    FAIL("%s is left", left);
  }
}
