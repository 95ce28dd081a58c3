using System.Buffers;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Messages and vectors: R4, W5, W6.</summary>
public class MessageTests
{
    private const int ReadAhead = 4_096;

    private static readonly int[] s_sizes = [0, 1, 4_095, 4_096, 4_097, 12_288, 65_535, 65_536, 65_537, 196_608];

    [Test]
    [Category("R4")]
    public void Message_OfAnySize_ArrivesWhole_WhateverTheReadersBuffer(
        [ValueSource(nameof(s_sizes))] int size, [Values(1_000, 4_096, 65_536)] int buffer, [Values] bool waiting)
    {
        using TestLoop loop = new();
        using PipePair pair = NewPair(loop);
        if (waiting)
        {
            Assert.That(pair.Server.Pipe.TryRead(new byte[buffer], out _), Is.EqualTo(PipeStatus.WouldBlock));
        }

        WriteMessage(pair.Client, Pattern.Of(size, seed: size));

        // The second one has to wait where the first does not fit into the system's buffers.
        bool second = pair.Client.Pipe.TryWrite(Pattern.Of(3, seed: 1), out _) == PipeStatus.Ok;
        byte[] message = ReadMessage(pair.Server, buffer)!;
        Assert.That(message, Has.Length.EqualTo(size));
        Pattern.Verify(message, seed: size);

        // And the boundary is where it was.
        if (!second)
        {
            WriteMessage(pair.Client, Pattern.Of(3, seed: 1));
        }

        Assert.That(ReadMessage(pair.Server, buffer), Is.EqualTo(Pattern.Of(3, seed: 1)));
        Assert.That(pair.Server.Pipe.TryRead(new byte[1], out int count), Is.EqualTo(PipeStatus.WouldBlock));
        Assert.That(count, Is.Zero);
    }

    [Test]
    [Category("R4")]
    [Category("W6")]
    public void EmptyMessages_AreOkWithNothing_AndNeitherWouldBlockNorTheEnd()
    {
        using TestLoop loop = new();
        using PipePair pair = NewPair(loop);
        WriteMessage(pair.Client, []);
        WriteMessage(pair.Client, []);
        WriteMessage(pair.Client, [7]);
        Assert.That(ReadMessage(pair.Server, 10), Is.Empty);
        Assert.That(ReadMessage(pair.Server, 10), Is.Empty);
        Assert.That(ReadMessage(pair.Server, 10), Is.EqualTo(new byte[] { 7 }));
        Assert.That(pair.Server.Pipe.TryRead(new byte[1], out _), Is.EqualTo(PipeStatus.WouldBlock));
        pair.Client.Dispose();
        Assert.That(ReadMessage(pair.Server, 10), Is.Null, "the end");
        Assert.That(pair.Server.Pipe.TryRead(new byte[1], out _), Is.EqualTo(PipeStatus.EndOfStream));
    }

    [Test]
    [Category("R4")]
    [Category("W5")]
    [Category("W6")]
    public void RandomMessages_ThroughRandomBuffers_KeepEveryBoundary(
        [Values(1, 2)] int seed, [Values(0, ReadAhead)] int readAhead, [Values] bool ofServer)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(
            loop,
            new NamedPipeServerOptions { Name = PipeNames.New(), Mode = PipeMode.Message, ReadAhead = readAhead });
        TestEnd writer = pair.End(ofServer);
        TestEnd reader = pair.End(!ofServer);
        Random random = new(seed);
        int messages = RunningSystem.Rounds(2_000, underWine: 300);
        Queue<byte[]> sent = [];
        using MemoryStream parts = new();
        Deadline deadline = Deadline.New();
        for (int written = 0, received = 0; received < messages;)
        {
            bool moved = false;
            if (written < messages)
            {
                byte[] message = Pattern.Of(random.Next(4) == 0 ? random.Next(3) : random.Next(10_000), seed: written);
                int cut = random.Next(message.Length + 1);
                ReadOnlyMemory<byte>[] vector = [message.AsMemory(0, cut), default, message.AsMemory(cut)];
                PipeStatus status = random.Next(2) == 0
                    ? writer.Pipe.TryWrite(message, out int count)
                    : writer.Pipe.TryWriteVector(vector, out count);
                if (status == PipeStatus.Ok)
                {
                    Assert.That(count, Is.EqualTo(message.Length));
                    sent.Enqueue(message);
                    written++;
                    moved = true;
                }
            }

            byte[] buffer = new byte[random.Next(1, 8_000)];
            int half = random.Next(buffer.Length + 1);
            PipeStatus came = random.Next(2) == 0
                ? reader.Pipe.TryRead(buffer, out int read)
                : reader.Pipe.TryReadVector([buffer.AsMemory(0, half), buffer.AsMemory(half)], out read);
            if (came != PipeStatus.WouldBlock)
            {
                parts.Write(buffer, 0, read);
                moved = true;
            }

            if (came == PipeStatus.Ok)
            {
                Assert.That(parts.ToArray(), Is.EqualTo(sent.Dequeue()), $"message {received}");
                parts.SetLength(0);
                received++;
            }
            else if (came != PipeStatus.WouldBlock)
            {
                Assert.That(came, Is.EqualTo(PipeStatus.MoreData));
            }

            if (!moved)
            {
                deadline.Check($"Message {received}");
                loop.Pump(deadline.Left);
            }
        }
    }

    [Test]
    [Category("R4")]
    public void TryRead_OfAPart_SaysMoreData()
    {
        using TestLoop loop = new();
        using PipePair pair = NewPair(loop);
        WriteMessage(pair.Client, Pattern.Of(10));
        pair.Server.Await(PipeReadiness.Readable);
        byte[] part = new byte[4];
        Assert.That(pair.Server.Pipe.TryRead(part, out int count), Is.EqualTo(PipeStatus.MoreData));
        Assert.That(count, Is.EqualTo(4));
        Assert.That(pair.Server.Pipe.TryRead(part, out count), Is.EqualTo(PipeStatus.MoreData));
        Assert.That(count, Is.EqualTo(4));
        Assert.That(pair.Server.Pipe.TryRead(part, out count), Is.EqualTo(PipeStatus.Ok));
        Assert.That(count, Is.EqualTo(2));
        Pattern.Verify(part.AsSpan(0, 2), position: 8);
    }

    [Test]
    [Category("W5")]
    public void Message_LongerThanThePipeCarries_IsRefusedAndNothingIsSent()
    {
        using TestLoop loop = new();
        using PipePair pair = NewPair(loop);
        int longest = pair.Client.Pipe.GetInfo().MaxMessageSize!.Value;
        ArgumentException e = Assert.Throws<ArgumentException>(() => pair.Client.Pipe.TryWrite(new byte[longest + 1], out _))!;
        Assert.That(e.Message, Does.Contain("MaxMessageSize").And.Contain(pair.Client.Pipe.Name));
        WriteMessage(pair.Client, [1]);
        Assert.That(ReadMessage(pair.Server, 10), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    [Category("W5")]
    public void Vectors_AreOneRun_OnAnyPipe(
        [Values] PipeMode mode, [Values(1, 2, 16, 17, NamedPipe.MaxBuffers)] int count, [Values] bool ofServer)
    {
        using TestLoop loop = new();
        using PipePair pair = NewPair(loop, mode);
        byte[] bytes = Pattern.Of(count * 3, seed: count);
        ReadOnlyMemory<byte>[] parts = [.. Enumerable.Range(0, count).Select(i => new ReadOnlyMemory<byte>(bytes, i * 3, 3))];
        TestEnd writer = pair.End(ofServer);
        TestEnd reader = pair.End(!ofServer);
        Assert.That(writer.Pipe.TryWriteVector(parts, out int written), Is.EqualTo(PipeStatus.Ok));
        Assert.That(written, Is.EqualTo(bytes.Length));
        byte[] received = new byte[bytes.Length + 3];
        Memory<byte>[] targets =
            [.. Enumerable.Range(0, count).Select(i => new Memory<byte>(received, i * 3, 3)), received.AsMemory(bytes.Length)];
        reader.Await(PipeReadiness.Readable);
        Assert.That(reader.Pipe.TryReadVector(targets, out int read), Is.EqualTo(PipeStatus.Ok));
        Assert.That(read, Is.EqualTo(bytes.Length));
        Pattern.Verify(received.AsSpan(0, read), seed: count);
    }

    [Test]
    [Category("W5")]
    public void Sequence_IsOneMessage_OfAnyNumberOfSegmentsUpToTheLimit([Values(1, 2, 16, 17, 1_024)] int count)
    {
        using TestLoop loop = new();
        using PipePair pair = NewPair(loop);
        ReadOnlySequence<byte> sequence = Segment.Sequence(Pattern.Of(count * 3, seed: 1), 3);
        Assert.That(pair.Client.Pipe.TryWrite(sequence, out int written), Is.EqualTo(PipeStatus.Ok));
        Assert.That(written, Is.EqualTo(count * 3));
        Assert.That(ReadMessage(pair.Server, 65_536), Is.EqualTo(Pattern.Of(count * 3, seed: 1)));
    }

    [Test]
    [Category("W5")]
    public void MoreBuffersThanACallLooksAt_AreAPartOfAStream_ButNoMessage()
    {
        const int Count = NamedPipe.MaxBuffers + 1;
        using TestLoop loop = new();
        using PipePair bytes = NewPair(loop, PipeMode.Byte);
        using PipePair messages = NewPair(loop);
        ReadOnlyMemory<byte>[] parts = [.. Enumerable.Repeat(new ReadOnlyMemory<byte>(new byte[1]), Count)];
        ReadOnlySequence<byte> sequence = Segment.Sequence(new byte[Count], 1);
        Assert.That(bytes.Client.Pipe.TryWriteVector(parts, out int written), Is.EqualTo(PipeStatus.Ok));
        Assert.That(written, Is.EqualTo(NamedPipe.MaxBuffers));
        Assert.That(bytes.Client.Pipe.TryWrite(sequence, out written), Is.EqualTo(PipeStatus.Ok).Or.EqualTo(PipeStatus.WouldBlock));
        foreach (Action call in new Action[]
        {
            () => messages.Client.Pipe.TryWriteVector(parts, out _),
            () => messages.Client.Pipe.TryWrite(sequence, out _),
        })
        {
            ArgumentException e = Assert.Throws<ArgumentException>(() => call())!;
            Assert.That(e.ParamName, Is.EqualTo("buffers"));
        }

        Assert.That(
            messages.Server.Pipe.TryReadVector(new Memory<byte>[Count], out _), Is.EqualTo(PipeStatus.WouldBlock).Or.EqualTo(PipeStatus.Ok));
        WriteMessage(messages.Client, [9]);
        Assert.That(ReadMessage(messages.Server, 10), Is.EqualTo(new byte[] { 9 }));
    }

    [Test]
    [Category("W6")]
    public void EmptyWrites_OnABytePipe_DoNothing()
    {
        using TestLoop loop = new();
        using PipePair pair = NewPair(loop, PipeMode.Byte);
        Assert.That(pair.Client.Pipe.TryWrite(ReadOnlySpan<byte>.Empty, out int count), Is.EqualTo(PipeStatus.Ok));
        Assert.That(count, Is.Zero);
        Assert.That(pair.Client.Pipe.TryWriteVector([default, default], out count), Is.EqualTo(PipeStatus.Ok));
        Assert.That(count, Is.Zero);
        Assert.That(pair.Server.Pipe.TryRead(new byte[1], out _), Is.EqualTo(PipeStatus.WouldBlock));
    }

    internal static PipePair NewPair(TestLoop loop, PipeMode mode = PipeMode.Message) => PipePair.New(
        loop, new NamedPipeServerOptions { Name = PipeNames.New(), Mode = mode, ReadAhead = ReadAhead });

    internal static void WriteMessage(TestEnd end, ReadOnlySpan<byte> message)
    {
        int count;
        while (end.Pipe.TryWrite(message, out count) == PipeStatus.WouldBlock)
        {
            end.Await(PipeReadiness.Writable);
        }

        Assert.That(count, Is.EqualTo(message.Length));
    }

    /// <summary>The next message; null at the end.</summary>
    internal static byte[]? ReadMessage(TestEnd end, int bufferSize)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[bufferSize];
        for (; ; )
        {
            PipeStatus status = end.Pipe.TryRead(buffer, out int count);
            all.Write(buffer, 0, count);
            switch (status)
            {
                case PipeStatus.Ok:
                    return all.ToArray();
                case PipeStatus.EndOfStream:
                    return null;
                case PipeStatus.WouldBlock:
                    end.Await(PipeReadiness.Readable | PipeReadiness.Closed);
                    break;
                default:
                    Assert.That(status, Is.EqualTo(PipeStatus.MoreData));
                    Assert.That(count, Is.Positive);
                    break;
            }
        }
    }

    internal sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public static ReadOnlySequence<byte> Sequence(byte[] bytes, int segmentSize)
        {
            Segment first = new(bytes.AsMemory(0, segmentSize), 0);
            Segment last = first;
            for (int i = segmentSize; i < bytes.Length; i += segmentSize)
            {
                Segment next = new(bytes.AsMemory(i, segmentSize), i);
                last.Next = next;
                last = next;
            }

            return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        }
    }
}
