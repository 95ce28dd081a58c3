// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

[NativeTypeName("unsigned int")]
internal enum nps_server_flags : uint
{
    NPS_SERVER_FIRST_INSTANCE = 1,
    NPS_SERVER_INHERITABLE = 2,
    NPS_SERVER_REMOTE_CLIENTS = 4,
}
