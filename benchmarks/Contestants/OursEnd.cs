namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>One end of a pipe over the readiness API: sends numbered messages, checks those that come.</summary>
internal sealed class OursEnd
{
    private readonly OursSide _side;
    private readonly byte[] _message;
    private readonly Payload _payload;
    private int _inPosition;
    private int _outPosition;

    public OursEnd(OursSide side, Payload payload)
    {
        _side = side;
        _payload = payload;
        _message = payload.NewMessage();
    }

    public NamedPipe Pipe { get; set; } = null!;

    public bool IsConnected { get; private set; }

    public bool IsBlocked { get; private set; }

    public long SentBytes { get; private set; }

    public long ReceivedBytes { get; private set; }

    public long SentMessages { get; private set; }

    public long ReceivedMessages { get; private set; }

    public void OnConnected() => IsConnected = true;

    public void OnClosed() => IsConnected = false;

    /// <summary>Goes on with a message that did not fit.</summary>
    /// <returns>True when a blocked message is out now.</returns>
    public bool OnWritable()
    {
        if (!IsBlocked)
        {
            return false;
        }

        IsBlocked = false;
        _side.Blocked--;
        return Push();
    }

    /// <summary>Sends the next message.</summary>
    /// <returns>False: it did not fit; <see cref="OnWritable"/> goes on.</returns>
    public bool Send()
    {
        _outPosition = 0;
        Payload.Stamp(_message, (ulong)SentMessages);
        return Push();
    }

    public void OnReadable(ReadOnlySpan<byte> data)
    {
        ReceivedBytes += data.Length;
        while (!data.IsEmpty)
        {
            ReadOnlySpan<byte> part = data[..Math.Min(_payload.Size - _inPosition, data.Length)];
            _payload.Check(part, _inPosition, (ulong)ReceivedMessages);
            _inPosition += part.Length;
            data = data[part.Length..];
            if (_inPosition == _payload.Size)
            {
                _inPosition = 0;
                ReceivedMessages++;
                _side.OnMessage(this);
            }
        }
    }

    private bool Push()
    {
        while (_outPosition < _message.Length)
        {
            PipeStatus status = Pipe.TryWrite(_message.AsSpan(_outPosition), out int written);
            if (status == PipeStatus.WouldBlock)
            {
                IsBlocked = true;
                _side.Blocked++;
                return false;
            }

            _outPosition += written;
            SentBytes += written;
        }

        SentMessages++;
        return true;
    }
}
