// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

[NativeTypeName("unsigned int")]
internal enum nps_interest : uint
{
    NPS_INTEREST_READABLE = 1,
    NPS_INTEREST_WRITABLE = 2,
    NPS_INTEREST_ON_DEMAND = 4,
}
