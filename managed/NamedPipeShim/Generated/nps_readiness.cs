// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

[NativeTypeName("unsigned int")]
internal enum nps_readiness : uint
{
    NPS_READABLE = 1,
    NPS_WRITABLE = 2,
    NPS_CLOSED = 4,
    NPS_ERROR = 8,
    NPS_WAKE = 16,
}
