using System.IO.Pipes;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>
/// System.IO.Pipes, asynchronous, with its default options: as one flow (both ends in one asynchronous method, where
/// most calls complete at once) or with a task for each server and one for the clients.
/// </summary>
internal sealed class SystemIoPipesContestant : IContestant
{
    public const string Who = "system.io.pipes";

    /// <summary>With the base class library's own switch for continuations on its socket thread, on for the whole process.
    /// </summary>
    public const string WhoInline = "system.io.pipes-inline";
    public const string InlineSwitch = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    private const int ReadCapacity = 131072;

    private readonly AsyncContestant _async = new(Who, new SystemIoPipesSource());
    private readonly List<(StreamEnd End, Task Reading)> _held = [];
    private int _names;

    public Measure Run(Play play) =>
        play.Scenario.IsAsync() ? _async.Run(play) : RunAsync(play).GetAwaiter().GetResult();

    public void HoldPairs(int pairs)
    {
        (StreamEnd[] servers, StreamEnd[] clients) = OpenAsync(pairs, new Payload(1)).GetAwaiter().GetResult();
        foreach (StreamEnd end in servers.Concat(clients))
        {
            // An idle pipe is one that somebody reads from. A buffer of one byte: that share is the caller's.
            _held.Add((end, end.Stream.ReadAsync(new byte[1]).AsTask()));
        }
    }

    public void Dispose()
    {
        foreach ((StreamEnd end, _) in _held)
        {
            end.Stream.Dispose();
        }

        _async.Dispose();
    }

    private async Task<Measure> RunAsync(Play play)
    {
        var payload = new Payload(play.Size);
        if (play.Scenario == Scenario.Connect)
        {
            return await RunConnectAsync(play, payload, play.Variant == Play.OneFlow).ConfigureAwait(false);
        }

        (StreamEnd[] servers, StreamEnd[] clients) = await OpenAsync(play.Pipes, payload).ConfigureAwait(false);
        Measure measure = await StreamPlay.RunAsync(play, servers, clients, timeEach: false).ConfigureAwait(false);
        foreach (StreamEnd end in clients.Concat(servers))
        {
            await end.Stream.DisposeAsync().ConfigureAwait(false);
        }

        return measure;
    }

    // ---- connecting

    private async Task<Measure> RunConnectAsync(Play play, Payload payload, bool oneFlow)
    {
        string name = NextName();
        NamedPipeServerStream stream = SystemIoPipesSource.NewServer(name);
        await using (stream.ConfigureAwait(false))
        {
            var server = new StreamEnd(stream, payload, ReadCapacity);
            Task serving = oneFlow
                ? Task.CompletedTask
                : Task.Run(() => AcceptAsync(stream, server, play.Warmup + play.Operations));
            StreamEnd? served = oneFlow ? server : null;
            ulong sequence = await ConnectsAsync(name, served, payload, 0, play.Warmup).ConfigureAwait(false);
            Measure.Start start = Measure.Start.Now();
            await ConnectsAsync(name, served, payload, sequence, play.Operations).ConfigureAwait(false);
            await serving.ConfigureAwait(false);
            return start.End();
        }
    }

    private static async Task AcceptAsync(NamedPipeServerStream stream, StreamEnd server, long operations)
    {
        for (long i = 0; i < operations; i++)
        {
            await stream.WaitForConnectionAsync().ConfigureAwait(false);
            await ServeOneAsync(stream, server).ConfigureAwait(false);
        }
    }

    private static async Task ServeOneAsync(NamedPipeServerStream stream, StreamEnd server)
    {
        await server.ReceiveAsync().ConfigureAwait(false);
        await server.EndAsync().ConfigureAwait(false);
        stream.Disconnect();
    }

    /// <param name="server">The server end that this flow serves too, or null.</param>
    private static async Task<ulong> ConnectsAsync(
        string name, StreamEnd? server, Payload payload, ulong sequence, long operations)
    {
        byte[] message = payload.NewMessage();
        var serverStream = server?.Stream as NamedPipeServerStream;
        for (long i = 0; i < operations; i++, sequence++)
        {
            Task accepted = serverStream?.WaitForConnectionAsync() ?? Task.CompletedTask;
            NamedPipeClientStream client = SystemIoPipesSource.NewClient(name);
            await using (client.ConfigureAwait(false))
            {
                await client.ConnectAsync().ConfigureAwait(false);
                Payload.Stamp(message, sequence);
                await client.WriteAsync(message).ConfigureAwait(false);
                await accepted.ConfigureAwait(false);
                if (server is not null)
                {
                    await server.ReceiveAsync().ConfigureAwait(false);
                }
            }

            if (server is not null)
            {
                await server.EndAsync().ConfigureAwait(false);
                serverStream!.Disconnect();
            }
        }

        return sequence;
    }

    private async Task<(StreamEnd[] Servers, StreamEnd[] Clients)> OpenAsync(int pipes, Payload payload)
    {
        string name = NextName();
        using var source = new SystemIoPipesSource();
        source.Listen(name);
        var servers = new StreamEnd[pipes];
        var clients = new StreamEnd[pipes];
        int capacity = pipes == 1 ? ReadCapacity : Math.Min(ReadCapacity, payload.Size * 2);
        for (int i = 0; i < pipes; i++)
        {
            (Stream server, Stream client) = await source.OpenAsync(name).ConfigureAwait(false);
            servers[i] = new StreamEnd(server, payload, capacity);
            clients[i] = new StreamEnd(client, payload, capacity);
        }

        return (servers, clients);
    }

    private string NextName() => $"nps-bench-sip-{Environment.ProcessId}-{_names++}";
}
