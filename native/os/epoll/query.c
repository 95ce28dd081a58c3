/* query.c - what is known of a connection and of who is at its other end. Nothing here moves a byte, waits, or uses up an edge. */
#include "epoll.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/poll.h> /* not <poll.h>: core has one, and the unit tests see both */
#include <sys/socket.h>

nps_result os_pipe_info(os_pipe *pipe, os_info *info) {
  int size = 0;
  socklen_t length = (socklen_t)sizeof size;
  if (pipe->fd >= 0 && getsockopt(pipe->fd, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0) {
    info->out_buffer_size = (uint32_t)size;
  }
  if (pipe->message && size > EP_MESSAGE_OVERHEAD) {
    uint32_t room = (uint32_t)size - EP_MESSAGE_OVERHEAD;
    info->max_message = room < EP_MESSAGE_MOST ? room : EP_MESSAGE_MOST;
  }
  if (pipe->listener != NULL) {
    ep_listener_count(pipe->listener, &info->instances, &info->max_instances);
  }
  return NPS_OK;
}

void os_pipe_peek(os_pipe *pipe, void *memory, uint32_t size, uint64_t *available, os_completion *done) {
  char byte;
  int there = 0;
  ssize_t seen;
  if (pipe->message) {
    ep_message_peek(pipe, memory, size, available, done);
    return;
  }
  *done = (os_completion){.result = NPS_OK};
  *available = 0;
  do {
    seen = recv(pipe->fd, size != 0 ? memory : &byte, size != 0 ? size : 1, MSG_PEEK | MSG_DONTWAIT);
  } while (seen < 0 && errno == EINTR);
  if (seen > 0) {
    done->bytes = size != 0 ? (uint32_t)seen : 0;
    /* What is there since then counts too; should the system not say, what was seen does. */
    *available = ioctl(pipe->fd, SIOCINQ, &there) == 0 && there > seen ? (uint64_t)there : (uint64_t)seen;
  } else if (seen == 0 || errno == ECONNRESET) {
    pipe->reset = pipe->reset || seen < 0;
    done->result = ep_result(NPS_END_OF_STREAM, 0);
  } else {
    done->result = errno == EAGAIN ? ep_result(NPS_WOULD_BLOCK, 0) : ep_error(errno);
  }
}

/* SIOCOUTQ counts the memory of what was sent and not read: more than its bytes, and 0 when there is nothing. A peer that
 * closes without reading all leaves nothing either, but an error, which whoever meets it first takes away. */
nps_result os_pipe_unread(os_pipe *pipe, uint64_t *unread) {
  int memory = 0;
  if (ioctl(pipe->fd, SIOCOUTQ, &memory) != 0) {
    return ep_error(errno);
  }
  *unread = memory > 0 ? (uint64_t)memory : 0;
  if (memory > 0) {
    return NPS_OK;
  }
  struct pollfd look = {.fd = pipe->fd};
  pipe->reset = pipe->reset || (poll(&look, 1, 0) == 1 && (look.revents & POLLERR) != 0);
  return pipe->reset ? ep_result(NPS_E_BROKEN_PIPE, ECONNRESET) : NPS_OK;
}

nps_result os_pipe_shutdown(os_pipe *pipe) {
  return shutdown(pipe->fd, SHUT_WR) == 0 ? NPS_OK : ep_error(errno);
}

static nps_result query__peer(const os_pipe *pipe, struct ucred *peer) {
  socklen_t size = (socklen_t)sizeof *peer;
  return getsockopt(pipe->fd, SOL_SOCKET, SO_PEERCRED, peer, &size) == 0 ? NPS_OK : ep_error(errno);
}

nps_result os_pipe_peer_process(os_pipe *pipe, bool server, uint32_t *process_id) {
  struct ucred peer = {.pid = 0};
  (void)server;
  nps_result result = query__peer(pipe, &peer);
  *process_id = (uint32_t)peer.pid;
  return result;
}

nps_result os_pipe_peer_user(os_pipe *pipe, bool server, char *user, size_t size) {
  struct ucred peer = {.uid = 0};
  (void)server;
  nps_result result = query__peer(pipe, &peer);
  if (result != NPS_OK) {
    return result;
  }
  int length = snprintf(user, size, "%lu", (unsigned long)peer.uid);
  if (length > 0 && (size_t)length < size) {
    return NPS_OK;
  }
  user[0] = '\0';
  return ep_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_BUFFER);
}

nps_result os_pipe_impersonate(os_pipe *pipe) {
  (void)pipe;
  return ep_result(NPS_E_NOT_SUPPORTED, 0);
}

nps_result os_revert(void) {
  return ep_result(NPS_E_NOT_SUPPORTED, 0);
}
