/* error.c - errno to status, the one place. */
#include "epoll.h"

#include <errno.h>

nps_result ep_error(int error) {
  uint32_t detail = (uint32_t)error;
  switch (error) {
  case EMFILE:
  case ENFILE:
    return ep_result(NPS_E_TOO_MANY_HANDLES, detail);
  case ENOMEM:
  case ENOBUFS:
    return ep_result(NPS_E_OUT_OF_MEMORY, detail);
  case EACCES:
  case EPERM:
    return ep_result(NPS_E_ACCESS_DENIED, detail);
  case ENAMETOOLONG:
    return ep_result(NPS_E_NAME_TOO_LONG, EP_PATH_LIMIT);
  case EPIPE:
  case ECONNRESET:
    return ep_result(NPS_E_BROKEN_PIPE, detail);
  case ENOTCONN:
    return ep_result(NPS_E_NOT_CONNECTED, detail);
  default:
    return ep_result(NPS_E_IO, detail);
  }
}

nps_result ep_watch_error(int error) {
  return error == ENOSPC ? ep_result(NPS_E_OUT_OF_MEMORY, ENOSPC) : ep_error(error);
}
