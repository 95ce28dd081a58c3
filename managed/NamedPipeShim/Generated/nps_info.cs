// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

internal partial struct nps_info
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint direction;

    [NativeTypeName("uint32_t")]
    public uint mode;

    [NativeTypeName("uint32_t")]
    public uint end;

    [NativeTypeName("uint32_t")]
    public uint in_buffer_size;

    [NativeTypeName("uint32_t")]
    public uint out_buffer_size;

    [NativeTypeName("uint32_t")]
    public uint max_instances;

    [NativeTypeName("uint32_t")]
    public uint instances;

    [NativeTypeName("uint32_t")]
    public uint max_message;
}
