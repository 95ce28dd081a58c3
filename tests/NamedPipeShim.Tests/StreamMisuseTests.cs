using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Who uses a ValueTask against its rules is told, and disturbs no other operation.</summary>
public sealed class StreamMisuseTests
{
    [Test]
    public async Task AResultAskedForTooEarlyOrTwice_DisturbsNoOperation()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] received = new byte[2];
        ValueTask<int> first = pair.Server.ReadAsync(received.AsMemory(0, 1));
        await pair.Client.WriteAsync(new byte[] { 1 }).InTime();
        Assert.That(await first.InTime(), Is.EqualTo(1));

        ValueTask<int> second = pair.Server.ReadAsync(received.AsMemory(1)); // the object of the first, used again
#pragma warning disable CA2012 // that is the point
        Assert.Throws<InvalidOperationException>(() => first.GetAwaiter().GetResult());
        Assert.Throws<InvalidOperationException>(() => second.GetAwaiter().GetResult());
#pragma warning restore CA2012
        await pair.Client.WriteAsync(new byte[] { 2 }).InTime();
        Assert.That(await second.InTime(), Is.EqualTo(1));
        Assert.That(received, Is.EqualTo(new byte[] { 1, 2 }));
    }
}
