using System.Buffers;
using System.IO.Pipes;
using NamedPipeShim.Diagnostics;

namespace NamedPipeShim.Async;

/// <summary>The reading half of a stream.</summary>
internal sealed class StreamReaderSide(NamedPipe pipe, NamedPipeEventLoop loop, StreamClient owner) : StreamSide(pipe, loop)
{
    // Then the other pipes have their turn.
    private const int EmptyMessagesPerTurn = 64;

    // What a read without room takes at most, to learn that there is something.
    private const int AheadSize = 4_096;

    private readonly bool _isMessage = pipe.Mode == PipeMode.Message;

    // What a read without room took: the next read's first bytes. Rented; null: there is none. Guarded by the side's lock.
    private byte[]? _ahead;
    private int _aheadBegin;
    private int _aheadEnd;

    protected override bool TryMove(ref StreamTransfer transfer, out int result)
    {
        try
        {
            bool moved = transfer.Kind == OperationKind.ReadMessage ? TryReadMessage(transfer.Destination.Span, out result)
                : _isMessage ? TryReadPastEmpty(transfer.Destination.Span, out result)
                : _ahead is not null ? MoveAhead(transfer.Destination.Span, out result)
                : transfer.Destination.IsEmpty ? TryReadAhead(out result)
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
        catch (NotSupportedException) when ((Pipe.Direction & PipeDirection.In) == 0)
        {
            throw StreamErrors.OnlyWrites(PipeName);
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

    // A read without room waits for data as any other does. The pipe tells of data only by giving them: so they are taken, and kept for
    // the read that follows, which then need not ask the system. While there are none, no memory is held.
    private bool TryReadAhead(out int result)
    {
        result = 0;
        byte[] room = ArrayPool<byte>.Shared.Rent(AheadSize);
        int taken = 0;
        try
        {
            return TryRead(room, out taken);
        }
        finally
        {
            if (taken > 0)
            {
                _ahead = room;
                _aheadBegin = 0;
                _aheadEnd = taken;
            }
            else
            {
                ArrayPool<byte>.Shared.Return(room);
            }
        }
    }

    private bool MoveAhead(Span<byte> destination, out int result)
    {
        byte[] ahead = _ahead!;
        result = Math.Min(_aheadEnd - _aheadBegin, destination.Length);
        ahead.AsSpan(_aheadBegin, result).CopyTo(destination);
        _aheadBegin += result;
        if (_aheadBegin == _aheadEnd)
        {
            bool mayBeMore = _aheadEnd == ahead.Length; // else it was all that was there
            _ahead = null;
            ArrayPool<byte>.Shared.Return(ahead);
            if (mayBeMore)
            {
                result += ReadMore(destination[result..]);
            }
        }

        return true;
    }

    // What fails here loses the bytes no more: the next read is told again.
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
