using System.Buffers;

namespace NamedPipeShim.Async;

/// <summary>What an operation is to do, and what of it is left to do.</summary>
internal struct StreamTransfer
{
    private const int EndOfStreamCode = int.MinValue;

    public OperationKind Kind;

    /// <summary>Reads: where to.</summary>
    public Memory<byte> Destination;

    /// <summary><see cref="OperationKind.Write"/>: what is left to write.</summary>
    public ReadOnlyMemory<byte> Source;

    /// <summary><see cref="OperationKind.WriteSegments"/>: what is left to write.</summary>
    public ReadOnlySequence<byte> Segments;

    /// <summary>Of writes: how many bytes are left.</summary>
    public readonly long BytesToWrite => Kind == OperationKind.WriteSegments ? Segments.Length : Source.Length;

    /// <summary>What a message read brought, as the one number that an operation ends with: the count if the message ended, its
    /// complement if not.</summary>
    public static int MessageCode(int count, PipeStatus status) => status switch
    {
        PipeStatus.EndOfStream => EndOfStreamCode,
        PipeStatus.MoreData => ~count,
        _ => count,
    };

    public static PipeReadResult MessageOf(int code) => code switch
    {
        EndOfStreamCode => new PipeReadResult(0, EndOfMessage: false, EndOfStream: true),
        < 0 => new PipeReadResult(~code, EndOfMessage: false, EndOfStream: false),
        _ => new PipeReadResult(code, EndOfMessage: true, EndOfStream: false),
    };
}
