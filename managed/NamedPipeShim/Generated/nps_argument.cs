// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

[NativeTypeName("unsigned int")]
internal enum nps_argument : uint
{
    NPS_ARGUMENT_NONE = 0,
    NPS_ARGUMENT_POLL = 1,
    NPS_ARGUMENT_PIPE = 2,
    NPS_ARGUMENT_RESULT = 3,
    NPS_ARGUMENT_OPTIONS = 4,
    NPS_ARGUMENT_OPTIONS_SIZE = 5,
    NPS_ARGUMENT_NAME = 6,
    NPS_ARGUMENT_DIRECTION = 7,
    NPS_ARGUMENT_MAX_INSTANCES = 8,
    NPS_ARGUMENT_FLAGS = 9,
    NPS_ARGUMENT_IN_BUFFER_SIZE = 10,
    NPS_ARGUMENT_OUT_BUFFER_SIZE = 11,
    NPS_ARGUMENT_READ_AHEAD = 12,
    NPS_ARGUMENT_WRITE_LIMIT = 13,
    NPS_ARGUMENT_TIMEOUT = 14,
    NPS_ARGUMENT_POOL_BUFFERS = 15,
    NPS_ARGUMENT_POOL_BUFFER_SIZE = 16,
    NPS_ARGUMENT_EVENTS = 17,
    NPS_ARGUMENT_CAPACITY = 18,
    NPS_ARGUMENT_INTEREST = 19,
    NPS_ARGUMENT_BUFFER = 20,
    NPS_ARGUMENT_HANDLE = 21,
    NPS_ARGUMENT_LINGER = 22,
    NPS_ARGUMENT_INFO_SIZE = 23,
}
