namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>One loop over the readiness API: a poller, its ends, and what came in.</summary>
internal sealed class OursSide : IDisposable
{
    /// <summary>Above every message size: a short read says that the pipe is drained.</summary>
    private const int ReadCapacity = 131072;

    private const int Batch = 128;

    private readonly NamedPipePoller _poller = new();
    private readonly PipeEvent[] _events = new PipeEvent[Batch];
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(ReadCapacity, pinned: true);
    private readonly bool _server;
    private readonly Play _play;

    public OursSide(Play play, Payload payload, bool server)
    {
        _play = play;
        _server = server;
        Ends = new OursEnd[play.Pipes];
        for (int i = 0; i < Ends.Length; i++)
        {
            Ends[i] = new OursEnd(this, payload);
        }
    }

    public OursEnd[] Ends { get; }

    /// <summary>Whole messages that came in, at all ends.</summary>
    public long Messages { get; private set; }

    /// <summary>Ends whose peer has closed, in all.</summary>
    public long Closed { get; private set; }

    /// <summary>Ends that wait until they can write.</summary>
    public int Blocked { get; set; }

    /// <summary>Messages that a streaming client may have sent by now.</summary>
    public long StreamTarget { get; set; }

    public void Listen(int index, string name)
    {
        NamedPipe pipe = NamedPipe.CreateServer(name);
        Ends[index].Pipe = pipe;
        pipe.Register(_poller, (nuint)index, PipeInterest.Readable | PipeInterest.Writable);
        _ = pipe.TryConnect();
    }

    public void Open(int index, string name)
    {
        NamedPipe pipe = NamedPipe.OpenClient(name);
        Ends[index].Pipe = pipe;
        pipe.Register(_poller, (nuint)index, PipeInterest.Readable | PipeInterest.Writable);
    }

    /// <summary>One wait, and what it brought.</summary>
    public void Wait(TimeSpan timeout)
    {
        int count = _poller.Wait(_events, timeout);
        for (int i = 0; i < count; i++)
        {
            ref readonly PipeEvent ready = ref _events[i];
            OursEnd end = Ends[(int)ready.Token];
            if (ready.IsError)
            {
                throw end.Pipe.TakeError() ?? new NamedPipeException("an error event without an error");
            }

            if (ready.IsWritable)
            {
                OnWritable(end);
            }

            if (ready.IsReadable || ready.IsClosed)
            {
                Read(end);
            }
        }
    }

    public void Stream(OursEnd end)
    {
        while (end.SentMessages < StreamTarget && end.Send())
        {
            // On until all are sent or the pipe is full.
        }
    }

    public void OnMessage(OursEnd end)
    {
        Messages++;
        if (!_server)
        {
            return;
        }

        bool answer = _play.Scenario switch
        {
            Scenario.Pingpong or Scenario.Fanin => true,
            Scenario.Stream => end.ReceivedMessages == _play.Warmup
                || end.ReceivedMessages == _play.Warmup + _play.Operations,
            _ => false,
        };
        if (answer)
        {
            _ = end.Send();
        }
    }

    public void Dispose()
    {
        foreach (OursEnd end in Ends)
        {
            end.Pipe?.Dispose();
        }

        _poller.Dispose();
    }

    private void OnWritable(OursEnd end)
    {
        if (_server && !end.IsConnected)
        {
            end.OnConnected();
        }
        else if (end.OnWritable() && !_server && _play.Scenario == Scenario.Stream)
        {
            Stream(end);
        }
    }

    private void Read(OursEnd end)
    {
        for (; ; )
        {
            PipeStatus status = end.Pipe.TryRead(_buffer, out int count);
            if (status == PipeStatus.WouldBlock)
            {
                return;
            }

            if (status == PipeStatus.EndOfStream)
            {
                end.OnClosed();
                Closed++;
                return;
            }

            end.OnReadable(_buffer.AsSpan(0, count));
            if (count < _buffer.Length)
            {
                return;
            }
        }
    }
}
