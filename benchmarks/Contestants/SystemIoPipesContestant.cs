using System.IO.Pipes;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>
/// System.IO.Pipes, asynchronous, with its default options: as one flow (both ends in one asynchronous method, where
/// most calls complete at once) or with a task for each server and one for the clients.
/// </summary>
internal sealed class SystemIoPipesContestant : IContestant
{
    public const string Who = "system.io.pipes";

    private const int ReadCapacity = 131072;

    private readonly List<(SystemIoPipesEnd End, Task Reading)> _held = [];
    private int _names;

    public Measure Run(Play play) => RunAsync(play).GetAwaiter().GetResult();

    public void HoldPairs(int pairs)
    {
        (SystemIoPipesEnd[] servers, SystemIoPipesEnd[] clients) =
            OpenAsync(pairs, new Payload(1)).GetAwaiter().GetResult();
        foreach (SystemIoPipesEnd end in servers.Concat(clients))
        {
            // An idle pipe is one that somebody reads from. A buffer of one byte: that share is the caller's.
            _held.Add((end, end.Stream.ReadAsync(new byte[1]).AsTask()));
        }
    }

    public void Dispose()
    {
        foreach ((SystemIoPipesEnd end, _) in _held)
        {
            end.Stream.Dispose();
        }
    }

    private async Task<Measure> RunAsync(Play play)
    {
        var payload = new Payload(play.Size);
        bool oneFlow = play.Variant == Play.OneFlow;
        if (play.Scenario == Scenario.Connect)
        {
            return await RunConnectAsync(play, payload, oneFlow).ConfigureAwait(false);
        }

        (SystemIoPipesEnd[] servers, SystemIoPipesEnd[] clients) =
            await OpenAsync(play.Pipes, payload).ConfigureAwait(false);
        Task[] serving = oneFlow ? [] : Array.ConvertAll(servers, server => Task.Run(() => ServeAsync(play, server)));
        await PartAsync(play, servers, clients, play.Warmup).ConfigureAwait(false);
        Measure.Start start = Measure.Start.Now();
        await PartAsync(play, servers, clients, play.Operations).ConfigureAwait(false);
        Measure measure = start.End();
        await Task.WhenAll(serving).ConfigureAwait(false);
        foreach (SystemIoPipesEnd end in clients.Concat(servers))
        {
            await end.Stream.DisposeAsync().ConfigureAwait(false);
        }

        return measure;
    }

    private static Task PartAsync(Play play, SystemIoPipesEnd[] servers, SystemIoPipesEnd[] clients, long operations) =>
        (play.Scenario, play.Variant) switch
        {
            (Scenario.Stream, _) => StreamAsync(clients[0], operations),
            (_, Play.OneFlow) => RoundsInOneFlowAsync(servers, clients, operations),
            _ => RoundsAsync(clients, operations),
        };

    private static async Task RoundsAsync(SystemIoPipesEnd[] clients, long operations)
    {
        for (long done = 0; done < operations; done += clients.Length)
        {
            foreach (SystemIoPipesEnd client in clients)
            {
                await client.SendAsync().ConfigureAwait(false);
            }

            foreach (SystemIoPipesEnd client in clients)
            {
                await client.ReceiveAsync().ConfigureAwait(false);
            }
        }
    }

    private static async Task RoundsInOneFlowAsync(
        SystemIoPipesEnd[] servers, SystemIoPipesEnd[] clients, long operations)
    {
        for (long done = 0; done < operations; done += clients.Length)
        {
            await ExchangeAsync(clients, servers).ConfigureAwait(false);
            await ExchangeAsync(servers, clients).ConfigureAwait(false);
        }
    }

    /// <summary>All of <paramref name="from"/> send, then all of <paramref name="to"/> receive.</summary>
    private static async ValueTask ExchangeAsync(SystemIoPipesEnd[] from, SystemIoPipesEnd[] to)
    {
        foreach (SystemIoPipesEnd end in from)
        {
            end.StartSending();
        }

        for (int i = 0; i < to.Length; i++)
        {
            await to[i].ReceiveAsync().ConfigureAwait(false);
            await from[i].SentAsync().ConfigureAwait(false);
        }
    }

    private static async Task StreamAsync(SystemIoPipesEnd client, long operations)
    {
        for (long i = 0; i < operations; i++)
        {
            await client.SendAsync().ConfigureAwait(false);
        }

        await client.ReceiveAsync().ConfigureAwait(false);
    }

    private static async Task ServeAsync(Play play, SystemIoPipesEnd server)
    {
        if (play.Scenario == Scenario.Stream)
        {
            await server.ReceiveManyAsync(play.Warmup).ConfigureAwait(false);
            await server.SendAsync().ConfigureAwait(false);
            await server.ReceiveManyAsync(play.Warmup + play.Operations).ConfigureAwait(false);
            await server.SendAsync().ConfigureAwait(false);
            return;
        }

        long rounds = (play.Warmup + play.Operations) / play.Pipes;
        for (long i = 0; i < rounds; i++)
        {
            await server.ReceiveAsync().ConfigureAwait(false);
            await server.SendAsync().ConfigureAwait(false);
        }
    }

    // ---- connecting

    private async Task<Measure> RunConnectAsync(Play play, Payload payload, bool oneFlow)
    {
        string name = NextName();
        NamedPipeServerStream stream = NewServer(name);
        await using (stream.ConfigureAwait(false))
        {
            var server = new SystemIoPipesEnd(stream, payload, ReadCapacity);
            Task serving = oneFlow
                ? Task.CompletedTask
                : Task.Run(() => AcceptAsync(stream, server, play.Warmup + play.Operations));
            SystemIoPipesEnd? served = oneFlow ? server : null;
            ulong sequence = await ConnectsAsync(name, served, payload, 0, play.Warmup).ConfigureAwait(false);
            Measure.Start start = Measure.Start.Now();
            await ConnectsAsync(name, served, payload, sequence, play.Operations).ConfigureAwait(false);
            await serving.ConfigureAwait(false);
            return start.End();
        }
    }

    private static async Task AcceptAsync(NamedPipeServerStream stream, SystemIoPipesEnd server, long operations)
    {
        for (long i = 0; i < operations; i++)
        {
            await stream.WaitForConnectionAsync().ConfigureAwait(false);
            await ServeOneAsync(stream, server).ConfigureAwait(false);
        }
    }

    private static async Task ServeOneAsync(NamedPipeServerStream stream, SystemIoPipesEnd server)
    {
        await server.ReceiveAsync().ConfigureAwait(false);
        await server.EndAsync().ConfigureAwait(false);
        stream.Disconnect();
    }

    /// <param name="server">The server end that this flow serves too, or null.</param>
    private static async Task<ulong> ConnectsAsync(
        string name, SystemIoPipesEnd? server, Payload payload, ulong sequence, long operations)
    {
        byte[] message = payload.NewMessage();
        var serverStream = server?.Stream as NamedPipeServerStream;
        for (long i = 0; i < operations; i++, sequence++)
        {
            Task accepted = serverStream?.WaitForConnectionAsync() ?? Task.CompletedTask;
            NamedPipeClientStream client = NewClient(name);
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

    private async Task<(SystemIoPipesEnd[] Servers, SystemIoPipesEnd[] Clients)> OpenAsync(int pipes, Payload payload)
    {
        string name = NextName();
        var servers = new SystemIoPipesEnd[pipes];
        var clients = new SystemIoPipesEnd[pipes];
        int capacity = pipes == 1 ? ReadCapacity : Math.Min(ReadCapacity, payload.Size * 2);
        for (int i = 0; i < pipes; i++)
        {
            NamedPipeServerStream server = NewServer(name);
            NamedPipeClientStream client = NewClient(name);
            Task accepted = server.WaitForConnectionAsync();
            await client.ConnectAsync().ConfigureAwait(false);
            await accepted.ConfigureAwait(false);
            servers[i] = new SystemIoPipesEnd(server, payload, capacity);
            clients[i] = new SystemIoPipesEnd(client, payload, capacity);
        }

        return (servers, clients);
    }

    private string NextName() => $"nps-bench-sip-{Environment.ProcessId}-{_names++}";

    /// <summary>
    /// The quota is what the other contestants use on Windows; on Linux 0 leaves the socket's buffers alone.
    /// </summary>
    private static NamedPipeServerStream NewServer(string name)
    {
        int quota = OperatingSystem.IsWindows() ? 65536 : 0;
        return new NamedPipeServerStream(name, PipeDirection.InOut, NamedPipeServerStream.MaxAllowedServerInstances,
            PipeTransmissionMode.Byte, PipeOptions.Asynchronous, quota, quota);
    }

    private static NamedPipeClientStream NewClient(string name) =>
        new(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
}
