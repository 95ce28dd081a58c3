using System.IO.Pipes;
using NamedPipeShim.Generated;

namespace NamedPipeShim;

/// <summary>What the system tells of a pipe (<c>nps_info</c>; contract F1). Null: it does not say.</summary>
/// <param name="Direction">Which way bytes flow, seen from this end.</param>
/// <param name="Mode">Whether the pipe carries bytes or messages.</param>
/// <param name="IsServer">Whether this is a server's end.</param>
/// <param name="InBufferSize">Bytes that the system keeps for what this end reads; Linux does not say.</param>
/// <param name="OutBufferSize">Bytes that the system keeps for what this end writes; on Linux of a connected end, and
/// with the
/// system's own overhead in it.</param>
/// <param name="MaxInstances">Instances of the name at most, or <see cref="NamedPipeServerOptions.UnlimitedInstances"/>;
/// a client on
/// Linux does not know.</param>
/// <param name="Instances">Instances of the name now; on Linux those of this process.</param>
/// <param name="MaxMessageSize">Bytes of the longest message that this end can write; null on a byte pipe, and on Linux
/// while not
/// connected.</param>
public readonly record struct PipeInfo(
    PipeDirection Direction,
    PipeMode Mode,
    bool IsServer,
    int? InBufferSize,
    int? OutBufferSize,
    int? MaxInstances,
    int? Instances,
    int? MaxMessageSize)
{
    internal PipeInfo(in nps_info native)
        : this(
            (PipeDirection)native.direction,
            (PipeMode)native.mode,
            native.end == (uint)nps_end.NPS_END_SERVER,
            Known(native.in_buffer_size),
            Known(native.out_buffer_size),
            native.max_instances == NativeMethods.NPS_UNLIMITED_INSTANCES
                ? NamedPipeServerOptions.UnlimitedInstances
                : Known(native.max_instances),
            Known(native.instances),
            Known(native.max_message))
    {
    }

    private static int? Known(uint value) => value == 0 ? null : (int)value;
}
