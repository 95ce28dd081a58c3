namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>
/// The scenarios <c>async-…</c>: streams of one source, each end with a cancellable token of its own, which nobody cancels.
/// </summary>
internal sealed class AsyncContestant(string who, StreamSource source) : IContestant
{
    public const string Ours = "ours-async";
    public const string OursInline = "ours-async-inline";

    /// <summary>A loop for the servers and one for the clients.</summary>
    public const string OursInlineLoops = "ours-async-inline-two-loops";

    private const int ReadCapacity = 131072;

    private readonly List<Stream> _heldStreams = [];
    private readonly List<Task> _heldReads = [];
    private readonly CancellationTokenSource _cancellation = new();
    private EchoProcess? _echo;
    private int _names;

    public Measure Run(Play play) => RunAsync(play).GetAwaiter().GetResult();

    /// <summary>Every end has a read under way, with a buffer of one byte, which is the caller's.</summary>
    public void HoldPairs(int pairs)
    {
        string name = NextName();
        source.Listen(name);
        for (int i = 0; i < pairs; i++)
        {
            (Stream server, Stream client) = source.OpenAsync(name).GetAwaiter().GetResult();
            foreach (Stream stream in (Stream[])[server, client])
            {
                _heldStreams.Add(stream);
                _heldReads.Add(stream.ReadAsync(new byte[1], _cancellation.Token).AsTask());
            }
        }
    }

    public void Dispose()
    {
        foreach (Stream stream in _heldStreams)
        {
            stream.Dispose();
        }

        _echo?.Dispose();
        source.Dispose();
        _cancellation.Dispose();
    }

    private async Task<Measure> RunAsync(Play play)
    {
        if (play.Variant == Play.TwoProcesses)
        {
            return await RunTwoProcessesAsync(play).ConfigureAwait(false);
        }

        string name = NextName();
        source.Listen(name, smallBuffers: play.Scenario == Scenario.AsyncAllocations);
        var pairs = new (Stream Server, Stream Client)[play.Pipes];
        for (int i = 0; i < pairs.Length; i++)
        {
            pairs[i] = await source.OpenAsync(name).ConfigureAwait(false);
        }

        var cancellations = new CancellationTokenSource[2 * play.Pipes];
        for (int i = 0; i < cancellations.Length; i++)
        {
            cancellations[i] = new CancellationTokenSource();
        }

        try
        {
            return play.Scenario switch
            {
                Scenario.AsyncBlocked => await BlockedTrial.RunAsync(pairs).ConfigureAwait(false),
                Scenario.AsyncAllocations => await WaitingTrial.RunAsync(
                    pairs[0].Client, pairs[0].Server, play, cancellations[0].Token).ConfigureAwait(false),
                _ => await PlayAsync(play, pairs, cancellations).ConfigureAwait(false),
            };
        }
        finally
        {
            foreach ((Stream server, Stream client) in pairs)
            {
                await client.DisposeAsync().ConfigureAwait(false);
                await server.DisposeAsync().ConfigureAwait(false);
            }

            Array.ForEach(cancellations, cancellation => cancellation.Dispose());
        }
    }

    private static Task<Measure> PlayAsync(
        Play play, (Stream Server, Stream Client)[] pairs, CancellationTokenSource[] cancellations)
    {
        var payload = new Payload(play.Size);
        int capacity = play.Pipes == 1 ? ReadCapacity : Math.Min(ReadCapacity, payload.Size * 2);
        var servers = new StreamEnd[play.Pipes];
        var clients = new StreamEnd[play.Pipes];
        for (int i = 0; i < pairs.Length; i++)
        {
            servers[i] = new StreamEnd(pairs[i].Server, payload, capacity, cancellations[2 * i].Token);
            clients[i] = new StreamEnd(pairs[i].Client, payload, capacity, cancellations[2 * i + 1].Token);
        }

        return StreamPlay.RunAsync(play, servers, clients, timeEach: true);
    }

    /// <summary>The server is another process, which stays; its processor time and memory count.</summary>
    private async Task<Measure> RunTwoProcessesAsync(Play play)
    {
        _echo ??= new EchoProcess(who);
        string name = NextName();
        await _echo.BeginAsync(name, play).ConfigureAwait(false);
        using CancellationTokenSource cancellation = new();
        Stream stream = await source.ConnectAsync(name).ConfigureAwait(false);
        Measure client;
        await using (stream.ConfigureAwait(false))
        {
            var end = new StreamEnd(stream, new Payload(play.Size), ReadCapacity, cancellation.Token);
            client = await StreamPlay.RunAsync(play, [], [end], timeEach: true).ConfigureAwait(false);
        }

        Measure server = await _echo.EndAsync().ConfigureAwait(false);
        return client with
        {
            AllocatedBytes = client.AllocatedBytes + server.AllocatedBytes,
            ProcessorNanoseconds = client.ProcessorNanoseconds + server.ProcessorNanoseconds,
        };
    }

    private string NextName() => $"nps-bench-async-{Environment.ProcessId}-{_names++}";
}
