namespace NamedPipeShim.Samples.Transfer;

/// <summary>
/// Receives from any number of senders on the calling thread: one poller, one read buffer, and several server instances
/// waiting ahead, so that a sender that comes finds one.
/// </summary>
internal sealed class Receiver : IDisposable
{
    private const int InstancesAhead = 8;
    private const int BufferSize = 65_536;

    private readonly NamedPipePoller _poller = new();
    private readonly Dictionary<nuint, IncomingTransfer> _transfers = [];
    private readonly Queue<IncomingTransfer> _turns = [];
    private readonly string _name;
    private readonly string? _folder;
    private readonly Action<ReceivedTransfer> _report;
    private nuint _lastToken;
    private int _listening;
    private bool _isFull;

    /// <summary>Starts to listen: senders may connect from now on, and are served by <see cref="Run"/>.</summary>
    /// <param name="name">The pipe's name; nobody else may serve it.</param>
    /// <param name="folder">Where files are kept, or null: they are only verified.</param>
    /// <param name="report">Called for each transfer that ended, on the thread of <see cref="Run"/>.</param>
    public Receiver(string name, string? folder, Action<ReceivedTransfer> report)
    {
        _name = name;
        _folder = folder;
        _report = report;
        try
        {
            AddInstance(isFirst: true);
        }
        catch
        {
            _poller.Dispose();
            throw;
        }
    }

    /// <summary>How many senders are connected.</summary>
    public int Connected => _transfers.Count - _listening;

    /// <summary>Receives until <paramref name="isDone"/>, asked after every round, or the token says to stop.</summary>
    public void Run(Func<bool> isDone, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration wake = cancellationToken.Register(() => _poller.Wake(0));
        PipeEvent[] events = new PipeEvent[64];
        byte[] buffer = new byte[BufferSize];
        KeepInstancesAhead();
        while (!isDone() && !cancellationToken.IsCancellationRequested)
        {
            // Only look when somebody has more to do; otherwise there is no reason to run at all.
            TimeSpan timeout = _turns.Count > 0 ? TimeSpan.Zero : Timeout.InfiniteTimeSpan;
            int count = _poller.Wait(events, timeout);
            foreach (PipeEvent ready in events.AsSpan(0, count))
            {
                // An unknown token is the wake.
                if (_transfers.TryGetValue(ready.Token, out IncomingTransfer? transfer))
                {
                    Enqueue(transfer);
                }
            }

            // One turn for everybody in the queue now; who joins meanwhile waits for the next round.
            for (int turns = _turns.Count; turns > 0; turns--)
            {
                GiveTurn(_turns.Dequeue(), buffer);
            }

            KeepInstancesAhead();
        }
    }

    /// <summary>Ends what is going on, and waits until the last answers are out.</summary>
    public void Dispose()
    {
        foreach (IncomingTransfer transfer in _transfers.Values)
        {
            transfer.Dispose();
        }

        _transfers.Clear();
        _poller.Dispose();
    }

    private void Enqueue(IncomingTransfer transfer)
    {
        if (!transfer.IsQueued)
        {
            transfer.IsQueued = true;
            _turns.Enqueue(transfer);
        }
    }

    private void GiveTurn(IncomingTransfer transfer, Span<byte> buffer)
    {
        transfer.IsQueued = false;
        bool wasListening = transfer.IsListening;
        TurnResult result;
        try
        {
            result = transfer.TakeTurn(buffer);
        }
        catch (NamedPipeException) when (wasListening && Connected > 0)
        {
            // The system gives no more handles, most likely.
            Remove(transfer);
            _isFull = true;
            return;
        }

        if (wasListening && !transfer.IsListening)
        {
            _listening--;
        }

        if (result == TurnResult.WantsAnotherTurn)
        {
            Enqueue(transfer);
        }
        else if (result == TurnResult.Ended)
        {
            Remove(transfer);
            _isFull = false;
        }
    }

    private void KeepInstancesAhead()
    {
        try
        {
            while (_listening < InstancesAhead && !_isFull)
            {
                AddInstance(isFirst: false);
            }
        }
        catch (NamedPipeException) when (Connected > 0)
        {
            // Who comes now waits until a transfer ends and gives its handle back.
            _isFull = true;
        }
    }

    private void AddInstance(bool isFirst)
    {
        NamedPipe pipe = NamedPipe.CreateServer(new NamedPipeServerOptions { Name = _name, FirstInstance = isFirst });
        var transfer = new IncomingTransfer(pipe, ++_lastToken, _folder, _report);
        _transfers.Add(transfer.Token, transfer);
        _listening++;
        try
        {
            transfer.Listen(_poller);
        }
        catch
        {
            Remove(transfer);
            throw;
        }
    }

    private void Remove(IncomingTransfer transfer)
    {
        if (transfer.IsListening)
        {
            _listening--;
        }

        _transfers.Remove(transfer.Token);
        transfer.Dispose();
    }
}
