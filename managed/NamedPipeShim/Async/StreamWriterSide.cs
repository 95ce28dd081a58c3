using NamedPipeShim.Diagnostics;

namespace NamedPipeShim.Async;

/// <summary>The writing half of a stream.</summary>
internal sealed class StreamWriterSide(NamedPipe pipe, NamedPipeEventLoop loop, StreamClient owner) : StreamSide(pipe, loop)
{
    // Bytes of one operation in one turn of the loop, as long as the peer reads as fast: then the others have theirs.
    private const int BytesPerTurn = 1 << 20;

    protected override bool TryMove(ref StreamTransfer transfer, out int result)
    {
        result = 0;
        try
        {
            bool moved = transfer.Kind == OperationKind.Flush ? TryFlush() : TryWrite(ref transfer);
            if (!moved)
            {
                PipeTelemetry.WouldBlocks.Add(1);
            }

            return moved;
        }
        catch (NamedPipeException error) when (PipeTelemetry.Failed(PipeName, error))
        {
            throw;
        }
    }

    protected override void Hold(bool hold) => owner.Slot.HeldByOutput = hold ? owner : null;

    private bool TryFlush()
    {
        if (Pipe.UnsentBytes > 0)
        {
            return false;
        }

        owner.ThrowBackgroundError();
        return true;
    }

    private bool TryWrite(ref StreamTransfer transfer)
    {
        int moved = 0;
        do
        {
            if (moved >= BytesPerTurn && Loop.IsCurrentThread)
            {
                Loop.Defer(this);
                return false;
            }

            if (Pipe.TryWrite(transfer.Source.Span, out int written) == PipeStatus.WouldBlock)
            {
                return false;
            }

            PipeTelemetry.BytesWritten.Add(written);
            moved += written;
            transfer.Source = transfer.Source[written..];
        }
        while (!transfer.Source.IsEmpty);
        return true;
    }
}
