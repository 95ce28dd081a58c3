// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

internal partial struct nps_poll_options
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint pool_buffers;

    [NativeTypeName("uint32_t")]
    public uint pool_buffer_size;

    [NativeTypeName("uint32_t")]
    public uint flags;
}
