using NamedPipeShim.Diagnostics;

namespace NamedPipeShim.Async;

/// <summary>The reading half of a stream.</summary>
internal sealed class StreamReaderSide(NamedPipe pipe, NamedPipeEventLoop loop, StreamClient owner) : StreamSide(pipe, loop)
{
    // Then the other pipes have their turn.
    private const int EmptyMessagesPerTurn = 64;

    private readonly bool _isMessage = pipe.Mode == PipeMode.Message;

    // A byte that a zero-byte read had to take, to learn that there is one: the next read's first. Guarded by the side's lock.
    private byte _ahead;
    private bool _hasAhead;

    protected override bool TryMove(ref StreamTransfer transfer, out int result)
    {
        try
        {
            bool moved = transfer.Kind == OperationKind.ReadMessage ? TryReadMessage(transfer.Destination.Span, out result)
                : _isMessage ? TryReadPastEmpty(transfer.Destination.Span, out result)
                : _hasAhead || transfer.Destination.IsEmpty ? TryMoveAhead(transfer.Destination.Span, out result)
                : TryRead(transfer.Destination.Span, out result);
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

    protected override void Hold(bool hold) => owner.Slot.HeldByInput = hold ? owner : null;

    private bool TryRead(Span<byte> destination, out int result) => Take(destination, out result) != PipeStatus.WouldBlock;

    private PipeStatus Take(Span<byte> destination, out int count)
    {
        PipeStatus status = Pipe.TryRead(destination, out count);
        if (count > 0)
        {
            PipeTelemetry.BytesRead.Add(count);
        }
        else if (status == PipeStatus.EndOfStream)
        {
            owner.PeerHasClosed();
        }

        return status;
    }

    private bool TryReadMessage(Span<byte> destination, out int result)
    {
        PipeStatus status = Take(destination, out int count);
        result = StreamTransfer.MessageCode(count, status);
        return status != PipeStatus.WouldBlock;
    }

    // Rule 7: 0 bytes are the end of a stream, and an empty message is not.
    private bool TryReadPastEmpty(Span<byte> destination, out int result)
    {
        for (int seen = 0; seen < EmptyMessagesPerTurn; seen++)
        {
            PipeStatus status = Take(destination, out result);
            if (status != PipeStatus.Ok || result > 0)
            {
                return status != PipeStatus.WouldBlock;
            }
        }

        result = 0;
        Loop.Defer(this); // the operation will be queued by then: it is tried under the lock that is held now
        return false;
    }

    // A read without room waits for data as any other does. The pipe tells of data only by giving it: so one byte is taken, and kept.
    private bool TryMoveAhead(Span<byte> destination, out int result)
    {
        result = 0;
        if (!_hasAhead)
        {
            if (!TryRead(new Span<byte>(ref _ahead), out int taken))
            {
                return false;
            }

            _hasAhead = taken == 1; // else it is the end
            return true;
        }

        if (destination.IsEmpty)
        {
            return true;
        }

        destination[0] = _ahead;
        _hasAhead = false;
        result = 1 + ReadMore(destination[1..]);
        return true;
    }

    // What fails here loses the byte no more: the next read is told again.
    private int ReadMore(Span<byte> destination)
    {
        if (destination.IsEmpty)
        {
            return 0;
        }

        try
        {
            return TryRead(destination, out int more) ? more : 0;
        }
        catch (Exception error) when (error is IOException or OutOfMemoryException)
        {
            return 0;
        }
    }
}
