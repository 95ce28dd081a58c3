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
    /// <param name="buffer">The bytes. With none of them the write ends at once and does nothing.</param>
    /// <param name="cancellationToken">Ends the wait; a part may have been written then.</param>
    /// <returns>Completes when all bytes were accepted.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="NotSupportedException">A stream that only reads.</exception>
    /// <exception cref="NamedPipeException">The peer closed (<see cref="NamedPipeError.BrokenPipe"/>), or the system reported
    /// another error.</exception>
    /// <exception cref="ObjectDisposedException">The stream or its loop was disposed, before or meanwhile.</exception>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        Begin(OperationKind.Write, buffer, cancellationToken);

    /// <summary>Writes the segments one after the other, as <see cref="WriteAsync(ReadOnlyMemory{byte},CancellationToken)"/>
    /// writes one.</summary>
    /// <param name="buffer">The segments.</param>
    /// <param name="cancellationToken">Ends the wait; a part may have been written then.</param>
    /// <returns>Completes when all bytes were accepted.</returns>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte},CancellationToken)" path="/exception"/>
    public ValueTask WriteAsync(ReadOnlySequence<byte> buffer, CancellationToken cancellationToken = default) =>
        buffer.IsSingleSegment ? WriteAsync(buffer.First, cancellationToken) : WriteSegmentsAsync(buffer, cancellationToken);

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

    private ValueTask Begin(OperationKind kind, ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        StreamOperation? waits;
        StreamTransfer transfer = new() { Kind = kind, Source = source };
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
            _ = waits.Wait(timeout, () => StreamErrors.TimedOut(kind == OperationKind.Write ? "write" : "flush", timeout, Name));
        }
    }

    private async ValueTask WriteSegmentsAsync(ReadOnlySequence<byte> buffer, CancellationToken cancellationToken)
    {
        foreach (ReadOnlyMemory<byte> segment in buffer)
        {
            await WriteAsync(segment, cancellationToken).ConfigureAwait(false);
        }
    }
}
