using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Reading: R1, R2, R3, R5.</summary>
public class ReadTests
{
    private const int BufferSize = 4_096;

    /// <summary>Sizes around a read-ahead buffer of 4,096 bytes.</summary>
    private static readonly int[] s_sizes =
        [1, 2, BufferSize - 1, BufferSize, BufferSize + 1, 3 * BufferSize, 65_535, 65_536, 65_537];

    [Test]
    [Category("R1")]
    public void Read_OfAnySize_GivesTheBytesInOrder(
        [ValueSource(nameof(s_sizes))] int size,
        [Values(0, BufferSize, 65_536)] int readAhead,
        [Values] bool sentBeforeRead,
        [Values] bool toServer)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop, new NamedPipeServerOptions { Name = PipeNames.New(), ReadAhead = readAhead });
        TestEnd to = pair.End(toServer);
        TestEnd from = pair.End(!toServer);
        for (int round = 0; round < 3; round++)
        {
            if (!sentBeforeRead)
            {
                Assert.That(to.Pipe.TryRead(new byte[16], out _), Is.EqualTo(PipeStatus.WouldBlock));
            }

            from.SendTo(to, size, seed: round);
            Assert.That(to.Pipe.TryRead(new byte[16], out int more), Is.EqualTo(PipeStatus.WouldBlock), $"{more} bytes too many");
        }
    }

    [TestCase(1)]
    [TestCase(7)]
    [TestCase(BufferSize)]
    [TestCase(100_000)]
    [Category("R1")]
    public void Read_WithAnySizeOfBuffer_GivesAMebibyteInOrder(int bufferSize)
    {
        int size = RunningSystem.Rounds(1 << 20, underWine: 1 << 18);
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        byte[] bytes = Pattern.Of(size);
        byte[] buffer = new byte[bufferSize];
        Deadline deadline = Deadline.New();
        for (int sent = 0, have = 0; have < size;)
        {
            PipeStatus written = PipeStatus.WouldBlock;
            if (sent < size)
            {
                written = pair.Client.Pipe.TryWrite(bytes.AsSpan(sent), out int accepted);
                sent += accepted;
            }

            PipeStatus status;
            while ((status = pair.Server.Pipe.TryRead(buffer, out int count)) == PipeStatus.Ok)
            {
                Pattern.Verify(buffer.AsSpan(0, count), position: have);
                have += count;
            }

            Assert.That(status, Is.EqualTo(PipeStatus.WouldBlock));
            if (have < size && written == PipeStatus.WouldBlock)
            {
                deadline.Check("The next bytes");
                loop.Pump(deadline.Left);
            }
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    [Category("R2")]
    public void Read_WithNothingThere_WouldBlock(bool ofServer)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        for (int i = 0; i < 10; i++)
        {
            Assert.That(pair.End(ofServer).Pipe.TryRead(new byte[10], out int count), Is.EqualTo(PipeStatus.WouldBlock));
            Assert.That(count, Is.Zero);
            loop.PumpAll();
        }
    }

    [Test]
    [Category("R2")]
    public void Read_WhileListening_WouldBlock()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(PipeNames.New());
        Assert.That(server.Pipe.TryRead(new byte[10], out int count), Is.EqualTo(PipeStatus.WouldBlock));
        Assert.That(count, Is.Zero);
        Assert.That(server.Pipe.TryWrite(new byte[10], out count), Is.EqualTo(PipeStatus.WouldBlock));
        Assert.That(count, Is.Zero);
    }

    [Test]
    [Category("R2")]
    public void Read_OfNoBytes_IsOkAndNotTheEnd()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        Assert.That(pair.Server.Pipe.TryRead([], out int count), Is.EqualTo(PipeStatus.Ok));
        Assert.That(count, Is.Zero);
        pair.Client.WriteAll([7]);
        Assert.That(pair.Server.Pipe.TryRead(default, out count), Is.EqualTo(PipeStatus.Ok));
        Assert.That(count, Is.Zero);
        Assert.That(pair.Server.ReadExactly(1)[0], Is.EqualTo(7));
    }

    [Test]
    [Category("R3")]
    public void Read_AfterPeerCloses_GivesAllThenEndOfStreamForEver(
        [Values(0, 1, BufferSize, 40_000)] int size,
        [Values(0, 65_536)] int readAhead,
        [Values] bool ofServer,
        [Values] bool readWasPending)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop, new NamedPipeServerOptions { Name = PipeNames.New(), ReadAhead = readAhead });
        TestEnd reader = pair.End(ofServer);
        TestEnd writer = pair.End(!ofServer);
        if (readWasPending)
        {
            reader.Drain();
        }

        writer.WriteAll(Pattern.Of(size, seed: 5));
        writer.Dispose();
        byte[] all = reader.ReadToEnd();
        Assert.That(all, Has.Length.EqualTo(size));
        Pattern.Verify(all, seed: 5);
        for (int i = 0; i < 5; i++)
        {
            Assert.That(reader.Pipe.TryRead(new byte[10], out int count), Is.EqualTo(PipeStatus.EndOfStream));
            Assert.That(count, Is.Zero);
            loop.PumpAll();
        }
    }

    [Test]
    [Category("R3")]
    [Category("C7")]
    public void Read_AfterEndOfStream_GoesOnAfterTheNextConnect()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Client.Dispose();
        Assert.That(pair.Server.ReadToEnd(), Is.Empty);
        pair.Server.Pipe.Disconnect(listen: true);
        using TestEnd next = loop.Add(
            NamedPipe.OpenClient(new NamedPipeClientOptions { Name = pair.Server.Pipe.Name!, Timeout = Deadline.Step }));
        pair.Server.AwaitConnected();
        next.SendTo(pair.Server, 100, seed: 3);
    }

    [Test]
    [Category("R2")]
    public void Read_OfAPipeThatOnlyWrites_IsNotSupported()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(
            loop, new NamedPipeServerOptions { Name = PipeNames.New(), Direction = PipeDirection.Out });
        Assert.Throws<NotSupportedException>(() => pair.Server.Pipe.TryRead(new byte[1], out _));
        Assert.Throws<NotSupportedException>(() => pair.Client.Pipe.TryWrite(new byte[1], out _));
        pair.Server.SendTo(pair.Client, 10_000, seed: 1);
        pair.Server.Dispose();
        Assert.That(pair.Client.ReadToEnd(), Is.Empty);
    }

    [Test]
    [Category("R1")]
    public void Read_OfAPipeThatOnlyReads_GetsAll()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(
            loop, new NamedPipeServerOptions { Name = PipeNames.New(), Direction = PipeDirection.In });
        Assert.Throws<NotSupportedException>(() => pair.Server.Pipe.TryWrite(new byte[1], out _));
        Assert.Throws<NotSupportedException>(() => pair.Client.Pipe.TryRead(new byte[1], out _));
        pair.Client.SendTo(pair.Server, 10_000, seed: 1);
        pair.Client.Dispose();
        Assert.That(pair.Server.ReadToEnd(), Is.Empty);
    }

    [Test]
    [Category("R5")]
    public void ReadAndWrite_FromTwoThreadsAtOnce_AreSafe()
    {
        int size = RunningSystem.Rounds(4 << 20, underWine: 1 << 20);
        using TestLoop serverLoop = new();
        using TestLoop clientLoop = new();
        string name = PipeNames.New();
        using TestEnd server = serverLoop.Listen(name);
        using TestEnd client = clientLoop.Add(NamedPipe.OpenClient(name));
        server.AwaitConnected();

        // Each end is read and written at once; each loop's thread only hands its events on.
        using EventPump serverPump = new(serverLoop);
        using EventPump clientPump = new(clientLoop);
        TestThread[] threads =
        [
            TestThread.Start(() => WriteAll(server.Pipe, serverPump, size, seed: 1)),
            TestThread.Start(() => WriteAll(client.Pipe, clientPump, size, seed: 2)),
            TestThread.Start(() => ReadAll(server.Pipe, serverPump, size, seed: 2)),
            TestThread.Start(() => ReadAll(client.Pipe, clientPump, size, seed: 1)),
        ];
        Array.ForEach(threads, thread => thread.Join());
    }

    [Test]
    [Category("R5")]
    public void TwoReads_AtOnce_NeverGetTheSameBytes()
    {
        int size = RunningSystem.Rounds(2 << 20, underWine: 1 << 19);
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        long[] expected = new long[256];
        byte[] bytes = Pattern.Of(size);
        foreach (byte one in bytes)
        {
            expected[one]++;
        }

        using EventPump pump = new(loop);
        int left = size;
        long[] counts = new long[256];
        TestThread writer = TestThread.Start(() => WriteAll(pair.Client.Pipe, pump, size, seed: 0));
        TestThread[] readers = [.. Enumerable.Range(0, 2).Select(_ => TestThread.Start(() =>
        {
            byte[] buffer = new byte[5_000];
            while (Volatile.Read(ref left) > 0)
            {
                int turn = pump.Turn;
                PipeStatus status = pair.Server.Pipe.TryRead(buffer, out int count);
                foreach (byte one in buffer.AsSpan(0, count))
                {
                    Interlocked.Increment(ref counts[one]);
                }

                if (Interlocked.Add(ref left, -count) <= 0)
                {
                    pump.Announce();
                }
                else if (status == PipeStatus.WouldBlock)
                {
                    pump.AwaitNext(turn);
                }
            }
        }))];
        writer.Join();
        Array.ForEach(readers, reader => reader.Join());
        Assert.That(left, Is.Zero);
        Assert.That(counts, Is.EqualTo(expected));
    }

    private static void WriteAll(NamedPipe pipe, EventPump pump, int size, int seed)
    {
        byte[] bytes = Pattern.Of(size, seed);
        for (int sent = 0; sent < size;)
        {
            int turn = pump.Turn;
            if (pipe.TryWrite(bytes.AsSpan(sent), out int count) == PipeStatus.WouldBlock)
            {
                pump.AwaitNext(turn);
            }

            sent += count;
        }
    }

    private static void ReadAll(NamedPipe pipe, EventPump pump, int size, int seed)
    {
        byte[] bytes = new byte[size];
        for (int have = 0; have < size;)
        {
            int turn = pump.Turn;
            PipeStatus status = pipe.TryRead(bytes.AsSpan(have), out int count);
            Assert.That(status, Is.Not.EqualTo(PipeStatus.EndOfStream));
            if (status == PipeStatus.WouldBlock)
            {
                pump.AwaitNext(turn);
            }

            have += count;
        }

        Pattern.Verify(bytes, seed);
    }
}
