// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

[NativeTypeName("unsigned int")]
internal enum nps_end : uint
{
    NPS_END_CLIENT = 0,
    NPS_END_SERVER = 1,
}
