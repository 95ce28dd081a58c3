// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

internal unsafe partial struct nps_buffer
{
    public void* data;

    [NativeTypeName("size_t")]
    public nuint size;
}
