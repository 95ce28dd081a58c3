using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What an idle stream costs, on Linux.</summary>
[LinuxTests]
[NonParallelizable]
public class StreamMemoryTests
{
    [Test]
    public async Task AnIdleConnection_TakesLessThanThreeKilobytes()
    {
        const int Pairs = 500;
        await using NamedPipeEventLoop loop = new();
        using CancellationTokenSource cancellation = new();
        (NamedPipeStream Server, NamedPipeStream Client)[] first = await StreamPairs.ConnectAsync(20, loop); // what is made once
        if (NativeHeap.BytesInUse() is not { } nativeBefore)
        {
            Assert.Ignore("This C library does not tell how much memory is in use.");
            return;
        }

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
        Assert.That(managed + native, Is.LessThan(3 * 1024));
        StreamPairs.Close(all);
        StreamPairs.Close(first);
        foreach (Task<int> read in reads)
        {
            _ = await Task.WhenAny(read).InTime(); // disposed here, or the end, if the peer was the first
        }
    }
}
