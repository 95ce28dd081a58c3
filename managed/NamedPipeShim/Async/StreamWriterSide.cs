namespace NamedPipeShim.Async;

/// <summary>The writing half of a stream.</summary>
internal sealed class StreamWriterSide(NamedPipe pipe, NamedPipeEventLoop loop, StreamClient owner) : StreamSide(pipe, loop)
{
    // Bytes of one operation in one turn of the loop, as long as the peer reads as fast: then the others have theirs.
    private const int BytesPerTurn = 1 << 20;

    protected override bool TryMove(
        OperationKind kind, Memory<byte> destination, ref ReadOnlyMemory<byte> source, out int result)
    {
        result = 0;
        if (kind == OperationKind.Flush)
        {
            if (Pipe.UnsentBytes > 0)
            {
                return false;
            }

            owner.ThrowBackgroundError();
            return true;
        }

        int moved = 0;
        do
        {
            if (moved >= BytesPerTurn && Loop.IsCurrentThread)
            {
                Loop.Defer(this);
                return false;
            }

            if (Pipe.TryWrite(source.Span, out int written) == PipeStatus.WouldBlock)
            {
                return false;
            }

            moved += written;
            source = source[written..];
        }
        while (!source.IsEmpty);
        return true;
    }

    protected override void Hold(bool hold) => owner.Slot.HeldByOutput = hold ? owner : null;
}
