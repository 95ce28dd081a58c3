using System.Buffers.Binary;
using System.Diagnostics;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>
/// <c>async-blocked</c>: what follows one pipe's read sleeps for a second, what follows another's blocks in a synchronous read
/// of the same loop; meanwhile the others are asked by the clock, not when they have answered: whoever is late once is late for all
/// that was due meanwhile. A message carries the time at which it was due.
/// </summary>
internal static class BlockedTrial
{
    private const int SleepMilliseconds = 1000;
    private const int MessageSize = 64;

    public static async Task<Measure> RunAsync((Stream Server, Stream Client)[] pairs)
    {
        const int Blocked = 2;
        using CancellationTokenSource cancellation = new();
        (Stream Server, Stream Client)[] others = pairs[Blocked..];
        var latencies = new Latencies((long)others.Length * SleepMilliseconds * 2);
        List<Task> flows = [];
        foreach ((Stream server, Stream client) in others)
        {
            flows.Add(Task.Run(() => EchoAsync(server, cancellation.Token)));
            flows.Add(Task.Run(() => TimeAsync(client, latencies, cancellation.Token)));
        }

        await AskAsync(others, 50).ConfigureAwait(false); // all is compiled then
        latencies.Clear();
        Task sleeper = SleepAsync(pairs[0].Server);
        Task blocker = BlockAsync(pairs[1].Server);
        Measure.Start start = Measure.Start.Now();
        pairs[0].Client.WriteByte(1);
        pairs[1].Client.WriteByte(1);
        await AskAsync(others, SleepMilliseconds).ConfigureAwait(false);
        Measure measure = start.End();
        pairs[1].Client.WriteByte(2);
        await Task.WhenAll(sleeper, blocker).ConfigureAwait(false);
        foreach ((_, Stream client) in others)
        {
            client.Dispose();
        }

        await Task.WhenAll(flows).ConfigureAwait(false);
        return measure with { P99Nanoseconds = latencies.P99Nanoseconds() };
    }

    private static async Task SleepAsync(Stream stream)
    {
        _ = await stream.ReadAsync(new byte[1]).ConfigureAwait(false);
        Thread.Sleep(SleepMilliseconds);
    }

    private static async Task BlockAsync(Stream stream)
    {
        _ = await stream.ReadAsync(new byte[1]).ConfigureAwait(false);
        if (stream.ReadByte() != 2)
        {
            throw new InvalidDataException("verify: another byte was sent");
        }
    }

    /// <summary>On a thread of its own: writes to each pipe every millisecond.</summary>
    private static Task AskAsync((Stream Server, Stream Client)[] pairs, int milliseconds) => Task.Factory.StartNew(
        () =>
        {
            byte[] message = new byte[MessageSize];
            long begin = Stopwatch.GetTimestamp();
            for (int i = 0; i < milliseconds; i++)
            {
                long due = begin + i * Stopwatch.Frequency / 1000;
                BinaryPrimitives.WriteInt64LittleEndian(message, due);
                foreach ((_, Stream client) in pairs)
                {
                    client.Write(message);
                }

                while (Stopwatch.GetTimestamp() < due + Stopwatch.Frequency / 1000)
                {
                    Thread.Sleep(1);
                }
            }
        },
        CancellationToken.None,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    private static async Task EchoAsync(Stream server, CancellationToken token)
    {
        byte[] message = new byte[MessageSize];
        try
        {
            while (await server.ReadAtLeastAsync(message, MessageSize, false, token).ConfigureAwait(false) == MessageSize)
            {
                await server.WriteAsync(message, token).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // The trial is over.
        }
    }

    private static async Task TimeAsync(Stream client, Latencies latencies, CancellationToken token)
    {
        byte[] message = new byte[MessageSize];
        try
        {
            while (await client.ReadAtLeastAsync(message, MessageSize, false, token).ConfigureAwait(false) == MessageSize)
            {
                latencies.Add(BinaryPrimitives.ReadInt64LittleEndian(message));
            }
        }
        catch (Exception exception) when (exception is ObjectDisposedException or OperationCanceledException or IOException)
        {
            // The trial is over.
        }
    }
}
