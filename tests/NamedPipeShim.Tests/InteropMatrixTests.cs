using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>
/// NamedPipeStream and System.IO.Pipes on the two ends of a byte pipe: every cell of the table in docs/interop.md.
/// </summary>
[Category("R1")]
[Category("W1")]
public class InteropMatrixTests
{
    private const int Size = 3_000_001;

    [Test]
    public async Task Bytes_Arrive(
        [Values] OurEnd ourEnd,
        [Values(PipeDirection.In, PipeDirection.Out, PipeDirection.InOut)] PipeDirection ours,
        [Values] TheirCalls theirCalls)
    {
        using MixedPair pair = await MixedPair.ConnectAsync(ourEnd, ours, theirCalls);
        (NamedPipeStream stream, TheirEnd theirs) = (pair.Ours, pair.Theirs);
        Assert.That(stream.IsConnected, Is.True);
        Task sending = SendAsync(stream, theirs);
        if (theirCalls == TheirCalls.Synchronous)
        {
            await sending; // on Windows a synchronous handle does one thing at a time
        }

        await ReceiveAsync(stream, theirs);
        await sending;
        Assert.That(stream.IsConnected, Is.True);
    }

    [Test]
    [Category("R3")]
    [Category("W3")]
    public async Task TheyClose_AndWeSeeAllAndThenTheEnd(
        [Values] OurEnd ourEnd,
        [Values(PipeDirection.In, PipeDirection.Out, PipeDirection.InOut)] PipeDirection ours,
        [Values] TheirCalls theirCalls)
    {
        using MixedPair pair = await MixedPair.ConnectAsync(ourEnd, ours, theirCalls, theirBuffer: 8_192);
        (NamedPipeStream stream, TheirEnd theirs) = (pair.Ours, pair.Theirs);
        if (stream.CanRead)
        {
            await theirs.WriteAsync(Pattern.Of(5_000, seed: 1));
        }

        theirs.Dispose();
        if (stream.CanRead)
        {
            using MemoryStream all = new();
            await stream.CopyToAsync(all).InTime();
            Assert.That(all.Length, Is.EqualTo(5_000));
            Pattern.Verify(all.ToArray(), seed: 1);
            Assert.That(await stream.ReadAsync(new byte[1]).InTime(), Is.Zero);
            Assert.That(stream.IsConnected, Is.False);
        }

        if (stream.CanWrite)
        {
            await stream.WriteUntilBrokenAsync();
        }
    }

    [Test]
    [Category("R3")]
    [Category("X1")]
    public async Task WeClose_AndTheySeeAllAndThenTheEnd(
        [Values] OurEnd ourEnd,
        [Values(PipeDirection.In, PipeDirection.Out, PipeDirection.InOut)] PipeDirection ours,
        [Values] TheirCalls theirCalls)
    {
        using MixedPair pair = await MixedPair.ConnectAsync(ourEnd, ours, theirCalls);
        (NamedPipeStream stream, TheirEnd theirs) = (pair.Ours, pair.Theirs);
        if (stream.CanWrite)
        {
            await stream.WriteAsync(Pattern.Of(5_000, seed: 2)).InTime();
        }

        // On Windows their server has no buffer by default: what we wrote leaves this end when they read it.
        Task closing = stream.DisposeAsync().AsTask();
        if (theirs.Stream.CanRead)
        {
            byte[] all = await theirs.ReadToEndAsync();
            Assert.That(all, Has.Length.EqualTo(5_000));
            Pattern.Verify(all, seed: 2);
        }

        await closing.InTime();
        if (theirs.Stream.CanWrite)
        {
            await theirs.WriteUntilBrokenAsync();
        }
    }

    [Test]
    public async Task ACancelledRead_LosesNoByteOfTheirs(
        [Values] OurEnd ourEnd,
        [Values(PipeDirection.In, PipeDirection.InOut)] PipeDirection ours,
        [Values] TheirCalls theirCalls)
    {
        using MixedPair pair = await MixedPair.ConnectAsync(ourEnd, ours, theirCalls);
        (NamedPipeStream stream, TheirEnd theirs) = (pair.Ours, pair.Theirs);
        using CancellationTokenSource source = new();
        Task<int> read = stream.ReadAsync(new byte[100], source.Token).AsTask();
        Assert.That(read.IsCompleted, Is.False);
        source.Cancel();
        Assert.CatchAsync<OperationCanceledException>(() => read.InTime());
        await ReceiveAsync(stream, theirs);
    }

    [Test]
    public async Task ACancelledWrite_HasWrittenABeginning(
        [Values] OurEnd ourEnd,
        [Values(PipeDirection.Out, PipeDirection.InOut)] PipeDirection ours,
        [Values] TheirCalls theirCalls)
    {
        using MixedPair pair = await MixedPair.ConnectAsync(ourEnd, ours, theirCalls);
        (NamedPipeStream stream, TheirEnd theirs) = (pair.Ours, pair.Theirs);
        using CancellationTokenSource source = new();
        byte[] bytes = Pattern.Of(4 * Size, seed: 3);
        Task write = stream.WriteAsync(bytes, source.Token).AsTask();
        Assert.That(write.IsCompleted, Is.False, "The system keeps more than it was offered.");
        source.Cancel();
        Assert.CatchAsync<OperationCanceledException>(() => write.InTime());
        Task closing = stream.DisposeAsync().AsTask();
        byte[] received = await theirs.ReadToEndAsync();
        await closing.InTime();
        Assert.That(received, Has.Length.InRange(1, bytes.Length - 1));
        Pattern.Verify(received, seed: 3);
    }

    private static async Task SendAsync(NamedPipeStream ours, TheirEnd theirs)
    {
        if (!ours.CanWrite)
        {
            return;
        }

        Task<byte[]> reading = theirs.ReadExactlyAsync(Size);
        await ours.WriteAsync(Pattern.Of(Size, seed: 4)).InTime();
        Pattern.Verify(await reading, seed: 4);
    }

    private static async Task ReceiveAsync(NamedPipeStream ours, TheirEnd theirs)
    {
        if (!ours.CanRead)
        {
            return;
        }

        Task writing = theirs.WriteAsync(Pattern.Of(Size, seed: 5));
        byte[] received = new byte[Size];
        await ours.ReadExactlyAsync(received).InTime();
        Pattern.Verify(received, seed: 5);
        await writing;
    }
}
