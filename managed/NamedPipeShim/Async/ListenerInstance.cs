namespace NamedPipeShim.Async;

/// <summary>
/// One server instance of a listener, from its creation until it has a client, which the listener hears of once.
/// </summary>
/// <remarks>A connect that fails (a bad client, no descriptor to spare) is tried again after a pause, for ever.</remarks>
internal sealed class ListenerInstance : LoopClient
{
    private readonly NamedPipeListener _listener;
    private readonly NamedPipeEventLoop _loop;
    private readonly Lock _lock = new();

    // Guarded by _lock.
    private Retry _retry;
    private bool _over; // it has a client, or is closed

    public ListenerInstance(NamedPipeListener listener, NamedPipeEventLoop loop, NamedPipe pipe)
    {
        _listener = listener;
        _loop = loop;
        Pipe = pipe;
        loop.Attach(this);
        try
        {
            pipe.Register(loop.Poller, Slot.Token, PipeInterest.Both | PipeInterest.OnDemand);
        }
        catch
        {
            loop.Detach(Slot);
            throw;
        }
    }

    public NamedPipe Pipe { get; }

    public override void OnReady(PipeReadiness readiness) => Listen();

    public override void OnLoopEnded() => _listener.OnLoopEnded();

    /// <summary>Looks for a client, and tells the listener when there is one.</summary>
    public void Listen()
    {
        lock (_lock)
        {
            if (_over || !HasClient())
            {
                return;
            }

            _over = true;
        }

        _loop.Detach(Slot);
        _listener.OnConnected(this);
    }

    /// <summary>Ends an instance that the listener does not know any more. One that has got a client at this moment, too: the listener will
    /// not take it (<see cref="NamedPipeListener.OnConnected"/>), and the name must be free when this returns.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _over = true;
        }

        _loop.Detach(Slot);
        Pipe.Abort();
        Pipe.Dispose();
    }

    private bool HasClient()
    {
        try
        {
            if (Pipe.TakeError() is { } before)
            {
                _listener.ToldOf(before); // the connect that failed in the background
            }

            return Pipe.TryConnect() == PipeStatus.Ok;
        }
        catch (ObjectDisposedException)
        {
            return false; // the loop has ended: it tells the listener
        }
        catch (Exception error) when (error is IOException or OutOfMemoryException)
        {
            _listener.ToldOf(error);
            _ = ListenLater(_retry.NextMilliseconds());
            return false;
        }
    }

    private async Task ListenLater(int milliseconds)
    {
        await Task.Delay(milliseconds).ConfigureAwait(false);
        Listen();
    }
}
