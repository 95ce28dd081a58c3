// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

[NativeTypeName("unsigned int")]
internal enum nps_direction : uint
{
    NPS_DIRECTION_IN = 1,
    NPS_DIRECTION_OUT = 2,
    NPS_DIRECTION_DUPLEX = 3,
}
