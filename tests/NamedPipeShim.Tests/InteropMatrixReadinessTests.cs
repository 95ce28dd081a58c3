using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>
/// The readiness level and System.IO.Pipes on the two ends of a byte pipe: the cells of the table in docs/interop.md.
/// </summary>
[Category("R1")]
[Category("R3")]
[Category("W1")]
public class InteropMatrixReadinessTests
{
    private const int Size = 2_000_003;

    [Test]
    public async Task BytesArrive_AndTheirCloseIsSeen(
        [Values] OurEnd ourEnd,
        [Values(PipeDirection.In, PipeDirection.Out, PipeDirection.InOut)] PipeDirection ours,
        [Values] TheirCalls theirCalls)
    {
        using TestLoop loop = new();
        (TestEnd end, TheirEnd theirs) = await ConnectAsync(loop, ourEnd, ours, theirCalls);
        using TestEnd mine = end;
        using TheirEnd other = theirs;
        await TransferAsync(mine, theirs, ours);
        theirs.Dispose();
        if (ours.HasFlag(PipeDirection.In))
        {
            Assert.That(mine.ReadToEnd(), Is.Empty);
        }

        if (ours.HasFlag(PipeDirection.Out))
        {
            NamedPipeException error = Assert.Throws<NamedPipeException>(() => WriteForEver(mine))!;
            Assert.That(error.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
        }
    }

    [Test]
    public async Task BytesArrive_AndOurCloseIsSeen(
        [Values] OurEnd ourEnd,
        [Values(PipeDirection.In, PipeDirection.Out, PipeDirection.InOut)] PipeDirection ours,
        [Values] TheirCalls theirCalls)
    {
        using TestLoop loop = new();
        (TestEnd end, TheirEnd theirs) = await ConnectAsync(loop, ourEnd, ours, theirCalls);
        using TestEnd mine = end;
        using TheirEnd other = theirs;
        await TransferAsync(mine, theirs, ours);
        mine.Dispose();
        TestThread driver = TestThread.Start(loop.Dispose); // a close with bytes in flight is driven by its poller
        if (theirs.Stream.CanRead)
        {
            Assert.That(await theirs.ReadToEndAsync(), Is.Empty);
        }

        if (theirs.Stream.CanWrite)
        {
            await theirs.WriteUntilBrokenAsync();
        }

        driver.Join();
    }

    private static async Task TransferAsync(TestEnd mine, TheirEnd theirs, PipeDirection ours)
    {
        if (ours.HasFlag(PipeDirection.Out))
        {
            Task<byte[]> reading = theirs.ReadExactlyAsync(Size);
            mine.WriteAll(Pattern.Of(Size, seed: 6));
            Pattern.Verify(await reading, seed: 6);
        }

        if (ours.HasFlag(PipeDirection.In))
        {
            Task writing = theirs.WriteAsync(Pattern.Of(Size, seed: 7));
            Pattern.Verify(mine.ReadExactly(Size), seed: 7);
            await writing;
        }
    }

    private static void WriteForEver(TestEnd end)
    {
        byte[] bytes = new byte[50_000];
        for (Deadline deadline = Deadline.New(); ; deadline.Check("Our broken pipe"))
        {
            end.WriteAll(bytes);
        }
    }

    private static async Task<(TestEnd Mine, TheirEnd Theirs)> ConnectAsync(
        TestLoop loop, OurEnd ourEnd, PipeDirection ours, TheirCalls theirCalls)
    {
        string name = PipeNames.New();
        PipeDirection theirs = TheirEnd.Opposite(ours);
        if (ourEnd == OurEnd.Server)
        {
            TestEnd mine = loop.Listen(new NamedPipeServerOptions { Name = name, Direction = ours });
            TheirEnd client = await TheirEnd.ConnectAsync(name, theirs, theirCalls);
            mine.AwaitConnected();
            return (mine, client);
        }

        (TheirEnd server, Task connected) = TheirEnd.Listen(name, theirs, theirCalls);
        TestEnd end = loop.Add(NamedPipe.OpenClient(
            new NamedPipeClientOptions { Name = name, Direction = ours, Timeout = Deadline.Step }));
        await connected.InTime();
        return (end, server);
    }
}
