using System.Diagnostics;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>The scenarios over streams: one flow with both ends, or a task for each server and one for the clients.</summary>
internal static class StreamPlay
{
    public static async Task<Measure> RunAsync(Play play, StreamEnd[] servers, StreamEnd[] clients, bool timeEach)
    {
        Task[] serving = play.Variant == Play.OneFlow
            ? []
            : Array.ConvertAll(servers, server => Task.Run(() => ServeAsync(play, server)));
        Latencies? latencies = timeEach ? new Latencies(play.Operations) : null;
        await PartAsync(play, servers, clients, play.Warmup, null).ConfigureAwait(false);
        Measure.Start start = Measure.Start.Now();
        await PartAsync(play, servers, clients, play.Operations, latencies).ConfigureAwait(false);
        Measure measure = start.End();
        await Task.WhenAll(serving).ConfigureAwait(false);
        return measure with { P99Nanoseconds = latencies?.P99Nanoseconds() ?? 0 };
    }

    /// <summary>The server's part of a round trip or a stream, warm-up and all.</summary>
    public static async Task ServeAsync(Play play, StreamEnd server)
    {
        if (play.Scenario.IsStream())
        {
            await server.ReceiveManyAsync(play.Warmup).ConfigureAwait(false);
            await server.SendAsync().ConfigureAwait(false);
            await server.ReceiveManyAsync(play.Warmup + play.Operations).ConfigureAwait(false);
            await server.SendAsync().ConfigureAwait(false);
            return;
        }

        await EchoAsync(server, (play.Warmup + play.Operations) / play.Pipes).ConfigureAwait(false);
    }

    public static async Task EchoAsync(StreamEnd server, long rounds)
    {
        for (long i = 0; i < rounds; i++)
        {
            await server.ReceiveAsync().ConfigureAwait(false);
            await server.SendAsync().ConfigureAwait(false);
        }
    }

    private static Task PartAsync(
        Play play, StreamEnd[] servers, StreamEnd[] clients, long operations, Latencies? latencies)
    {
        if (play.Scenario.IsStream())
        {
            return StreamAsync(clients[0], operations, latencies);
        }

        return play.Variant switch
        {
            Play.OneFlow => RoundsInOneFlowAsync(servers, clients, operations, latencies),
            Play.TaskEach => Task.WhenAll(Array.ConvertAll(
                clients, client => Task.Run(() => RoundsAsync([client], operations / clients.Length, latencies)))),
            _ => RoundsAsync(clients, operations, latencies),
        };
    }

    private static async Task RoundsAsync(StreamEnd[] clients, long operations, Latencies? latencies)
    {
        for (long done = 0; done < operations; done += clients.Length)
        {
            long start = Stopwatch.GetTimestamp();
            foreach (StreamEnd client in clients)
            {
                await client.SendAsync().ConfigureAwait(false);
            }

            foreach (StreamEnd client in clients)
            {
                await client.ReceiveAsync().ConfigureAwait(false);
                latencies?.Add(start);
            }
        }
    }

    private static async Task RoundsInOneFlowAsync(
        StreamEnd[] servers, StreamEnd[] clients, long operations, Latencies? latencies)
    {
        for (long done = 0; done < operations; done += clients.Length)
        {
            long start = Stopwatch.GetTimestamp();
            await ExchangeAsync(clients, servers).ConfigureAwait(false);
            await ExchangeAsync(servers, clients).ConfigureAwait(false);
            latencies?.Add(start);
        }
    }

    /// <summary>All of <paramref name="from"/> send, then all of <paramref name="to"/> receive.</summary>
    private static async ValueTask ExchangeAsync(StreamEnd[] from, StreamEnd[] to)
    {
        foreach (StreamEnd end in from)
        {
            end.StartSending();
        }

        for (int i = 0; i < to.Length; i++)
        {
            await to[i].ReceiveAsync().ConfigureAwait(false);
            await from[i].SentAsync().ConfigureAwait(false);
        }
    }

    private static async Task StreamAsync(StreamEnd client, long operations, Latencies? latencies)
    {
        for (long i = 0; i < operations; i++)
        {
            long start = Stopwatch.GetTimestamp();
            await client.SendAsync().ConfigureAwait(false);
            latencies?.Add(start);
        }

        await client.ReceiveAsync().ConfigureAwait(false);
    }
}
