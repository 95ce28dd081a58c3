/* temp_windows.c - names are not files: nothing can be left. */
#include "kill.h"

void kill_temp_begin(void) {}

void kill_temp_end(void) {}
