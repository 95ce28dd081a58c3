using System.IO.Pipes;
using System.Runtime.Versioning;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>
/// NamedPipeStream in message mode and System.IO.Pipes' message streams on the two ends of a pipe, on Windows: the cells of the second
/// table in docs/interop.md.
/// </summary>
[WindowsTests]
[SupportedOSPlatform("windows")]
[Category("R4")]
public class InteropMessageStreamTests
{
    private static readonly int[] s_sizes = [1, 1_000, 65_535, 65_536, 65_537, 200_000, 2];

    [Test]
    public async Task MessagesArriveAsTheyWere_AndTheirCloseIsSeen(
        [Values] OurEnd ourEnd,
        [Values(PipeDirection.In, PipeDirection.Out, PipeDirection.InOut)] PipeDirection ours,
        [Values] TheirCalls theirCalls)
    {
        using MixedPair pair = await MixedPair.ConnectAsync(ourEnd, ours, theirCalls, PipeMode.Message, theirBuffer: 8_192);
        (NamedPipeStream stream, TheirEnd theirs) = (pair.Ours, pair.Theirs);
        Assert.That(stream.ReadMode, Is.EqualTo(PipeMode.Message));
        Task sending = SendAsync(stream, theirs);
        if (theirCalls == TheirCalls.Synchronous)
        {
            await sending; // a synchronous handle does one thing at a time
        }

        await ReceiveAsync(stream, theirs);
        await sending;
        if (stream.CanRead)
        {
            await theirs.WriteAsync(Pattern.Of(3_000, seed: 3_000));
        }

        theirs.Dispose();
        if (stream.CanRead)
        {
            Verify([await stream.ReadToEndOfMessageAsync().InTime()], 3_000);
            Assert.That(
                await stream.ReadMessageAsync(new byte[1]).InTime(),
                Is.EqualTo(new PipeReadResult(0, EndOfMessage: false, EndOfStream: true)));
        }

        if (stream.CanWrite)
        {
            await stream.WriteUntilBrokenAsync();
        }
    }

    [Test]
    [Category("X1")]
    public async Task WeClose_AndTheySeeAllAndThenTheEnd(
        [Values] OurEnd ourEnd,
        [Values(PipeDirection.In, PipeDirection.Out, PipeDirection.InOut)] PipeDirection ours,
        [Values] TheirCalls theirCalls)
    {
        using MixedPair pair = await MixedPair.ConnectAsync(ourEnd, ours, theirCalls, PipeMode.Message);
        (NamedPipeStream stream, TheirEnd theirs) = (pair.Ours, pair.Theirs);
        if (stream.CanWrite)
        {
            await stream.WriteAsync(Pattern.Of(5_000, seed: 5_000)).InTime();
        }

        Task closing = stream.DisposeAsync().AsTask(); // theirs has no buffer by default: it ends when they have read
        if (theirs.Stream.CanRead)
        {
            Verify(await theirs.ReadMessagesAsync(1), 5_000);
            Assert.That(await theirs.ReadToEndAsync(), Is.Empty);
        }

        await closing.InTime();
        if (theirs.Stream.CanWrite)
        {
            await theirs.WriteUntilBrokenAsync();
        }
    }

    [Test]
    public async Task ACancelledRead_LosesNoMessageOfTheirs(
        [Values] OurEnd ourEnd,
        [Values(PipeDirection.In, PipeDirection.InOut)] PipeDirection ours,
        [Values] TheirCalls theirCalls)
    {
        using MixedPair pair = await MixedPair.ConnectAsync(ourEnd, ours, theirCalls, PipeMode.Message);
        (NamedPipeStream stream, TheirEnd theirs) = (pair.Ours, pair.Theirs);
        using CancellationTokenSource source = new();
        Task<PipeReadResult> read = stream.ReadMessageAsync(new byte[100], source.Token).AsTask();
        Assert.That(read.IsCompleted, Is.False);
        source.Cancel();
        Assert.CatchAsync<OperationCanceledException>(() => read.InTime());
        await ReceiveAsync(stream, theirs);
    }

    [Test]
    [Category("W6")]
    public async Task ACancelledWrite_IsAWholeMessageOrNone(
        [Values] OurEnd ourEnd,
        [Values(PipeDirection.Out, PipeDirection.InOut)] PipeDirection ours,
        [Values] TheirCalls theirCalls)
    {
        using MixedPair pair = await MixedPair.ConnectAsync(ourEnd, ours, theirCalls, PipeMode.Message);
        (NamedPipeStream stream, TheirEnd theirs) = (pair.Ours, pair.Theirs);
        using CancellationTokenSource source = new();
        Task[] writes = [.. Enumerable.Range(0, 20).Select(i =>
            stream.WriteAsync(Pattern.Of(50_000 + i, seed: 50_000 + i), source.Token).AsTask())];
        Assert.That(writes[^1].IsCompleted, Is.False, "The system keeps more than it was offered.");
        source.Cancel();
        Assert.CatchAsync<OperationCanceledException>(() => writes[^1].InTime());
        int accepted = writes.Count(write => write.IsCompletedSuccessfully);
        Assert.That(accepted, Is.InRange(1, writes.Length - 1));
        Task last = stream.WriteAsync(Pattern.Of(7, seed: 7)).AsTask();
        Verify(await theirs.ReadMessagesAsync(accepted + 1), [.. Enumerable.Range(50_000, accepted), 7]);
        await last.InTime();
    }

    private static async Task SendAsync(NamedPipeStream ours, TheirEnd theirs)
    {
        if (!ours.CanWrite)
        {
            return;
        }

        Task<byte[][]> reading = theirs.ReadMessagesAsync(s_sizes.Length);
        foreach (int size in s_sizes)
        {
            await ours.WriteAsync(Pattern.Of(size, seed: size)).InTime();
        }

        Verify(await reading, s_sizes);
    }

    private static async Task ReceiveAsync(NamedPipeStream ours, TheirEnd theirs)
    {
        if (!ours.CanRead)
        {
            return;
        }

        Task writing = WriteAllAsync(theirs);
        byte[][] messages = new byte[s_sizes.Length][];
        for (int i = 0; i < messages.Length; i++)
        {
            messages[i] = await ours.ReadToEndOfMessageAsync().InTime();
        }

        Verify(messages, s_sizes);
        await writing;
    }

    private static async Task WriteAllAsync(TheirEnd theirs)
    {
        foreach (int size in s_sizes)
        {
            await theirs.WriteAsync(Pattern.Of(size, seed: size));
        }
    }

    private static void Verify(byte[][] messages, params int[] sizes)
    {
        Assert.That(messages.Select(message => message.Length), Is.EqualTo(sizes));
        foreach (byte[] message in messages)
        {
            Pattern.Verify(message, seed: message.Length);
        }
    }
}
