/* connection.h - a server instance's way from idle to connected and back. The pipe's lock is held in all of them. */
#ifndef NPS_CORE_CONNECTION_H
#define NPS_CORE_CONNECTION_H

#include "pipe.h"

nps_result connection_connect(nps_pipe *pipe);
nps_result connection_disconnect(nps_pipe *pipe);
nps_result connection_retire(nps_pipe *pipe);
void connection_complete(nps_pipe *pipe, const os_completion *completion);

#endif
