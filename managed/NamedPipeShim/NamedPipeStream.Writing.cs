using System.Buffers;
using NamedPipeShim.Async;

namespace NamedPipeShim;

/// <content>Writing.</content>
public sealed partial class NamedPipeStream
{
    /// <summary>
    /// Writes all bytes: ends when the last one was accepted (contract W1 to W4). What was accepted is delivered in order
    /// unless the peer closes or this end is aborted.
    /// </summary>
    /// <param name="buffer">The bytes. On a message stream they are one message, accepted whole or not at all; none of them are an empty
    /// message. On a byte stream a write of none does nothing.</param>
    /// <param name="cancellationToken">Ends the wait; a part may have been written then, but never of a message.</param>
    /// <returns>Completes when all bytes were accepted.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ArgumentException">A message longer than <see cref="PipeInfo.MaxMessageSize"/>; nothing was sent.</exception>
    /// <exception cref="InvalidOperationException"><see cref="CompleteWrites"/> was called.</exception>
    /// <exception cref="NotSupportedException">A stream that only reads.</exception>
    /// <exception cref="NamedPipeException">The peer closed (<see cref="NamedPipeError.BrokenPipe"/>), or the system reported
    /// another error.</exception>
    /// <exception cref="ObjectDisposedException">The stream or its loop was disposed, before or meanwhile.</exception>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        Begin(OperationKind.Write, buffer, cancellationToken);

    /// <summary>Writes the segments as one contiguous run, on a message stream as one message, without copying them together
    /// (contract W5).</summary>
    /// <param name="buffer">The segments; of a message no more than <see cref="NamedPipe.MaxBuffers"/>.</param>
    /// <param name="cancellationToken">Ends the wait; a part may have been written then, but never of a message.</param>
    /// <returns>Completes when all bytes were accepted.</returns>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte},CancellationToken)" path="/exception"/>
    public ValueTask WriteAsync(ReadOnlySequence<byte> buffer, CancellationToken cancellationToken = default) =>
        buffer.IsSingleSegment
            ? WriteAsync(buffer.First, cancellationToken)
            : Begin(new StreamTransfer { Kind = OperationKind.WriteSegments, Segments = buffer }, cancellationToken);

    /// <inheritdoc/>
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        BeginAndWait(OperationKind.Write, buffer.AsMemory(offset, count));
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        // What waits needs memory that stays: a span may be on the stack.
        byte[] rented = ArrayPool<byte>.Shared.Rent(buffer.Length);
        buffer.CopyTo(rented);
        BeginAndWait(OperationKind.Write, rented.AsMemory(0, buffer.Length));
        ArrayPool<byte>.Shared.Return(rented);
    }

    /// <inheritdoc/>
    public override void WriteByte(byte value) => Write([value]);

    /// <summary>
    /// Says that this end will write no more, after all that was written before; reading goes on. <see cref="Stream.CanWrite"/> is
    /// false then (contract W7).
    /// </summary>
    /// <remarks>Linux: the peer reads all that was written, then the end of the stream. A message stream on Windows: an empty message
    /// is sent, which the peer must know to be the end.</remarks>
    /// <param name="cancellationToken">Ends the wait for writes that are under way.</param>
    /// <returns>Completes when it was said.</returns>
    /// <exception cref="NotSupportedException">A byte stream on Windows, which has no such thing; a stream that only reads.</exception>
    /// <exception cref="InvalidOperationException">It was said before.</exception>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte},CancellationToken)" path="/exception[@cref='T:System.ObjectDisposedException']"/>
    public ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default) =>
        Begin(OperationKind.CompleteWrites, default, cancellationToken);

    /// <summary>As <see cref="CompleteWritesAsync"/>, blocking.</summary>
    /// <inheritdoc cref="CompleteWritesAsync" path="/exception"/>
    public void CompleteWrites() => BeginAndWait(OperationKind.CompleteWrites, default);

    /// <inheritdoc/>
    public override IAsyncResult BeginWrite(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    /// <summary>Waits until everything that was accepted is in the system's hands. On Linux it always is; on Windows the
    /// library may hold a copy of the last write. Tells of a write that failed in the background (contract W4).</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Completes when nothing is left here.</returns>
    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        ValueTask task = Begin(OperationKind.Flush, default, cancellationToken);
        return task.IsCompletedSuccessfully ? Task.CompletedTask : task.AsTask();
    }

    /// <summary>As <see cref="FlushAsync(CancellationToken)"/>, blocking.</summary>
    public override void Flush() => BeginAndWait(OperationKind.Flush, default);

    private ValueTask Begin(OperationKind kind, ReadOnlyMemory<byte> source, CancellationToken cancellationToken) =>
        Begin(new StreamTransfer { Kind = kind, Source = source }, cancellationToken);

    private ValueTask Begin(StreamTransfer transfer, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        StreamOperation? waits;
        try
        {
            waits = _client.Writer.Begin(ref transfer, out _);
        }
        catch (Exception error)
        {
            return ValueTask.FromException(error);
        }

        return waits is null ? default : waits.StartWithoutResult(cancellationToken);
    }

    private void BeginAndWait(OperationKind kind, ReadOnlyMemory<byte> source)
    {
        StreamTransfer transfer = new() { Kind = kind, Source = source };
        if (_client.Writer.Begin(ref transfer, out _) is { } waits)
        {
            int timeout = _writeTimeout;
            _ = waits.Wait(timeout, () => StreamErrors.TimedOut(kind == OperationKind.Flush ? "flush" : "write", timeout, Name));
        }
    }
}
