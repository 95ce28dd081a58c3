/* message.c - message pipes: SOCK_SEQPACKET, where the system keeps the boundaries, and gives a message whole or cuts it. What the caller has
 * no room for is kept here (`rest`), so that it is never cut.
 *
 * A receive of 0 bytes is an empty message or the end. SO_PASSCRED tells them apart: with it every message, and nothing else,
 * brings its sender's credentials. */
#include "epoll.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void ep_message_begin(os_pipe *pipe, int fd) {
  int on = 1;
  (void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, (socklen_t)sizeof on); /* cannot fail on an AF_UNIX socket */
  ep_message_end(pipe);
}

void ep_message_end(os_pipe *pipe) {
  os_free(pipe->rest);
  pipe->rest = NULL;
  pipe->rest_size = pipe->rest_taken = 0;
}

/* Looks at the next message; as much as fits is copied. NPS_OK and its length; NPS_WOULD_BLOCK; NPS_END_OF_STREAM; or an error. */
static nps_result message__look(os_pipe *pipe, const nps_buffer *buffers, uint32_t count, size_t *length) {
  ep_credentials control;
  ssize_t seen;
  do {
    struct msghdr message = {.msg_iov = ep_vector(buffers), .msg_iovlen = count};
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    seen = recvmsg(pipe->fd, &message, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);
    if (seen == 0 && message.msg_controllen == 0) {
      return ep_result(NPS_END_OF_STREAM, 0);
    }
    /* Said once, and before what it sent: it left without reading all. The next look finds the messages. */
    pipe->reset = pipe->reset || (seen < 0 && errno == ECONNRESET);
  } while (seen < 0 && (errno == EINTR || errno == ECONNRESET));
  if (seen >= 0) {
    *length = (size_t)seen;
    return NPS_OK;
  }
  return errno == EAGAIN ? ep_result(NPS_WOULD_BLOCK, 0) : ep_error(errno);
}

/* Takes the message that was looked at, into `memory` if that is not null. 0 or an errno. */
static int message__consume(os_pipe *pipe, void *memory, size_t size) {
  ssize_t taken;
  do {
    taken = recv(pipe->fd, memory, size, MSG_DONTWAIT);
    pipe->reset = pipe->reset || (taken < 0 && errno == ECONNRESET); /* said once; the message is still there */
  } while (taken < 0 && (errno == EINTR || errno == ECONNRESET));
  return taken < 0 ? errno : 0;
}

static uint32_t message__from_rest(os_pipe *pipe, const nps_buffer *buffers, uint32_t count) {
  uint32_t given = 0;
  for (uint32_t i = 0; i < count && pipe->rest_taken < pipe->rest_size; i++) {
    uint32_t left = pipe->rest_size - pipe->rest_taken;
    uint32_t part = buffers[i].size < left ? (uint32_t)buffers[i].size : left;
    if (part != 0) { /* a buffer of no byte may be null */
      memcpy(buffers[i].data, pipe->rest + pipe->rest_taken, part);
    }
    pipe->rest_taken += part;
    given += part;
  }
  return given;
}

static size_t message__room(const nps_buffer *buffers, uint32_t count, size_t enough) {
  size_t room = 0;
  for (uint32_t i = 0; i < count && room < enough; i++) {
    room += buffers[i].size < enough ? buffers[i].size : enough;
  }
  return room;
}

/* The message is longer than the caller's buffers: `room` bytes of it are there already, the rest is kept. 0 or an errno. */
static int message__keep_rest(os_pipe *pipe, size_t length, size_t room) {
  uint8_t *memory = os_alloc(length);
  if (memory == NULL) {
    return ENOMEM; /* the message is still in the system */
  }
  int error = message__consume(pipe, memory, length);
  if (error != 0) {
    os_free(memory);
    return error;
  }
  pipe->rest = memory;
  pipe->rest_size = (uint32_t)length;
  pipe->rest_taken = (uint32_t)room;
  return 0;
}

void ep_message_take(os_pipe *pipe, const nps_buffer *buffers, uint32_t count, os_completion *done) {
  *done = (os_completion){.result = NPS_OK};
  if (pipe->rest != NULL) {
    done->bytes = message__from_rest(pipe, buffers, count);
    if (pipe->rest_taken < pipe->rest_size) {
      done->flags = OS_MORE;
    } else {
      ep_message_end(pipe);
    }
    return;
  }
  size_t length = 0;
  int error = 0;
  done->result = message__look(pipe, buffers, count, &length);
  if (done->result != NPS_OK) {
    return;
  }
  size_t room = message__room(buffers, count, length);
  if (room >= length) {
    error = message__consume(pipe, NULL, 0);
    done->bytes = (uint32_t)length;
  } else {
    if (room != 0) {
      error = message__keep_rest(pipe, length, room);
    }
    done->bytes = (uint32_t)room;
    done->flags = OS_MORE;
  }
  if (error != 0) {
    *done = (os_completion){.result = ep_error(error)};
  }
}

void ep_message_peek(os_pipe *pipe, void *memory, uint32_t size, uint64_t *available, os_completion *done) {
  const nps_buffer one = {memory, size};
  size_t length = 0;
  *done = (os_completion){.result = NPS_OK};
  if (pipe->rest != NULL) {
    length = pipe->rest_size - pipe->rest_taken;
    done->bytes = length < size ? (uint32_t)length : size;
    if (done->bytes != 0) {
      memcpy(memory, pipe->rest + pipe->rest_taken, done->bytes);
    }
  } else {
    done->result = message__look(pipe, &one, size != 0 ? 1 : 0, &length);
    done->bytes = length < size ? (uint32_t)length : size;
  }
  *available = length;
}
