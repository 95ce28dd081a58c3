namespace NamedPipeShim.Tests.Support;

/// <summary>A poller, and what it has reported of each token since that was last asked for.</summary>
internal sealed class TestLoop : IDisposable
{
    private readonly PipeEvent[] _events = new PipeEvent[256];
    private readonly Dictionary<nuint, PipeReadiness> _seen = [];
    private readonly HashSet<nuint> _tokensOfThisWait = [];
    private nuint _lastToken;

    public TestLoop(NamedPipePollerOptions? options = null)
    {
        Poller = new NamedPipePoller(options);
    }

    public NamedPipePoller Poller { get; }

    /// <summary>Events handed out so far.</summary>
    public int EventCount { get; private set; }

    /// <summary>One wait. Checks that no pipe has two events in it (P1).</summary>
    public int Pump(TimeSpan timeout)
    {
        int count = Poller.Wait(_events, timeout);
        EventCount += count;
        _tokensOfThisWait.Clear();
        for (int i = 0; i < count; i++)
        {
            PipeEvent one = _events[i];
            if (!one.IsWake && !_tokensOfThisWait.Add(one.Token))
            {
                Assert.Fail($"One wait has two events with the token {one.Token}.");
            }

            if (one.Readiness == PipeReadiness.None)
            {
                Assert.Fail($"The event with the token {one.Token} says nothing.");
            }

            _seen[one.Token] = SeenOf(one.Token) | one.Readiness;
        }

        return count;
    }

    /// <summary>Takes whatever is there without waiting for more.</summary>
    public void PumpAll()
    {
        Deadline deadline = Deadline.New();
        while (Pump(TimeSpan.Zero) > 0)
        {
            deadline.Check("The end of the events");
        }
    }

    public PipeReadiness SeenOf(nuint token) => _seen.GetValueOrDefault(token);

    public void Forget() => _seen.Clear();

    /// <summary>Waits until one of these has been reported of a token, and forgets those.</summary>
    public PipeReadiness Await(nuint token, PipeReadiness any)
    {
        Deadline deadline = Deadline.New();
        while ((SeenOf(token) & any) == 0)
        {
            deadline.Check($"An event of token {token} that says {any}");
            Pump(deadline.Left);
        }

        PipeReadiness came = SeenOf(token) & any;
        _seen[token] = SeenOf(token) & ~any;
        return came;
    }

    /// <summary>Registers a pipe under a token of its own.</summary>
    public TestEnd Add(NamedPipe pipe, PipeInterest interest = PipeInterest.Both)
    {
        nuint token = ++_lastToken;
        pipe.Register(Poller, token, interest);
        return new TestEnd(this, pipe, token);
    }

    /// <summary>A registered server that is connecting, without a client.</summary>
    public TestEnd Listen(string name) => Listen(new NamedPipeServerOptions { Name = name });

    public TestEnd Listen(NamedPipeServerOptions options)
    {
        TestEnd server = Add(NamedPipe.CreateServer(options));
        Assert.That(server.Pipe.TryConnect(), Is.EqualTo(PipeStatus.WouldBlock));
        return server;
    }

    public void Dispose() => Poller.Dispose();
}
