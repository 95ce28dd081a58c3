using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Writing: W1 to W4, and W6 for byte pipes.</summary>
public class WriteTests
{
    [Test]
    [Category("W1")]
    [Category("X1")]
    public void Write_ThenClose_DeliversWhatWasAccepted([Values] bool ofServer, [Values(1, 65_536, 1 << 20)] int writeLimit)
    {
        using TestLoop loop = new();
        using TestLoop peerLoop = new();
        string name = PipeNames.New();
        using TestEnd server = (ofServer ? loop : peerLoop).Listen(
            new NamedPipeServerOptions { Name = name, WriteLimit = writeLimit });
        using TestEnd client = (ofServer ? peerLoop : loop).Add(
            NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, WriteLimit = writeLimit }));
        server.AwaitConnected();
        (TestEnd writer, TestEnd reader) = ofServer ? (server, client) : (client, server);

        int accepted = writeLimit == 1 ? 1 : writer.WriteUntilFull(seed: 4, chunk: 3 * 65_536);
        if (writeLimit == 1)
        {
            Assert.That(writer.Pipe.TryWrite(Pattern.Of(100, seed: 4), out int count), Is.EqualTo(PipeStatus.Ok));
            Assert.That(count, Is.EqualTo(1));
        }

        bool done = writer.Pipe.Close(Timeout.InfiniteTimeSpan);
        TestThread? driver = done ? null : TestThread.Start(loop.Dispose);
        byte[] all = reader.ReadToEnd();
        driver?.Join();
        Assert.That(all, Has.Length.EqualTo(accepted));
        Pattern.Verify(all, seed: 4);
    }

    [Test]
    [Category("W2")]
    public void Write_IntoAFullPipe_WouldBlockThenYieldsWritable([Values] bool ofServer)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        TestEnd writer = pair.End(ofServer);
        TestEnd reader = pair.End(!ofServer);
        for (int round = 0; round < 5; round++)
        {
            int size = writer.WriteUntilFull(seed: round);
            Assert.That(writer.Pipe.TryWrite(new byte[10], out int count), Is.EqualTo(PipeStatus.WouldBlock));
            Assert.That(count, Is.Zero);
            loop.PumpAll();
            loop.Forget();
            TestThread.Run(() => Pattern.Verify(reader.ReadExactly(size), seed: round));
            if (!writer.Seen.HasFlag(PipeReadiness.Writable))
            {
                writer.Await(PipeReadiness.Writable);
            }
        }
    }

    [Test]
    [Category("W2")]
    public void Write_OfMoreThanFits_SaysHowMuchItTook([Values] bool ofServer)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        byte[] bytes = Pattern.Of(16 << 20, seed: 9);
        Assert.That(pair.End(ofServer).Pipe.TryWrite(bytes, out int count), Is.EqualTo(PipeStatus.Ok));
        Assert.That(count, Is.InRange(1, 65_536), "the write limit");
        Pattern.Verify(pair.End(!ofServer).ReadExactly(count), seed: 9);
    }

    [Test]
    [Category("W2")]
    public void UnsentBytes_GoToZero_AndAWritableEventFollows()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        int size = pair.Server.WriteUntilFull(seed: 2);
        Assert.That(pair.Server.Pipe.UnsentBytes, Is.InRange(0, size));
        loop.PumpAll();
        loop.Forget();
        Pattern.Verify(pair.Client.ReadExactly(size), seed: 2);
        if (!pair.Server.Seen.HasFlag(PipeReadiness.Writable))
        {
            pair.Server.Await(PipeReadiness.Writable);
        }

        Assert.That(pair.Server.Pipe.UnsentBytes, Is.Zero);
    }

    [Test]
    [Category("W3")]
    public void Write_AfterPeerCloses_FailsAgainAndAgain([Values] bool ofServer)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        TestEnd writer = pair.End(ofServer);
        writer.Drain();
        pair.End(!ofServer).Dispose();
        writer.Await(PipeReadiness.Closed);

        // The first may still be accepted where the system has not told the writer yet; its loss is then reported (W4).
        NamedPipeException? failure = null;
        Deadline deadline = Deadline.New();
        while (failure is null)
        {
            deadline.Check("The failure");
            try
            {
                if (writer.Pipe.TryWrite(new byte[10], out _) == PipeStatus.WouldBlock)
                {
                    writer.Await(PipeReadiness.Writable | PipeReadiness.Error);
                }
            }
            catch (NamedPipeException e)
            {
                failure = e;
            }
        }

        Assert.That(failure.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
        Assert.That(failure.NativeErrorCode, Is.Not.Zero);
        for (int i = 0; i < 5; i++)
        {
            NamedPipeException again = Assert.Throws<NamedPipeException>(() => writer.Pipe.TryWrite(new byte[10], out _))!;
            Assert.That(again.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
        }
    }

    [Test]
    [Category("W3")]
    [Category("W4")]
    public void Write_ThatWasAcceptedAndLost_IsReported([Values] bool ofServer)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        TestEnd writer = pair.End(ofServer);
        writer.WriteUntilFull(seed: 1);
        bool unsent = writer.Pipe.UnsentBytes > 0;
        loop.PumpAll();
        loop.Forget();
        pair.End(!ofServer).Pipe.Abort();

        // Never swallowed: a background failure raises the error event, and TakeError gives it, once.
        writer.Await(unsent ? PipeReadiness.Error : PipeReadiness.Closed);
        NamedPipeException? error = writer.Pipe.TakeError();
        if (unsent)
        {
            Assert.That(error, Is.Not.Null);
            Assert.That(error!.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
            Assert.That(error.NativeErrorCode, Is.Not.Zero);
        }

        Assert.That(writer.Pipe.TakeError(), Is.Null);
        NamedPipeException failure = Assert.Throws<NamedPipeException>(() => writer.Pipe.TryWrite(new byte[10], out _))!;
        Assert.That(failure.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
    }

    [Test]
    [Category("W3")]
    [Category("C7")]
    public void Write_AfterDisconnectAndTheNextClient_WorksAgain()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Server.WriteUntilFull(seed: 1);
        pair.Client.Dispose();
        pair.Server.Await(PipeReadiness.Closed);
        pair.Server.Pipe.Disconnect(listen: true);
        using TestEnd next = loop.Add(
            NamedPipe.OpenClient(new NamedPipeClientOptions { Name = pair.Server.Pipe.Name!, Timeout = Deadline.Step }));
        pair.Server.AwaitConnected();
        pair.Server.SendTo(next, 100_000, seed: 2);
        Assert.That(pair.Server.Pipe.TakeError(), Is.Null);
    }

    [Test]
    [Category("W6")]
    public void Write_OfNoBytes_DoesNothing()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        for (int i = 0; i < 10; i++)
        {
            Assert.That(pair.Client.Pipe.TryWrite([], out int count), Is.EqualTo(PipeStatus.Ok));
            Assert.That(count, Is.Zero);
            Assert.That(pair.Client.Pipe.TryWrite(default, out count), Is.EqualTo(PipeStatus.Ok));
            Assert.That(count, Is.Zero);
            Assert.That(pair.Server.Pipe.TryRead(new byte[1], out _), Is.EqualTo(PipeStatus.WouldBlock));
        }

        pair.Client.SendTo(pair.Server, 100, seed: 1);

        // Into a full pipe too.
        pair.Client.WriteUntilFull(seed: 2);
        Assert.That(pair.Client.Pipe.TryWrite([], out int none), Is.EqualTo(PipeStatus.Ok));
        Assert.That(none, Is.Zero);
    }
}
