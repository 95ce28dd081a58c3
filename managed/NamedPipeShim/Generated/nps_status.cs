// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

internal enum nps_status
{
    NPS_OK = 0,
    NPS_WOULD_BLOCK = 1,
    NPS_END_OF_STREAM = 2,
    NPS_MORE_DATA = 3,
    NPS_E_INVALID_ARGUMENT = -1,
    NPS_E_OUT_OF_MEMORY = -2,
    NPS_E_CLOSED = -3,
    NPS_E_NOT_REGISTERED = -4,
    NPS_E_ALREADY_REGISTERED = -5,
    NPS_E_WAIT_BUSY = -6,
    NPS_E_NOT_FOUND = -7,
    NPS_E_PIPE_BUSY = -8,
    NPS_E_ACCESS_DENIED = -9,
    NPS_E_NAME_TOO_LONG = -10,
    NPS_E_NOT_A_PIPE = -11,
    NPS_E_NOT_OVERLAPPED = -12,
    NPS_E_NOT_CONNECTED = -13,
    NPS_E_BROKEN_PIPE = -14,
    NPS_E_TIMED_OUT = -15,
    NPS_E_TOO_MANY_HANDLES = -16,
    NPS_E_NOT_SUPPORTED = -17,
    NPS_E_IO = -18,
}
