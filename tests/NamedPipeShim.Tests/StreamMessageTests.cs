using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Streams of messages: R4, W5, W6.</summary>
public class StreamMessageTests
{
    private static readonly int[] s_sizes = [0, 1, 4_095, 4_096, 4_097, 60_000, 65_535, 65_536, 65_537, 120_000];

    [Test]
    [Category("R4")]
    public async Task AMessage_OfAnySize_IsOneMessage(
        [ValueSource(nameof(s_sizes))] int size, [Values] bool readFirst, [Values(0, 65_536)] int readAhead)
    {
        using StreamPair pair = await StreamPair.NewOfMessagesAsync(readAhead);
        byte[] sent = Pattern.Of(size);
        Task<byte[]> reading = readFirst ? pair.Server.ReadToEndOfMessageAsync() : Task.FromResult(Array.Empty<byte>());
        ValueTask writing = pair.Client.WriteAsync(sent);
        byte[] received = await (readFirst ? reading : pair.Server.ReadToEndOfMessageAsync()).InTime();
        await writing.InTime();
        Assert.That(received, Is.EqualTo(sent));
    }

    [Test]
    [Category("R4")]
    [Category("W6")]
    public async Task Boundaries_AreNeitherLostNorInvented([Values(1, 100, 100_000)] int room, [Values] bool toServer)
    {
        int[] sizes = [1, 0, 0, 99, 100, 101, 0, 300, 10_000, 1, 0];
        using StreamPair pair = await StreamPair.NewOfMessagesAsync();
        Task writing = WriteAllAsync(pair.End(!toServer), sizes);
        NamedPipeStream reader = pair.End(toServer);
        for (int i = 0; i < sizes.Length; i++)
        {
            byte[] message = await reader.ReadToEndOfMessageAsync(room).InTime();
            Assert.That(message, Is.EqualTo(Pattern.Of(sizes[i], i)), $"message {i}");
        }

        await writing.InTime();
        await pair.End(!toServer).DisposeAsync().InTime();
        for (int i = 0; i < 3; i++)
        {
            Assert.That(
                await reader.ReadMessageAsync(new byte[5]).InTime(),
                Is.EqualTo(new PipeReadResult(0, EndOfMessage: false, EndOfStream: true)));
        }
    }

    [Test]
    public async Task EveryDirection_CarriesMessages_AndTheCloseOfEitherEndIsSeen(
        [Values(PipeDirection.In, PipeDirection.Out, PipeDirection.InOut)] PipeDirection ofServer, [Values] bool serverCloses)
    {
        int[] sizes = [1, 0, 1_000, 65_535, 65_536, 65_537, 120_000, 2];
        using StreamPair pair = await StreamPair.NewAsync(
            new NamedPipeServerOptions { Name = PipeNames.New(), Direction = ofServer, Mode = PipeMode.Message });
        foreach (NamedPipeStream writer in new[] { pair.Server, pair.Client }.Where(stream => stream.CanWrite))
        {
            NamedPipeStream reader = pair.End(ReferenceEquals(writer, pair.Client));
            Task writing = WriteAllAsync(writer, sizes);
            for (int i = 0; i < sizes.Length; i++)
            {
                Assert.That(await reader.ReadToEndOfMessageAsync().InTime(), Is.EqualTo(Pattern.Of(sizes[i], i)), $"message {i}");
            }

            await writing.InTime();
        }

        NamedPipeStream left = pair.End(!serverCloses);
        await pair.End(serverCloses).DisposeAsync().InTime();
        if (left.CanRead)
        {
            Assert.That((await left.ReadMessageAsync(new byte[5]).InTime()).EndOfStream, Is.True);
        }

        if (left.CanWrite)
        {
            await left.WriteUntilBrokenAsync();
        }
    }

    [Test]
    public async Task Read_PassesOverEmptyMessages_AndEndsWithTheStream()
    {
        using StreamPair pair = await StreamPair.NewOfMessagesAsync();
        ValueTask<int> reading = pair.Server.ReadAsync(new byte[10]);
        for (int i = 0; i < 200; i++)
        {
            await pair.Client.WriteAsync(ReadOnlyMemory<byte>.Empty).InTime();
        }

        await pair.Client.WriteAsync(new byte[3]).InTime();
        Assert.That(await reading.InTime(), Is.EqualTo(3));
        await pair.Client.WriteAsync(new byte[7]).InTime();
        Assert.That(await pair.Server.ReadAsync(new byte[4]).InTime(), Is.EqualTo(4), "a part");
        await pair.Client.WriteAsync(new byte[2]).InTime();
        Assert.That(await pair.Server.ReadAsync(new byte[10]).InTime(), Is.EqualTo(3), "never bytes of two messages");
        Assert.That(await pair.Server.ReadAsync(new byte[10]).InTime(), Is.EqualTo(2));
        await pair.Client.WriteAsync(ReadOnlyMemory<byte>.Empty).InTime();
        await pair.Client.DisposeAsync().InTime();
        Assert.That(await pair.Server.ReadAsync(new byte[10]).InTime(), Is.Zero);
    }

    [Test]
    public async Task Read_WithoutRoom_WaitsForAMessageAndTakesNoByte()
    {
        using StreamPair pair = await StreamPair.NewOfMessagesAsync();
        ValueTask<int> reading = pair.Server.ReadAsync(Memory<byte>.Empty);
        Assert.That(reading.IsCompleted, Is.False);
        await pair.Client.WriteAsync(new byte[] { 1, 2, 3 }).InTime();
        Assert.That(await reading.InTime(), Is.Zero);
        Assert.That(
            await pair.Server.ReadMessageAsync(Memory<byte>.Empty).InTime(),
            Is.EqualTo(new PipeReadResult(0, EndOfMessage: false, EndOfStream: false)));
        Assert.That(await pair.Server.ReadToEndOfMessageAsync().InTime(), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    [Category("W5")]
    public async Task Segments_AreOneMessage([Values(2, 20, 1_024)] int segments)
    {
        using StreamPair pair = await StreamPair.NewOfMessagesAsync();
        byte[] sent = Pattern.Of(segments * 30);
        int[] sizes = [.. Enumerable.Repeat(30, segments)];
        Task<byte[]> reading = pair.Server.ReadToEndOfMessageAsync();
        await pair.Client.WriteAsync(Segments.Chain(sent, sizes)).InTime();
        Assert.That(await reading.InTime(), Is.EqualTo(sent));
    }

    [Test]
    public async Task Segments_OfAMessageThatAreTooMany_AreRefusedAndNothingIsSent()
    {
        using StreamPair pair = await StreamPair.NewOfMessagesAsync();
        byte[] bytes = Pattern.Of(1_025);
        Assert.CatchAsync<ArgumentException>(async () =>
            await pair.Client.WriteAsync(Segments.Chain(bytes, [.. Enumerable.Repeat(1, 1_025)])));
        await pair.Client.WriteAsync(new byte[] { 8 }).InTime();
        Assert.That(await pair.Server.ReadToEndOfMessageAsync().InTime(), Is.EqualTo(new byte[] { 8 }));
    }

    [Test]
    public async Task WritesThatWait_AreWholeMessages_AndSoAreCancelledOnes()
    {
        using StreamPair pair = await StreamPair.NewOfMessagesAsync();
        using CancellationTokenSource source = new();
        List<Task> writes = [];
        int accepted = 0;
        for (int i = 0; i < 40; i++)
        {
            writes.Add(pair.Client.WriteAsync(Pattern.Of(50_000, i), source.Token).AsTask());
        }

        Assert.That(writes[^1].IsCompleted, Is.False, "the pipe is full");
        source.Cancel();
        foreach (Task write in writes)
        {
            try
            {
                await write.InTime();
                accepted++;
            }
            catch (OperationCanceledException)
            {
                // None of it was sent.
            }
        }

        Assert.That(accepted, Is.InRange(1, 39));
        Task last = pair.Client.WriteAsync(Pattern.Of(10, 99)).AsTask();
        for (int i = 0; i < accepted; i++)
        {
            Assert.That(await pair.Server.ReadToEndOfMessageAsync().InTime(), Is.EqualTo(Pattern.Of(50_000, i)), $"message {i}");
        }

        Assert.That(await pair.Server.ReadToEndOfMessageAsync().InTime(), Is.EqualTo(Pattern.Of(10, 99)));
        await last.InTime();
    }

    [Test]
    public async Task ReadMessage_IsCancelled_AndLosesNoMessage()
    {
        using StreamPair pair = await StreamPair.NewOfMessagesAsync();
        using CancellationTokenSource source = new();
        ValueTask<PipeReadResult> reading = pair.Server.ReadMessageAsync(new byte[5], source.Token);
        source.Cancel();
        Assert.CatchAsync<OperationCanceledException>(async () => await reading.InTime());
        Assert.CatchAsync<OperationCanceledException>(async () => await pair.Server.ReadMessageAsync(new byte[5], source.Token));
        await pair.Client.WriteAsync(new byte[] { 4 }).InTime();
        Assert.That(await pair.Server.ReadToEndOfMessageAsync().InTime(), Is.EqualTo(new byte[] { 4 }));
    }

    [Test]
    public async Task ReadMessage_OfAByteStream_IsRefused()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        Assert.That(pair.Server.ReadMode, Is.EqualTo(PipeMode.Byte));
        InvalidOperationException error = Assert.ThrowsAsync<InvalidOperationException>(
            async () => await pair.Server.ReadMessageAsync(new byte[5]))!;
        Assert.That(error.Message, Does.Contain(pair.Server.Name));
    }

    [Test]
    public async Task Synchronous_WritesAndReads_CarryMessages()
    {
        using StreamPair pair = await StreamPair.NewOfMessagesAsync();
        Assert.That(pair.Client.ReadMode, Is.EqualTo(PipeMode.Message));
        pair.Client.Write(new byte[] { 1, 2 }, 0, 2);
        pair.Client.Write([]);
        pair.Client.WriteByte(3);
        byte[] room = new byte[10];
        Assert.That(pair.Server.Read(room), Is.EqualTo(2));
        Assert.That(await pair.Server.ReadMessageAsync(room).InTime(), Is.EqualTo(new PipeReadResult(0, true, false)));
        Assert.That(pair.Server.ReadByte(), Is.EqualTo(3));
    }

    private static async Task WriteAllAsync(NamedPipeStream stream, int[] sizes)
    {
        for (int i = 0; i < sizes.Length; i++)
        {
            await stream.WriteAsync(Pattern.Of(sizes[i], i));
        }
    }
}
