namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>One end over a stream: sends numbered messages, checks those that come.</summary>
internal sealed class StreamEnd(Stream stream, Payload payload, int capacity, CancellationToken token = default)
{
    private readonly byte[] _buffer = new byte[capacity];
    private readonly byte[] _message = payload.NewMessage();
    private int _inPosition;
    private long _received;
    private ulong _sent;
    private Task _sending = Task.CompletedTask;

    public Stream Stream => stream;

    public ValueTask SendAsync()
    {
        Payload.Stamp(_message, _sent++);
        return stream.WriteAsync(_message, token);
    }

    /// <summary>
    /// In one flow the write may wait for the read that follows: <see cref="SentAsync"/> waits for it.
    /// </summary>
    public void StartSending() => _sending = SendAsync().AsTask();

    public Task SentAsync() => _sending;

    /// <summary>Receives one message.</summary>
    public ValueTask ReceiveAsync() => ReceiveManyAsync(_received + 1);

    /// <summary>Receives until there were <paramref name="total"/> messages in all.</summary>
    public async ValueTask ReceiveManyAsync(long total)
    {
        while (_received < total)
        {
            int count = await stream.ReadAsync(_buffer, token).ConfigureAwait(false);
            if (count == 0)
            {
                throw new EndOfStreamException();
            }

            Take(_buffer.AsSpan(0, count));
        }
    }

    /// <summary>Receives the end.</summary>
    public async ValueTask EndAsync()
    {
        if (await stream.ReadAsync(_buffer, token).ConfigureAwait(false) != 0)
        {
            throw new InvalidDataException("verify: more bytes than were sent");
        }
    }

    private void Take(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            ReadOnlySpan<byte> part = data[..Math.Min(payload.Size - _inPosition, data.Length)];
            payload.Check(part, _inPosition, (ulong)_received);
            _inPosition += part.Length;
            data = data[part.Length..];
            if (_inPosition == payload.Size)
            {
                _inPosition = 0;
                _received++;
            }
        }
    }
}
