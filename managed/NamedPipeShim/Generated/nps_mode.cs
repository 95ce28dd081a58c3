// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

[NativeTypeName("unsigned int")]
internal enum nps_mode : uint
{
    NPS_MODE_BYTE = 0,
    NPS_MODE_MESSAGE = 1,
}
