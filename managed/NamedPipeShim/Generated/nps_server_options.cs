// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

internal unsafe partial struct nps_server_options
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint direction;

    [NativeTypeName("const char *")]
    public sbyte* name;

    [NativeTypeName("uint32_t")]
    public uint max_instances;

    [NativeTypeName("uint32_t")]
    public uint flags;

    [NativeTypeName("uint32_t")]
    public uint in_buffer_size;

    [NativeTypeName("uint32_t")]
    public uint out_buffer_size;

    [NativeTypeName("uint32_t")]
    public uint read_ahead;

    [NativeTypeName("uint32_t")]
    public uint write_limit;

    [NativeTypeName("uint32_t")]
    public uint mode;

    [NativeTypeName("uint32_t")]
    public uint default_timeout_ms;

    [NativeTypeName("uint32_t")]
    public uint security;

    [NativeTypeName("uint32_t")]
    public uint file_mode;

    [NativeTypeName("uint32_t")]
    public uint file_group;

    [NativeTypeName("uint32_t")]
    public uint reserved;

    [NativeTypeName("const char *")]
    public sbyte* descriptor;
}
