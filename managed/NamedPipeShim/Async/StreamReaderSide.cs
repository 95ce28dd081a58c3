namespace NamedPipeShim.Async;

/// <summary>The reading half of a stream.</summary>
internal sealed class StreamReaderSide(NamedPipe pipe, NamedPipeEventLoop loop, StreamClient owner) : StreamSide(pipe, loop)
{
    protected override bool TryMove(
        OperationKind kind, Memory<byte> destination, ref ReadOnlyMemory<byte> source, out int result)
    {
        PipeStatus status = Pipe.TryRead(destination.Span, out result);
        if (status == PipeStatus.EndOfStream)
        {
            owner.PeerHasClosed();
        }

        return status != PipeStatus.WouldBlock;
    }

    protected override void Hold(bool hold) => owner.Slot.HeldByInput = hold ? owner : null;
}
