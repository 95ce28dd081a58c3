using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Many streams on one loop, and some whose continuations block.</summary>
[NonParallelizable]
public class StreamLoadTests
{
    private const int MessageSize = 200;

    [Test]
    public async Task TenThousandPipes_OnOneLoop_ExchangeVerifiedMessages()
    {
        const int Pairs = 10_000;
        const int Spare = 1_000;
        int pairs = RunningSystem.Rounds(Pairs, underWine: 1_000);
        if (OperatingSystem.IsLinux())
        {
            long limit = DescriptorLimit.Raise(2 * Pairs + Spare);
            pairs = (int)Math.Min(pairs, (limit - Spare) / 2);
        }

        await TestContext.Out.WriteLineAsync($"{pairs} pairs, {2 * pairs} pipes on one loop");
        Assert.That(pairs, Is.GreaterThanOrEqualTo(1_000), "The limit of descriptors allows too few");
        await using NamedPipeEventLoop loop = new();
        using CancellationTokenSource cancellation = new();
        (NamedPipeStream Server, NamedPipeStream Client)[] all = await StreamPairs.ConnectAsync(pairs, loop);
        Task<int>[] flows = new Task<int>[2 * pairs];
        for (int i = 0; i < pairs; i++)
        {
            flows[2 * i] = ExchangeAsync(all[i].Server, i, i + pairs, first: false, cancellation.Token);
            flows[2 * i + 1] = ExchangeAsync(all[i].Client, i + pairs, i, first: true, cancellation.Token);
        }

        int[] bytes = await Task.WhenAll(flows).WaitAsync(TimeSpan.FromSeconds(150));
        Assert.That(bytes, Has.All.EqualTo(3 * MessageSize));
        StreamPairs.Close(all);
    }

    [Test]
    public async Task ContinuationsThatSleepOrBlock_StallNoOtherPipe()
    {
        await using NamedPipeEventLoop loop = new();
        using StreamPair sleeping = await StreamPair.NewAsync(loop);
        using StreamPair blocking = await StreamPair.NewAsync(loop);
        using ManualResetEventSlim over = new();
        using SemaphoreSlim begun = new(0);
        Task sleeper = AfterARead(sleeping.Server, over.Wait);
        Task blocker = AfterARead(blocking.Server, () => Assert.That(blocking.Server.ReadByte(), Is.EqualTo(2)));
        await sleeping.Client.WriteAsync(new byte[] { 1 });
        await blocking.Client.WriteAsync(new byte[] { 1 });
        await begun.WaitAsync().InTime();
        await begun.WaitAsync().InTime();

        (NamedPipeStream Server, NamedPipeStream Client)[] others = await StreamPairs.ConnectAsync(16, loop);
        Task<int>[] flows = [.. others.SelectMany((pair, i) => new[]
        {
            ExchangeAsync(pair.Server, i, i + 16, first: false, default),
            ExchangeAsync(pair.Client, i + 16, i, first: true, default),
        })];
        Assert.That(await Task.WhenAll(flows).InTime(), Has.All.EqualTo(3 * MessageSize));
        Assert.That(sleeper.IsCompleted || blocker.IsCompleted, Is.False);
        over.Set();
        await blocking.Client.WriteAsync(new byte[] { 2 });
        await sleeper.InTime();
        await blocker.InTime();
        StreamPairs.Close(others);

        async Task AfterARead(NamedPipeStream stream, Action action)
        {
            _ = await stream.ReadAsync(new byte[1]).ConfigureAwait(false);
            begun.Release();
            action();
        }
    }

    // Three messages each way, in turns.
    private static async Task<int> ExchangeAsync(
        NamedPipeStream stream, int mySeed, int itsSeed, bool first, CancellationToken token)
    {
        byte[] buffer = new byte[MessageSize];
        int bytes = 0;
        for (int round = 0; round < 3; round++)
        {
            if (first)
            {
                await stream.WriteAsync(Pattern.Of(MessageSize, mySeed + round), token).ConfigureAwait(false);
            }

            await stream.ReadExactlyAsync(buffer, token).ConfigureAwait(false);
            Pattern.Verify(buffer, itsSeed + round, 0);
            bytes += buffer.Length;
            if (!first)
            {
                await stream.WriteAsync(Pattern.Of(MessageSize, mySeed + round), token).ConfigureAwait(false);
            }
        }

        return bytes;
    }
}
