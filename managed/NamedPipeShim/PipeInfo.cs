using System.IO.Pipes;
using NamedPipeShim.Generated;

namespace NamedPipeShim;

/// <summary>What the system tells of a pipe (<c>nps_info</c>; contract F1). Null: it does not say.</summary>
/// <remarks>More may be told in later versions.</remarks>
public readonly record struct PipeInfo
{
    internal PipeInfo(in nps_info native)
    {
        Direction = (PipeDirection)native.direction;
        Mode = (PipeMode)native.mode;
        IsServer = native.end == (uint)nps_end.NPS_END_SERVER;
        InBufferSize = Known(native.in_buffer_size);
        OutBufferSize = Known(native.out_buffer_size);
        MaxInstances = native.max_instances == NativeMethods.NPS_UNLIMITED_INSTANCES
            ? NamedPipeServerOptions.UnlimitedInstances
            : Known(native.max_instances);
        Instances = Known(native.instances);
        MaxMessageSize = Known(native.max_message);
    }

    /// <summary>Which way bytes flow, seen from this end.</summary>
    public PipeDirection Direction { get; init; }

    /// <summary>Whether the pipe carries bytes or messages.</summary>
    public PipeMode Mode { get; init; }

    /// <summary>Whether this is a server's end.</summary>
    public bool IsServer { get; init; }

    /// <summary>Bytes that the system keeps for what this end reads; Linux does not say.</summary>
    public int? InBufferSize { get; init; }

    /// <summary>Bytes that the system keeps for what this end writes; on Linux of a connected end, and with the system's own overhead in
    /// it.</summary>
    public int? OutBufferSize { get; init; }

    /// <summary>Instances of the name at most, or <see cref="NamedPipeServerOptions.UnlimitedInstances"/>; a client on Linux does not
    /// know.</summary>
    public int? MaxInstances { get; init; }

    /// <summary>Instances of the name now; on Linux those of this process.</summary>
    public int? Instances { get; init; }

    /// <summary>Bytes of the longest message that this end can write; null on a byte pipe, and on Linux while not connected.</summary>
    public int? MaxMessageSize { get; init; }

    private static int? Known(uint value) => value == 0 ? null : (int)value;
}
