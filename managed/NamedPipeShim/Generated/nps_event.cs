// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

internal partial struct nps_event
{
    [NativeTypeName("uint64_t")]
    public ulong token;

    [NativeTypeName("uint32_t")]
    public uint readiness;

    [NativeTypeName("uint32_t")]
    public uint reserved;
}
