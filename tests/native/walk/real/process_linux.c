/* process_linux.c - the process around the walk on Linux: its folder, its descriptors, and the end of one that hangs. */
#define _GNU_SOURCE 1 /* mkdtemp */

#include "real.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "process_linux.h"

#define PROCESS_EPISODE_S 30u /* an episode takes about a second: one that takes so long hangs */

static char process__folder[] = "/tmp/npswalkXXXXXX";
static bool process__has_folder;
static uint32_t process__descriptors;

const char *linux_folder(void) { return process__folder; }

/* Removes what is in the folder; how many things that was, and the last one's name. */
static uint32_t process__clear(char *last, size_t size) {
  uint32_t count = 0;
  DIR *folder = opendir(process__folder);
  if (folder == NULL) return 0;
  for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    char path[300];
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    count++;
    (void)snprintf(last, size, "%s", entry->d_name);
    (void)snprintf(path, sizeof path, "%s/%s", process__folder, entry->d_name);
    (void)unlink(path);
  }
  closedir(folder);
  return count;
}

static void process__remove_folder(void) {
  char last[256];
  if (!process__has_folder) return;
  (void)process__clear(last, sizeof last);
  (void)rmdir(process__folder);
}

static char process__message[200]; /* of the episode, for one that hangs */

static void process__hangs(int number) {
  (void)number;
  (void)!write(STDOUT_FILENO, process__message, strlen(process__message));
  _exit(1); /* what is in the folder stays */
}

static uint32_t process__count_descriptors(void) {
  uint32_t count = 0;
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL) walk_fail("the walk: /proc/self/fd cannot be read");
  for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) count++;
  closedir(folder);
  return count;
}

void system_begin(const char *label) {
  if (!process__has_folder) {
    if (mkdtemp(process__folder) == NULL || setenv("TMPDIR", process__folder, 1) != 0) walk_fail("the walk: no folder");
    process__has_folder = true;
    (void)atexit(process__remove_folder);
    (void)signal(SIGALRM, process__hangs);
    (void)process__count_descriptors(); /* what reading a folder keeps is kept from now on */
  }
  (void)snprintf(process__message, sizeof process__message, "FAIL seed-episode %s (epoll): a call does not return\n", label);
  (void)alarm(PROCESS_EPISODE_S);
  process__descriptors = process__count_descriptors();
}

void system_finish(void) {
  char left[256];
  const uint32_t descriptors = process__count_descriptors();
  if (process__clear(left, sizeof left) != 0) walk_fail("X3: %s is left in the folder", left);
  if (descriptors != process__descriptors) walk_fail("X3: %u descriptors before, %u after", process__descriptors, descriptors);
  (void)alarm(0);
}
