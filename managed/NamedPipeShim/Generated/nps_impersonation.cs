// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

[NativeTypeName("unsigned int")]
internal enum nps_impersonation : uint
{
    NPS_IMPERSONATION_DEFAULT = 0,
    NPS_IMPERSONATION_IDENTIFICATION = 1,
    NPS_IMPERSONATION_ANONYMOUS = 2,
    NPS_IMPERSONATION_FULL = 3,
    NPS_IMPERSONATION_DELEGATION = 4,
}
