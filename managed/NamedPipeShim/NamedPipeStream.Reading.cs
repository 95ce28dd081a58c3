using System.Buffers;
using NamedPipeShim.Async;

namespace NamedPipeShim;

/// <content>Reading.</content>
public sealed partial class NamedPipeStream
{
    /// <summary>
    /// Reads what is there, or waits for the first bytes (contract R1 to R3).
    /// </summary>
    /// <param name="buffer">Takes the bytes. With an empty one the read waits for data too, and takes none: it ends with 0 when
    /// there is something to read, or the end. So a program need hold no buffer while it waits.</param>
    /// <param name="cancellationToken">Ends the wait; no byte is lost by it.</param>
    /// <returns>How many bytes were read; 0 at the end of the stream: the peer closed, and all that it had sent was
    /// read. On a message stream they are of one message, and perhaps not all of it; empty messages are passed over:
    /// <see cref="ReadMessageAsync"/> tells of both.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="NotSupportedException">A stream that only writes.</exception>
    /// <exception cref="NamedPipeException">The system reported an error.</exception>
    /// <exception cref="ObjectDisposedException">The stream or its loop was disposed, before or meanwhile.</exception>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        StreamOperation? waits;
        int read;
        try
        {
            waits = BeginRead(buffer, out read);
        }
        catch (Exception error)
        {
            return ValueTask.FromException<int>(error);
        }

        return waits is null ? new ValueTask<int>(read) : waits.Start(cancellationToken);
    }

    /// <summary>
    /// Reads a message, or as much of it as there is room for, or waits for one (contract R4). Unlike what <see cref="Stream"/>
    /// has, it tells where a message ends, and an empty message from the end of the stream.
    /// </summary>
    /// <param name="buffer">Takes the bytes. With an empty one the read waits for a message; it takes an empty one, and of any other
    /// nothing.</param>
    /// <param name="cancellationToken">Ends the wait; no message is lost by it.</param>
    /// <returns>What was read.</returns>
    /// <exception cref="InvalidOperationException">The stream carries bytes, not messages.</exception>
    /// <inheritdoc cref="ReadAsync(Memory{byte},CancellationToken)" path="/exception"/>
    public ValueTask<PipeReadResult> ReadMessageAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<PipeReadResult>(cancellationToken);
        }

        StreamOperation? waits;
        int code;
        try
        {
            if (ReadMode != PipeMode.Message)
            {
                throw StreamErrors.NoMessages(Name);
            }

            StreamTransfer transfer = new() { Kind = OperationKind.ReadMessage, Destination = buffer };
            waits = _client.Reader.Begin(ref transfer, out code);
        }
        catch (Exception error)
        {
            return ValueTask.FromException<PipeReadResult>(error);
        }

        return waits is null
            ? new ValueTask<PipeReadResult>(StreamTransfer.MessageOf(code))
            : waits.StartMessage(cancellationToken);
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        StreamOperation? waits = BeginRead(buffer.AsMemory(offset, count), out int read);
        return waits is null ? read : WaitForRead(waits);
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        // What waits needs memory that stays: a span may be on the stack.
        byte[] rented = ArrayPool<byte>.Shared.Rent(buffer.Length);
        StreamOperation? waits = BeginRead(rented.AsMemory(0, buffer.Length), out int read);
        if (waits is not null)
        {
            read = WaitForRead(waits);
        }

        rented.AsSpan(0, read).CopyTo(buffer);
        ArrayPool<byte>.Shared.Return(rented);
        return read;
    }

    /// <inheritdoc/>
    public override int ReadByte()
    {
        byte one = 0;
        return Read(new Span<byte>(ref one)) == 0 ? -1 : one;
    }

    /// <inheritdoc/>
    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    /// <inheritdoc/>
    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    private StreamOperation? BeginRead(Memory<byte> destination, out int read)
    {
        StreamTransfer transfer = new() { Kind = OperationKind.Read, Destination = destination };
        return _client.Reader.Begin(ref transfer, out read);
    }

    private int WaitForRead(StreamOperation operation)
    {
        int timeout = _readTimeout;
        return operation.Wait(timeout, () => StreamErrors.TimedOut("read", timeout, Name));
    }
}
