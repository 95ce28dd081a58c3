// Generated from native/include/nps.h by ClangSharpPInvokeGenerator; see managed/generation/README.md.
// Do not edit: change the header or the response file, and generate again.

namespace NamedPipeShim.Generated;

internal unsafe partial struct nps_client_options
{
    [NativeTypeName("uint32_t")]
    public uint size;

    [NativeTypeName("uint32_t")]
    public uint direction;

    [NativeTypeName("const char *")]
    public sbyte* name;

    [NativeTypeName("int64_t")]
    public long timeout_ms;

    [NativeTypeName("uint32_t")]
    public uint flags;

    [NativeTypeName("uint32_t")]
    public uint read_ahead;

    [NativeTypeName("uint32_t")]
    public uint write_limit;

    [NativeTypeName("uint32_t")]
    public uint reserved;

    [NativeTypeName("uint32_t")]
    public uint mode;

    [NativeTypeName("uint32_t")]
    public uint impersonation;

    [NativeTypeName("const char *")]
    public sbyte* server;
}
