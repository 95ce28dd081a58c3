using System.IO.Pipes;
using System.Runtime.Versioning;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>
/// The readiness level on message pipes with System.IO.Pipes on the other end, which has them on Windows only: the cells of the second table in
/// docs/interop.md.
/// </summary>
[WindowsTests]
[SupportedOSPlatform("windows")]
[Category("R4")]
public class InteropMessageMatrixTests
{
    private static readonly int[] s_sizes = [1, 1_000, 65_535, 65_536, 65_537, 200_000, 2];

    [Test]
    public async Task MessagesArriveAsTheyWere_AndTheirCloseIsSeen(
        [Values] OurEnd ourEnd,
        [Values(PipeDirection.In, PipeDirection.Out, PipeDirection.InOut)] PipeDirection ours,
        [Values] TheirCalls theirCalls)
    {
        using TestLoop loop = new();
        (TestEnd mine, TheirEnd theirs) = await ConnectAsync(loop, ourEnd, ours, theirCalls);
        using TestEnd end = mine;
        using TheirEnd other = theirs;
        if (ours.HasFlag(PipeDirection.Out))
        {
            Task<byte[][]> reading = theirs.ReadMessagesAsync(s_sizes.Length);
            foreach (int size in s_sizes)
            {
                mine.WriteAll(Pattern.Of(size, seed: size)); // whole or not at all
            }

            Verify(await reading);
        }

        if (ours.HasFlag(PipeDirection.In))
        {
            Task writing = WriteAllAsync(theirs);
            Verify([.. s_sizes.Select(_ => ReadMessage(mine))]);
            await writing;
        }

        theirs.Dispose();
        if (ours.HasFlag(PipeDirection.In))
        {
            Assert.That(mine.ReadToEnd(), Is.Empty);
        }
        else
        {
            NamedPipeException error = Assert.Throws<NamedPipeException>(() => WriteForEver(mine))!;
            Assert.That(error.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
        }
    }

    private static async Task WriteAllAsync(TheirEnd theirs)
    {
        foreach (int size in s_sizes)
        {
            await theirs.WriteAsync(Pattern.Of(size, seed: size));
        }
    }

    private static byte[] ReadMessage(TestEnd end)
    {
        using MemoryStream message = new();
        byte[] buffer = new byte[30_000];
        while (true)
        {
            PipeStatus status = end.Pipe.TryRead(buffer, out int count);
            message.Write(buffer, 0, count);
            switch (status)
            {
                case PipeStatus.Ok:
                    return message.ToArray();
                case PipeStatus.WouldBlock:
                    end.Await(PipeReadiness.Readable);
                    break;
                default:
                    Assert.That(status, Is.EqualTo(PipeStatus.MoreData));
                    break;
            }
        }
    }

    private static void WriteForEver(TestEnd end)
    {
        byte[] bytes = new byte[1_000];
        for (Deadline deadline = Deadline.New(); ; deadline.Check("Our broken pipe"))
        {
            end.WriteAll(bytes);
        }
    }

    private static void Verify(byte[][] messages)
    {
        Assert.That(messages.Select(message => message.Length), Is.EqualTo(s_sizes));
        foreach (byte[] message in messages)
        {
            Pattern.Verify(message, seed: message.Length);
        }
    }

    private static async Task<(TestEnd Mine, TheirEnd Theirs)> ConnectAsync(
        TestLoop loop, OurEnd ourEnd, PipeDirection ours, TheirCalls theirCalls)
    {
        string name = PipeNames.New();
        PipeDirection theirs = TheirEnd.Opposite(ours);
        if (ourEnd == OurEnd.Server)
        {
            TestEnd mine = loop.Listen(new NamedPipeServerOptions { Name = name, Direction = ours, Mode = PipeMode.Message });
            TheirEnd client = await TheirEnd.ConnectForMessagesAsync(name, theirs, theirCalls);
            mine.AwaitConnected();
            return (mine, client);
        }

        (TheirEnd server, Task connected) = TheirEnd.Listen(name, theirs, theirCalls, PipeTransmissionMode.Message);
        TestEnd end = loop.Add(NamedPipe.OpenClient(new NamedPipeClientOptions
        {
            Name = name,
            Direction = ours,
            Mode = PipeMode.Message,
            Timeout = Deadline.Step,
        }));
        await connected.InTime();
        return (end, server); // it reads messages from the start
    }
}
