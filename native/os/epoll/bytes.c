/* bytes.c - what moves the bytes of a connection, at once. Every call carries MSG_DONTWAIT: O_NONBLOCK belongs to everybody who
 * shares the descriptor. */
#include "epoll.h"

#include <errno.h>
#include <sys/socket.h>

_Static_assert(sizeof(nps_buffer) == sizeof(struct iovec), "an nps_buffer is an iovec");
_Static_assert(offsetof(nps_buffer, size) == offsetof(struct iovec, iov_len), "an nps_buffer is an iovec");

#define BYTES_MOST 0x40000000u /* bytes of one call; the kernel itself stops at a little less than 2 GiB */

static uint32_t bytes__size(const nps_buffer *buffers, uint32_t count) {
  size_t size = 0;
  for (uint32_t i = 0; i < count && size < BYTES_MOST; i++) {
    size += buffers[i].size < BYTES_MOST ? buffers[i].size : BYTES_MOST;
  }
  return size < BYTES_MOST ? (uint32_t)size : BYTES_MOST;
}

/* *cut: the bytes end at a descriptor, which the kernel has closed: behind it there may be more. A plain call cannot tell that, and costs
 * less. */
static ssize_t bytes__receive(const os_pipe *pipe, const nps_buffer *buffers, uint32_t count, bool *cut) {
  if (count == 1 && pipe->plain && !pipe->shared) {
    *cut = false;
    return recv(pipe->fd, buffers->data, buffers->size, MSG_DONTWAIT);
  }
  struct msghdr message = {.msg_iov = ep_vector(buffers), .msg_iovlen = count};
  ssize_t taken = recvmsg(pipe->fd, &message, MSG_DONTWAIT);
  *cut = (message.msg_flags & MSG_CTRUNC) != 0;
  return taken;
}

static void bytes__take(os_pipe *pipe, const nps_buffer *buffers, uint32_t count, os_completion *done) {
  bool cut;
  ssize_t taken;
  *done = (os_completion){.result = NPS_OK};
  do {
    taken = bytes__receive(pipe, buffers, count, &cut);
  } while (taken < 0 && errno == EINTR);
  if (taken > 0) {
    done->bytes = (uint32_t)taken;
    /* A short read means "drained" unless the peer closed (data and close are one edge) or the stream is cut at a
     * descriptor or at an out-of-band byte, behind which there may be more. */
    if (done->bytes < bytes__size(buffers, count) && !cut && !atomic_load(&pipe->peer_done) &&
        !atomic_load(&pipe->split)) {
      done->flags = OS_DRAINED;
    }
  } else if (taken == 0 || errno == ECONNRESET) { /* reset: it left without reading all; what it sent came first */
    pipe->reset = pipe->reset || taken < 0;
    done->result = ep_result(NPS_END_OF_STREAM, 0);
  } else if (errno == EAGAIN) {
    done->result = ep_result(NPS_WOULD_BLOCK, 0);
  } else {
    done->result = ep_error(errno);
  }
}

void os_pipe_take(os_pipe *pipe, const nps_buffer *buffers, uint32_t count, os_completion *done) {
  if (atomic_load(&pipe->edge_in)) {
    atomic_store(&pipe->edge_in, false); /* before the call: an edge that comes during it stays */
  }
  if (pipe->message) {
    ep_message_take(pipe, buffers, count, done);
  } else {
    bytes__take(pipe, buffers, count, done);
  }
}

static ssize_t bytes__send(const os_pipe *pipe, const nps_buffer *buffers, uint32_t count) {
  if (count == 1) {
    return send(pipe->fd, buffers->data, buffers->size, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  const struct msghdr message = {.msg_iov = ep_vector(buffers), .msg_iovlen = count};
  return sendmsg(pipe->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void os_pipe_give(os_pipe *pipe, const nps_buffer *buffers, uint32_t count, os_completion *done) {
  ssize_t given;
  *done = (os_completion){.result = NPS_OK};
  if (atomic_load(&pipe->edge_out)) {
    atomic_store(&pipe->edge_out, false); /* before the call, as above */
  }
  if (pipe->message && bytes__size(buffers, count) > EP_MESSAGE_MOST) {
    done->result = ep_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_MESSAGE);
    return;
  }
  do {
    given = bytes__send(pipe, buffers, count);
  } while (given < 0 && errno == EINTR);
  if (given >= 0) {
    done->bytes = (uint32_t)given;
  } else {
    pipe->reset = pipe->reset || errno == ECONNRESET;
    done->result = errno == EAGAIN     ? ep_result(NPS_WOULD_BLOCK, 0)
                   : errno == EMSGSIZE ? ep_result(NPS_E_INVALID_ARGUMENT, NPS_ARGUMENT_MESSAGE)
                                       : ep_error(errno);
  }
}
