using System.IO.Pipes;
using NamedPipeShim.Diagnostics;

namespace NamedPipeShim.Async;

/// <summary>The writing half of a stream.</summary>
internal sealed class StreamWriterSide(NamedPipe pipe, NamedPipeEventLoop loop, StreamClient owner) : StreamSide(pipe, loop)
{
    // Bytes of one operation in one turn of the loop, as long as the peer reads as fast: then the others have theirs.
    private const int BytesPerTurn = 1 << 20;

    private volatile bool _hasCompleted;

    /// <summary>Whether this end has said that it writes no more.</summary>
    public bool HasCompleted
    {
        get => _hasCompleted;
        private set => _hasCompleted = value;
    }

    protected override bool TryMove(ref StreamTransfer transfer, out int result)
    {
        result = 0;
        try
        {
            bool moved = transfer.Kind switch
            {
                OperationKind.Flush => TryFlush(),
                OperationKind.CompleteWrites => TryComplete(),
                OperationKind.WriteSegments => TryWriteSegments(ref transfer),
                _ => TryWrite(ref transfer),
            };
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
        catch (NotSupportedException) when ((Pipe.Direction & PipeDirection.Out) == 0)
        {
            throw StreamErrors.OnlyReads(PipeName);
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

    private bool TryComplete()
    {
        bool completed = Pipe.TryCompleteWrites() == PipeStatus.Ok;
        if (completed)
        {
            HasCompleted = true;
        }

        return completed;
    }

    // Of a message: all of it, in one call. A call with nothing is made, too: on a message pipe it is an empty message.
    private bool TryWrite(ref StreamTransfer transfer)
    {
        int moved = 0;
        do
        {
            if (HasHadItsShare(moved) || Pipe.TryWrite(transfer.Source.Span, out int written) == PipeStatus.WouldBlock)
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

    private bool TryWriteSegments(ref StreamTransfer transfer)
    {
        int moved = 0;
        do
        {
            if (HasHadItsShare(moved) || Pipe.TryWrite(transfer.Segments, out int written) == PipeStatus.WouldBlock)
            {
                return false;
            }

            PipeTelemetry.BytesWritten.Add(written);
            moved += written;
            transfer.Segments = transfer.Segments.Slice(written);
        }
        while (!transfer.Segments.IsEmpty);
        return true;
    }

    // True: the operation goes on in the loop's next turn.
    private bool HasHadItsShare(int moved)
    {
        bool had = moved >= BytesPerTurn && Loop.IsCurrentThread;
        if (had)
        {
            Loop.Defer(this);
        }

        return had;
    }
}
