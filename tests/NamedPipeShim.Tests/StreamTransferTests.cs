using System.Buffers;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Streams: bytes in order, none lost, to the end (R1 to R3, W1 to W4).</summary>
public class StreamTransferTests
{
    private static readonly int[] s_sizes = [1, 4_095, 4_096, 4_097, 65_535, 65_536, 65_537, 300_000];

    [Test]
    public async Task Bytes_OfAnySize_ArriveInOrder(
        [ValueSource(nameof(s_sizes))] int size, [Values] bool toServer, [Values] bool readFirst)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] sent = Pattern.Of(size);
        byte[] received = new byte[size];
        Stream from = pair.End(!toServer);
        Stream to = pair.End(toServer);
        ValueTask reading = readFirst ? to.ReadExactlyAsync(received) : default;
        ValueTask writing = from.WriteAsync(sent);
        await (readFirst ? reading : to.ReadExactlyAsync(received)).InTime();
        await writing.InTime();
        Assert.That(received, Is.EqualTo(sent));
    }

    [Test]
    public async Task ManyMegabytes_BothWaysAtOnce_ArriveInOrder()
    {
        int size = RunningSystem.Rounds(16 << 20, underWine: 2 << 20);
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] bytes = Pattern.Of(size);
        Task[] ways =
        [
            pair.Server.WriteAsync(bytes).AsTask(),
            pair.Client.WriteAsync(bytes).AsTask(),
            ReadAllAsync(pair.Server, bytes),
            ReadAllAsync(pair.Client, bytes),
        ];
        await Task.WhenAll(ways).InTime();
    }

    [Test]
    public async Task Write_OfSegments_IsOneRunOfBytes()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] bytes = Pattern.Of(100_000);
        byte[] received = new byte[bytes.Length];
        ReadOnlySequence<byte> sequence = Segments.Chain(bytes, 1, 70_000, 0, 29_999);
        ValueTask writing = pair.Client.WriteAsync(sequence);
        await pair.Server.ReadExactlyAsync(received).InTime();
        await writing.InTime();
        Assert.That(received, Is.EqualTo(bytes));
    }

    [Test]
    public async Task Write_OfMoreEmptySegmentsThanOneCallTakes_GetsToTheBytes()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] bytes = Pattern.Of(100);
        byte[] received = new byte[bytes.Length];
        int[] sizes = new int[2 * NamedPipe.MaxBuffers];
        (sizes[0], sizes[^1]) = (1, bytes.Length - 1);
        ValueTask writing = default;
        TestThread.Run(() => writing = pair.Client.WriteAsync(Segments.Chain(bytes, sizes)));
        await pair.Server.ReadExactlyAsync(received).InTime();
        await writing.InTime();
        Assert.That(received, Is.EqualTo(bytes));
    }

    [Test]
    public async Task Read_AfterThePeerClosed_GivesAllThatItSentThenZeroForEver([Values] bool ofServer)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] bytes = Pattern.Of(5_000);
        await pair.End(!ofServer).WriteAsync(bytes).InTime();
        await pair.End(!ofServer).DisposeAsync().InTime();
        byte[] received = new byte[bytes.Length];
        await pair.End(ofServer).ReadExactlyAsync(received).InTime();
        Assert.That(received, Is.EqualTo(bytes));
        for (int i = 0; i < 3; i++)
        {
            Assert.That(await pair.End(ofServer).ReadAsync(new byte[10]).InTime(), Is.Zero);
        }

        Assert.That(pair.End(ofServer).IsConnected, Is.False);
    }

    [Test]
    public async Task Read_ThatWaits_EndsWithZeroWhenThePeerCloses([Values] bool ofServer)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        ValueTask<int> reading = pair.End(ofServer).ReadAsync(new byte[10]);
        Assert.That(reading.IsCompleted, Is.False);
        Assert.That(pair.End(ofServer).IsConnected, Is.True);
        pair.End(!ofServer).Dispose();
        Assert.That(await reading.InTime(), Is.Zero);
        Assert.That(pair.End(ofServer).IsConnected, Is.False);
    }

    [Test]
    public async Task Write_AfterThePeerClosed_FailsAsBrokenAgainAndAgain([Values] bool ofServer)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.End(ofServer);
        pair.End(!ofServer).Abort();
        Assert.That(await stream.ReadAsync(new byte[1]).InTime(), Is.Zero);
        for (int i = 0; i < 3; i++)
        {
            NamedPipeException error =
                Assert.ThrowsAsync<NamedPipeException>(async () => await stream.WriteAsync(new byte[1]).InTime())!;
            Assert.That(error.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
        }
    }

    [Test]
    public async Task Write_ThatWaits_FailsWhenThePeerCloses([Values] bool ofServer)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        ValueTask writing = pair.End(ofServer).WriteAsync(new byte[8 << 20]);
        Assert.That(writing.IsCompleted, Is.False);
        pair.End(!ofServer).Abort();
        NamedPipeException error = Assert.ThrowsAsync<NamedPipeException>(async () => await writing.InTime())!;
        Assert.That(error.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
    }

    [Test]
    public async Task Read_WithoutRoom_WaitsForDataAndTakesNone([Values] bool ofServer, [Values] bool synchronous)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.End(ofServer);
        NamedPipeStream peer = pair.End(!ofServer);
        Task<int> reading = synchronous
            ? Task.Run(() => stream.Read([]))
            : stream.ReadAsync(Memory<byte>.Empty).AsTask();
        Assert.That(synchronous || !reading.IsCompleted, Is.True);
        byte[] sent = Pattern.Of(1_000);
        await peer.WriteAsync(sent).InTime();
        Assert.That(await reading.InTime(), Is.Zero);
        Assert.That(await stream.ReadAsync(Memory<byte>.Empty).InTime(), Is.Zero, "it is still there");
        byte[] received = new byte[sent.Length];
        await stream.ReadExactlyAsync(received).InTime();
        Assert.That(received, Is.EqualTo(sent));

        // One byte alone, and the end.
        reading = stream.ReadAsync(Memory<byte>.Empty).AsTask();
        await peer.WriteAsync(sent.AsMemory(0, 1)).InTime();
        Assert.That(await reading.InTime(), Is.Zero);
        Assert.That(await stream.ReadAsync(received).InTime(), Is.EqualTo(1));
        Assert.That(received[0], Is.EqualTo(sent[0]));
        reading = stream.ReadAsync(Memory<byte>.Empty).AsTask();
        await peer.DisposeAsync().InTime();
        Assert.That(await reading.InTime(), Is.Zero);
        Assert.That(await stream.ReadAsync(received).InTime(), Is.Zero);
    }

    [Test]
    public async Task Read_WithoutRoom_IsCancelled_AndLosesNothing()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        using CancellationTokenSource source = new();
        ValueTask<int> reading = pair.Server.ReadAsync(Memory<byte>.Empty, source.Token);
        source.Cancel();
        Assert.CatchAsync<OperationCanceledException>(async () => await reading.InTime());
        await pair.Client.WriteAsync(new byte[] { 1, 2 }).InTime();
        byte[] received = new byte[2];
        await pair.Server.ReadExactlyAsync(received).InTime();
        Assert.That(received, Is.EqualTo(new byte[] { 1, 2 }));
    }

    [Test]
    public async Task Operations_OfOneDirection_AreDoneInTheirOrder()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[][] received = [new byte[3], new byte[3], new byte[3]];
        Task<int>[] reads = [.. received.Select(buffer => pair.Server.ReadAsync(buffer).AsTask())];
        Assert.That(reads.Select(read => read.IsCompleted), Has.None.True);
        await pair.Client.WriteAsync(new byte[] { 1, 2, 3, 4, 5, 6, 7, 8, 9 }).InTime();
        int[] counts = await Task.WhenAll(reads).InTime();
        Assert.That(counts, Is.All.EqualTo(3));
        Assert.That(received.SelectMany(part => part), Is.EqualTo(new byte[] { 1, 2, 3, 4, 5, 6, 7, 8, 9 }));

        // Writes that overlap do not mix.
        byte[] big = Pattern.Of(1 << 20);
        Task[] writes = [.. Enumerable.Range(0, 4).Select(_ => pair.Client.WriteAsync(big).AsTask())];
        for (int i = 0; i < writes.Length; i++)
        {
            byte[] one = new byte[big.Length];
            await pair.Server.ReadExactlyAsync(one).InTime();
            Assert.That(one.AsSpan().SequenceEqual(big), Is.True, $"write {i}");
        }

        await Task.WhenAll(writes).InTime();
    }

    [Test]
    public async Task Synchronous_ReadsAndWrites_WaitForEachOther()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] bytes = Pattern.Of(2 << 20);
        Task writing = Task.Run(() =>
        {
            pair.Client.Write(bytes.AsSpan(0, 1_000_000));
            pair.Client.Write(bytes, 1_000_000, bytes.Length - 1_000_001);
            pair.Client.WriteByte(bytes[^1]);
            pair.Client.Flush();
        });
        byte[] received = new byte[bytes.Length];
        int have = 1;
        int first = pair.Server.ReadByte();
        received[0] = (byte)first;
        while (have < received.Length)
        {
            int count = have % 2 == 0
                ? pair.Server.Read(received.AsSpan(have))
                : pair.Server.Read(received, have, received.Length - have);
            Assert.That(count, Is.GreaterThan(0));
            have += count;
        }

        await writing.InTime();
        Assert.That(received.AsSpan().SequenceEqual(bytes), Is.True);
        pair.Client.Dispose();
        Assert.That(pair.Server.ReadByte(), Is.EqualTo(-1));
    }

    [Test]
    public async Task CopyTo_CopiesToTheEnd()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] bytes = Pattern.Of(1 << 20);
        using MemoryStream copy = new();
        Task copying = pair.Server.CopyToAsync(copy);
        await pair.Client.WriteAsync(bytes).InTime();
        await pair.Client.DisposeAsync().InTime();
        await copying.InTime();
        Assert.That(copy.ToArray(), Is.EqualTo(bytes));
    }

    [Test]
    public async Task BeginAndEnd_ReadAndWrite()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] received = new byte[4];
        IAsyncResult reading = pair.Server.BeginRead(received, 1, 2, null, null);
        IAsyncResult writing = pair.Client.BeginWrite([7, 8, 9], 1, 2, null, null);
        pair.Client.EndWrite(writing);
        Assert.That(pair.Server.EndRead(reading), Is.EqualTo(2));
        Assert.That(received, Is.EqualTo(new byte[] { 0, 8, 9, 0 }));
    }

    private static async Task ReadAllAsync(Stream stream, byte[] expected)
    {
        byte[] buffer = new byte[expected.Length];
        await stream.ReadExactlyAsync(buffer);
        Assert.That(buffer.AsSpan().SequenceEqual(expected), Is.True);
    }

    [Test]
    public async Task WhatAReadWithoutRoomFound_ComesFirstAndOnce(
        [Values(1, 4_095, 4_096, 4_097, 10_000)] int size, [Values(1, 1_000, 4_096, 20_000)] int room)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] sent = Pattern.Of(3 * size);
        byte[] buffer = new byte[room];
        int received = 0;
        for (int i = 0; i < 3; i++)
        {
            ValueTask<int> waiting = pair.Server.ReadAsync(Memory<byte>.Empty);
            await pair.Client.WriteAsync(sent.AsMemory(i * size, size)).InTime();
            Assert.That(await waiting.InTime(), Is.Zero);
            while (received < (i + 1) * size)
            {
                int count = await pair.Server.ReadAsync(buffer).InTime();
                Pattern.Verify(buffer.AsSpan(0, count), position: received);
                received += count;
            }
        }

        Assert.That(received, Is.EqualTo(sent.Length));
        pair.Client.Dispose();
        Assert.That(await pair.Server.ReadAsync(Memory<byte>.Empty).InTime(), Is.Zero);
        Assert.That(await pair.Server.ReadAsync(buffer).InTime(), Is.Zero);
    }
}
