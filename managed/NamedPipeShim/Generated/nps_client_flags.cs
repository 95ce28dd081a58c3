// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

[NativeTypeName("unsigned int")]
internal enum nps_client_flags : uint
{
    NPS_CLIENT_INHERITABLE = 1,
    NPS_CLIENT_CURRENT_USER = 2,
    NPS_CLIENT_ANY_USER = 4,
}
