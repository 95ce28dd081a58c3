using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What an idle stream and an operation that waits cost in memory, on Linux.</summary>
[LinuxTests]
[NonParallelizable]
public class StreamMemoryTests
{
    // Bytes that the tasks and timers around a measured part take.
    private const int AroundIt = 12 * 1024;

    [Test]
    public async Task ReadsAndWritesThatWait_AllocateNothing()
    {
        const int Wanted = 20_000;
        await using NamedPipeEventLoop loop = new();
        using StreamPair pair = await StreamPair.NewAsync(
            new NamedPipeServerOptions { Name = PipeNames.New(), OutBufferSize = 4096, WriteLimit = 4096 }, loop);
        using CancellationTokenSource cancellation = new();
        (long operations, long waited) = (0, 0);
        byte[] message = Pattern.Of(8192);
        byte[] buffer = new byte[message.Length];
        await RoundsAsync(Wanted / 10);
        double least = double.MaxValue;
        for (int i = 0; i < 5 && least >= 1; i++)
        {
            (operations, waited) = (0, 0);
            GC.Collect();
            long before = GC.GetTotalAllocatedBytes(precise: true);
            await RoundsAsync(Wanted);
            long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
            least = Math.Min(least, Math.Max(0, allocated - AroundIt) / (double)operations);
            Assert.That(waited, Is.GreaterThanOrEqualTo(operations * 9 / 10), $"waited, of {operations}");
        }

        Assert.That(least, Is.LessThan(1), "bytes for each operation, all of this process");

        // No asynchronous method inside: each of those allocates when it waits.
        async Task RoundsAsync(long count)
        {
            while (operations < count)
            {
                ValueTask<int> read = pair.Client.ReadAsync(buffer, cancellation.Token);
                waited += read.IsCompleted ? 0 : 1;
                ValueTask write = pair.Server.WriteAsync(message, cancellation.Token);
                waited += write.IsCompleted ? 0 : 1;
                operations += 2;
                int have = await read.ConfigureAwait(false);
                while (have < message.Length)
                {
                    read = pair.Client.ReadAsync(buffer.AsMemory(have), cancellation.Token);
                    waited += read.IsCompleted ? 0 : 1;
                    operations++;
                    have += await read.ConfigureAwait(false);
                }

                await write.ConfigureAwait(false);
                if (!buffer.AsSpan().SequenceEqual(message))
                {
                    Assert.Fail("other bytes came");
                }
            }
        }
    }

    [Test]
    public async Task AnIdleConnection_TakesLessThanThreeKilobytes()
    {
        const int Pairs = 500;
        await using NamedPipeEventLoop loop = new();
        using CancellationTokenSource cancellation = new();
        (NamedPipeStream Server, NamedPipeStream Client)[] first = await StreamPairs.ConnectAsync(20, loop); // what is made once
        if (NativeHeap.BytesInUse() is null)
        {
            Assert.Ignore("This C library does not tell how much memory is in use.");
            return;
        }

        // What others make meanwhile, as the compiler does, is not the pipes': the least of several.
        double least = double.MaxValue;
        for (int i = 0; i < 5 && least >= 3 * 1024; i++)
        {
            least = Math.Min(least, await BytesOfEachEndAsync());
        }

        Assert.That(least, Is.LessThan(3 * 1024));
        StreamPairs.Close(first);

        async Task<double> BytesOfEachEndAsync()
        {
            long nativeBefore = NativeHeap.BytesInUse()!.Value;
            long managedBefore = GC.GetTotalMemory(forceFullCollection: true);
            (NamedPipeStream Server, NamedPipeStream Client)[] all = await StreamPairs.ConnectAsync(Pairs, loop);
            List<Task<int>> reads = [];
            byte[] buffer = new byte[1];
            foreach ((NamedPipeStream server, NamedPipeStream client) in all)
            {
                reads.Add(server.ReadAsync(buffer, cancellation.Token).AsTask());
                reads.Add(client.ReadAsync(buffer, cancellation.Token).AsTask());
            }

            double managed = (GC.GetTotalMemory(forceFullCollection: true) - managedBefore) / (2.0 * Pairs);
            double native = (NativeHeap.BytesInUse()!.Value - nativeBefore) / (2.0 * Pairs);
            await TestContext.Out.WriteLineAsync($"each end: {managed:0} bytes managed, {native:0} native");
            StreamPairs.Close(all);
            foreach (Task<int> read in reads)
            {
                _ = await Task.WhenAny(read).InTime(); // disposed here, or the end, if the peer was the first
            }

            return managed + native;
        }
    }
}
