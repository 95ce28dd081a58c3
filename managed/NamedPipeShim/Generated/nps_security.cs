// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

[NativeTypeName("unsigned int")]
internal enum nps_security : uint
{
    NPS_SECURITY_CURRENT_USER = 0,
    NPS_SECURITY_CURRENT_ELEVATION = 1,
    NPS_SECURITY_DESCRIPTOR = 2,
    NPS_SECURITY_FILE_MODE = 3,
}
