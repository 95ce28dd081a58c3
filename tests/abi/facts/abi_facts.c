#include "abi_facts.h"

#include <stddef.h>

#include "nps.h"

#define STRUCT(type) { #type, 0, (int32_t)sizeof(type), ABI_STRUCT }
#define FIELD(type, field) \
  { #type "." #field, (int64_t)offsetof(type, field), (int32_t)sizeof(((type *)0)->field), ABI_FIELD }
#define ENUM(type) { #type, 0, (int32_t)sizeof(type), ABI_ENUM }
#define MEMBER(type, member) { #type "." #member, (int64_t)(member), 0, ABI_MEMBER }
#define CONSTANT(name) { #name, (int64_t)(name), 0, ABI_CONSTANT }
#define TYPE(type) { #type, 0, (int32_t)sizeof(type), ABI_TYPE }

static const abi_fact facts[] = {
  STRUCT(nps_poll_options),
  FIELD(nps_poll_options, size),
  FIELD(nps_poll_options, pool_buffers),
  FIELD(nps_poll_options, pool_buffer_size),
  FIELD(nps_poll_options, flags),

  STRUCT(nps_server_options),
  FIELD(nps_server_options, size),
  FIELD(nps_server_options, direction),
  FIELD(nps_server_options, name),
  FIELD(nps_server_options, max_instances),
  FIELD(nps_server_options, flags),
  FIELD(nps_server_options, in_buffer_size),
  FIELD(nps_server_options, out_buffer_size),
  FIELD(nps_server_options, read_ahead),
  FIELD(nps_server_options, write_limit),
  FIELD(nps_server_options, mode),
  FIELD(nps_server_options, default_timeout_ms),
  FIELD(nps_server_options, security),
  FIELD(nps_server_options, file_mode),
  FIELD(nps_server_options, file_group),
  FIELD(nps_server_options, reserved),
  FIELD(nps_server_options, descriptor),

  STRUCT(nps_client_options),
  FIELD(nps_client_options, size),
  FIELD(nps_client_options, direction),
  FIELD(nps_client_options, name),
  FIELD(nps_client_options, timeout_ms),
  FIELD(nps_client_options, flags),
  FIELD(nps_client_options, read_ahead),
  FIELD(nps_client_options, write_limit),
  FIELD(nps_client_options, reserved),
  FIELD(nps_client_options, mode),
  FIELD(nps_client_options, impersonation),
  FIELD(nps_client_options, server),

  STRUCT(nps_adopt_options),
  FIELD(nps_adopt_options, size),
  FIELD(nps_adopt_options, flags),
  FIELD(nps_adopt_options, read_ahead),
  FIELD(nps_adopt_options, write_limit),

  STRUCT(nps_info),
  FIELD(nps_info, size),
  FIELD(nps_info, direction),
  FIELD(nps_info, mode),
  FIELD(nps_info, end),
  FIELD(nps_info, in_buffer_size),
  FIELD(nps_info, out_buffer_size),
  FIELD(nps_info, max_instances),
  FIELD(nps_info, instances),
  FIELD(nps_info, max_message),

  STRUCT(nps_buffer),
  FIELD(nps_buffer, data),
  FIELD(nps_buffer, size),

  STRUCT(nps_event),
  FIELD(nps_event, token),
  FIELD(nps_event, readiness),
  FIELD(nps_event, reserved),

  ENUM(nps_status),
  MEMBER(nps_status, NPS_OK),
  MEMBER(nps_status, NPS_WOULD_BLOCK),
  MEMBER(nps_status, NPS_END_OF_STREAM),
  MEMBER(nps_status, NPS_MORE_DATA),
  MEMBER(nps_status, NPS_E_INVALID_ARGUMENT),
  MEMBER(nps_status, NPS_E_OUT_OF_MEMORY),
  MEMBER(nps_status, NPS_E_CLOSED),
  MEMBER(nps_status, NPS_E_NOT_REGISTERED),
  MEMBER(nps_status, NPS_E_ALREADY_REGISTERED),
  MEMBER(nps_status, NPS_E_WAIT_BUSY),
  MEMBER(nps_status, NPS_E_NOT_FOUND),
  MEMBER(nps_status, NPS_E_PIPE_BUSY),
  MEMBER(nps_status, NPS_E_ACCESS_DENIED),
  MEMBER(nps_status, NPS_E_NAME_TOO_LONG),
  MEMBER(nps_status, NPS_E_NOT_A_PIPE),
  MEMBER(nps_status, NPS_E_NOT_OVERLAPPED),
  MEMBER(nps_status, NPS_E_NOT_CONNECTED),
  MEMBER(nps_status, NPS_E_BROKEN_PIPE),
  MEMBER(nps_status, NPS_E_TIMED_OUT),
  MEMBER(nps_status, NPS_E_TOO_MANY_HANDLES),
  MEMBER(nps_status, NPS_E_NOT_SUPPORTED),
  MEMBER(nps_status, NPS_E_IO),

  ENUM(nps_argument),
  MEMBER(nps_argument, NPS_ARGUMENT_NONE),
  MEMBER(nps_argument, NPS_ARGUMENT_POLL),
  MEMBER(nps_argument, NPS_ARGUMENT_PIPE),
  MEMBER(nps_argument, NPS_ARGUMENT_RESULT),
  MEMBER(nps_argument, NPS_ARGUMENT_OPTIONS),
  MEMBER(nps_argument, NPS_ARGUMENT_OPTIONS_SIZE),
  MEMBER(nps_argument, NPS_ARGUMENT_NAME),
  MEMBER(nps_argument, NPS_ARGUMENT_DIRECTION),
  MEMBER(nps_argument, NPS_ARGUMENT_MAX_INSTANCES),
  MEMBER(nps_argument, NPS_ARGUMENT_FLAGS),
  MEMBER(nps_argument, NPS_ARGUMENT_IN_BUFFER_SIZE),
  MEMBER(nps_argument, NPS_ARGUMENT_OUT_BUFFER_SIZE),
  MEMBER(nps_argument, NPS_ARGUMENT_READ_AHEAD),
  MEMBER(nps_argument, NPS_ARGUMENT_WRITE_LIMIT),
  MEMBER(nps_argument, NPS_ARGUMENT_TIMEOUT),
  MEMBER(nps_argument, NPS_ARGUMENT_POOL_BUFFERS),
  MEMBER(nps_argument, NPS_ARGUMENT_POOL_BUFFER_SIZE),
  MEMBER(nps_argument, NPS_ARGUMENT_EVENTS),
  MEMBER(nps_argument, NPS_ARGUMENT_CAPACITY),
  MEMBER(nps_argument, NPS_ARGUMENT_INTEREST),
  MEMBER(nps_argument, NPS_ARGUMENT_BUFFER),
  MEMBER(nps_argument, NPS_ARGUMENT_HANDLE),
  MEMBER(nps_argument, NPS_ARGUMENT_LINGER),
  MEMBER(nps_argument, NPS_ARGUMENT_INFO_SIZE),
  MEMBER(nps_argument, NPS_ARGUMENT_MODE),
  MEMBER(nps_argument, NPS_ARGUMENT_SECURITY),
  MEMBER(nps_argument, NPS_ARGUMENT_FILE_MODE),
  MEMBER(nps_argument, NPS_ARGUMENT_DESCRIPTOR),
  MEMBER(nps_argument, NPS_ARGUMENT_IMPERSONATION),
  MEMBER(nps_argument, NPS_ARGUMENT_SERVER),
  MEMBER(nps_argument, NPS_ARGUMENT_BUFFER_COUNT),
  MEMBER(nps_argument, NPS_ARGUMENT_MESSAGE),

  ENUM(nps_direction),
  MEMBER(nps_direction, NPS_DIRECTION_IN),
  MEMBER(nps_direction, NPS_DIRECTION_OUT),
  MEMBER(nps_direction, NPS_DIRECTION_DUPLEX),

  ENUM(nps_server_flags),
  MEMBER(nps_server_flags, NPS_SERVER_FIRST_INSTANCE),
  MEMBER(nps_server_flags, NPS_SERVER_INHERITABLE),
  MEMBER(nps_server_flags, NPS_SERVER_REMOTE_CLIENTS),

  ENUM(nps_client_flags),
  MEMBER(nps_client_flags, NPS_CLIENT_INHERITABLE),
  MEMBER(nps_client_flags, NPS_CLIENT_CURRENT_USER),
  MEMBER(nps_client_flags, NPS_CLIENT_ANY_USER),

  ENUM(nps_security),
  MEMBER(nps_security, NPS_SECURITY_CURRENT_USER),
  MEMBER(nps_security, NPS_SECURITY_CURRENT_ELEVATION),
  MEMBER(nps_security, NPS_SECURITY_DESCRIPTOR),
  MEMBER(nps_security, NPS_SECURITY_FILE_MODE),

  ENUM(nps_impersonation),
  MEMBER(nps_impersonation, NPS_IMPERSONATION_DEFAULT),
  MEMBER(nps_impersonation, NPS_IMPERSONATION_IDENTIFICATION),
  MEMBER(nps_impersonation, NPS_IMPERSONATION_ANONYMOUS),
  MEMBER(nps_impersonation, NPS_IMPERSONATION_FULL),
  MEMBER(nps_impersonation, NPS_IMPERSONATION_DELEGATION),

  ENUM(nps_interest),
  MEMBER(nps_interest, NPS_INTEREST_READABLE),
  MEMBER(nps_interest, NPS_INTEREST_WRITABLE),
  MEMBER(nps_interest, NPS_INTEREST_ON_DEMAND),

  ENUM(nps_readiness),
  MEMBER(nps_readiness, NPS_READABLE),
  MEMBER(nps_readiness, NPS_WRITABLE),
  MEMBER(nps_readiness, NPS_CLOSED),
  MEMBER(nps_readiness, NPS_ERROR),
  MEMBER(nps_readiness, NPS_WAKE),

  ENUM(nps_mode),
  MEMBER(nps_mode, NPS_MODE_BYTE),
  MEMBER(nps_mode, NPS_MODE_MESSAGE),

  ENUM(nps_end),
  MEMBER(nps_end, NPS_END_CLIENT),
  MEMBER(nps_end, NPS_END_SERVER),

  CONSTANT(NPS_MAX_BUFFERS),
  CONSTANT(NPS_USER_SIZE),
  CONSTANT(NPS_VERSION),
  CONSTANT(NPS_ABI_VERSION),
  CONSTANT(NPS_FOREVER),
  CONSTANT(NPS_UNLIMITED_INSTANCES),
  CONSTANT(NPS_NO_GROUP),

  TYPE(nps_result),
  TYPE(size_t),
  TYPE(intptr_t),
  TYPE(nps_pipe *),
};

const abi_fact *nps_abi_facts(int32_t *count) {
  *count = (int32_t)(sizeof facts / sizeof facts[0]);
  return facts;
}
