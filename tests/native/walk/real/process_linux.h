/* process_linux.h - what system_linux.c and process_linux.c tell each other. */
#ifndef NPS_WALK_LINUX_H
#define NPS_WALK_LINUX_H

const char *linux_folder(void); /* of the sockets, this program's own */

#endif
