namespace NamedPipeShim.Tests.Support;

/// <summary>Runs a loop on a thread of its own, and tells other threads that there were events.</summary>
internal sealed class EventPump : IDisposable
{
    private const nuint Stop = 0xF00D;

    private readonly object _lock = new();
    private readonly TestLoop _loop;
    private readonly TestThread _thread;
    private int _turn;

    public EventPump(TestLoop loop)
    {
        _loop = loop;
        _thread = TestThread.Start(() =>
        {
            while ((loop.SeenOf(Stop) & PipeReadiness.Wake) == 0)
            {
                loop.Pump(Timeout.InfiniteTimeSpan);
                Announce();
            }
        });
    }

    /// <summary>To be read before a call that may say would-block: its event comes in a later turn.</summary>
    public int Turn => Volatile.Read(ref _turn);

    public void AwaitNext(int turn)
    {
        Deadline deadline = Deadline.New();
        lock (_lock)
        {
            while (_turn == turn)
            {
                deadline.Check("The next event");
                Monitor.Wait(_lock, deadline.Left);
            }
        }
    }

    public void Announce()
    {
        lock (_lock)
        {
            Volatile.Write(ref _turn, _turn + 1);
            Monitor.PulseAll(_lock);
        }
    }

    public void Dispose()
    {
        _loop.Poller.Wake(Stop);
        _thread.Join();
    }
}
