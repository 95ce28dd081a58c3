using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Closing pipes and pollers: P7, X1 to X3.</summary>
public class CloseTests
{
    [Test]
    [Category("X1")]
    public void Dispose_AfterWrite_DeliversAlsoWhenThePollerIsDisposedRightAfter([Values] bool ofServer)
    {
        using TestLoop peerLoop = new();
        TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = (ofServer ? loop : peerLoop).Listen(name);
        using TestEnd client = (ofServer ? peerLoop : loop).Add(NamedPipe.OpenClient(name));
        server.AwaitConnected();
        (TestEnd writer, TestEnd reader) = ofServer ? (server, client) : (client, server);
        int size = writer.WriteUntilFull(seed: 6);
        TestThread closer = TestThread.Start(() =>
        {
            writer.Dispose();
            loop.Dispose();
        });
        byte[] all = reader.ReadToEnd();
        closer.Join();
        Assert.That(all, Has.Length.EqualTo(size));
        Pattern.Verify(all, seed: 6);
    }

    [Test]
    [Category("X1")]
    public void Close_WithNothingUnsent_IsDoneAtOnce()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        Assert.That(pair.Server.Pipe.Close(Timeout.InfiniteTimeSpan), Is.True);
        Assert.That(pair.Client.Pipe.Close(TimeSpan.Zero), Is.True);
    }

    [Test]
    [Category("X1")]
    public void Close_WhenTheReaderNeverReads_EndsWithItsTime()
    {
        using TestLoop peerLoop = new();
        TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        using TestEnd client = peerLoop.Add(NamedPipe.OpenClient(name));
        server.AwaitConnected();
        server.WriteUntilFull(seed: 6);
        server.Pipe.Close(TimeSpan.FromMilliseconds(50));
        TestThread.Run(loop.Dispose);
    }

    [Test]
    [Category("X1")]
    public void Abort_EndsALingeringClose()
    {
        using TestLoop peerLoop = new();
        TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        using TestEnd client = peerLoop.Add(NamedPipe.OpenClient(name));
        server.AwaitConnected();
        server.WriteUntilFull(seed: 6);
        server.Pipe.Close(Timeout.InfiniteTimeSpan);
        server.Pipe.Abort();
        server.Pipe.Abort();
        TestThread.Run(loop.Dispose);
    }

    [Test]
    [Category("X1")]
    public void Calls_AfterClose_ThrowObjectDisposed([Values] bool ofServer, [Values] Ending ending)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        NamedPipe pipe = pair.End(ofServer).Pipe;
        switch (ending)
        {
            case Ending.Close:
                pipe.Close(TimeSpan.Zero);
                break;
            case Ending.Abort:
                pipe.Abort();
                break;
            case Ending.Dispose:
                pipe.Dispose();
                break;
            case Ending.DisposeOfThePoller:
                loop.Dispose();
                break;
        }

        byte[] buffer = new byte[1];
        Assert.Throws<ObjectDisposedException>(() => pipe.TryConnect());
        Assert.Throws<ObjectDisposedException>(() => pipe.TryRead(buffer, out _));
        Assert.Throws<ObjectDisposedException>(() => pipe.TryWrite(buffer, out _));
        Assert.Throws<ObjectDisposedException>(() => pipe.Disconnect());
        Assert.Throws<ObjectDisposedException>(() => pipe.Reregister(1, PipeInterest.Both));
        Assert.Throws<ObjectDisposedException>(pipe.Deregister);
        if (ending == Ending.Dispose)
        {
            Assert.Throws<ObjectDisposedException>(() => pipe.TakeError());
        }
        else
        {
            // What was lost in the background can still be asked for (W4).
            Assert.That(pipe.TakeError(), Is.Null);
        }

        Assert.Throws<ObjectDisposedException>(() => _ = pipe.UnsentBytes);
        Assert.Throws<ObjectDisposedException>(() => pipe.Close(TimeSpan.Zero));
        Assert.Throws<ObjectDisposedException>(() => pipe.ExportHandle());
        Assert.Throws<ObjectDisposedException>(() => pipe.DangerousGetOSHandle());
        pipe.Abort();
        pipe.Dispose();
        pipe.Dispose();
    }

    [Test]
    [Category("X2")]
    [Category("P7")]
    public void DisposeOfThePoller_DuringAWait_EndsItWithObjectDisposed()
    {
        for (int i = 0; i < 50; i++)
        {
            NamedPipePoller poller = new();
            TestThread waiter = TestThread.Start(() =>
                Assert.Throws<ObjectDisposedException>(() => PollTests.WaitForWake(poller)));
            if (i % 2 == 0)
            {
                PollTests.AwaitBusy(poller);
            }

            TestThread.Run(poller.Dispose);
            waiter.Join();
        }
    }

    [Test]
    [Category("X2")]
    public void DisposeOfAPipe_DuringAWait_YieldsNoEventAndDisturbsNobody()
    {
        using TestLoop loop = new();
        using PipePair other = PipePair.New(loop);
        for (int i = 0; i < 100; i++)
        {
            PipePair pair = PipePair.New(loop);
            loop.PumpAll();
            loop.Forget();
            other.Server.Drain();
            using ManualResetEventSlim go = new();
            TestThread closer = TestThread.Start(() =>
            {
                go.Wait(Deadline.Step);
                pair.Server.Dispose();
                pair.Client.Dispose();
                other.Client.WriteAll([(byte)i]);
            });
            go.Set();
            other.Server.Await(PipeReadiness.Readable);
            closer.Join();
            Assert.That(other.Server.ReadExactly(1)[0], Is.EqualTo((byte)i));

            // A wait that starts now has no word of them.
            loop.Forget();
            loop.PumpAll();
            Assert.That(pair.Server.Seen | pair.Client.Seen, Is.EqualTo(PipeReadiness.None));
        }
    }

    [Test]
    [Category("X2")]
    public void DisposeOfAPipe_FromManyThreadsWhileOthersUseIt_IsSafe()
    {
        for (int round = 0; round < 50; round++)
        {
            using TestLoop loop = new();
            PipePair pair = PipePair.New(loop);
            byte[] buffer = new byte[100];
            TestThread[] users = [.. Enumerable.Range(0, 4).Select(i => TestThread.Start(() =>
            {
                try
                {
                    for (; ; )
                    {
                        _ = i % 2 == 0
                            ? pair.Server.Pipe.TryRead(new byte[100], out _)
                            : pair.Server.Pipe.TryWrite(buffer, out _);
                    }
                }
                catch (ObjectDisposedException)
                {
                }
            }))];
            TestThread[] closers = [.. Enumerable.Range(0, 2).Select(_ => TestThread.Start(pair.Server.Pipe.Dispose))];
            Array.ForEach(closers, closer => closer.Join());
            Array.ForEach(users, user => user.Join());
            pair.Dispose();
        }
    }

    [Test]
    [Category("P7")]
    public void DisposeOfThePoller_WithOperationsInFlight_ReturnsAndClosesThePipes()
    {
        for (int round = 0; round < 20; round++)
        {
            TestLoop loop = new();
            TestEnd listening = loop.Listen(PipeNames.New());
            PipePair reading = PipePair.New(loop);
            reading.Server.Drain();
            reading.Client.Drain();
            PipePair writing = PipePair.New(loop);
            writing.Server.WriteUntilFull(seed: 1);
            TestThread.Run(loop.Dispose);
            foreach (TestEnd end in new[] { listening, reading.Server, reading.Client, writing.Server, writing.Client })
            {
                Assert.Throws<ObjectDisposedException>(() => end.Pipe.TryRead(new byte[1], out _));
                end.Dispose();
            }
        }
    }

    [Test]
    [Category("P7")]
    public void DisposeOfThePoller_FromTwoThreads_IsSafe()
    {
        for (int round = 0; round < 50; round++)
        {
            TestLoop loop = new();
            using PipePair pair = PipePair.New(loop);
            TestThread[] closers = [.. Enumerable.Range(0, 3).Select(_ => TestThread.Start(loop.Dispose))];
            Array.ForEach(closers, closer => closer.Join());
        }
    }

    [Test]
    [Category("P7")]
    public void Calls_OnADisposedPoller_ThrowObjectDisposed()
    {
        NamedPipePoller poller = new();
        poller.Dispose();
        poller.Dispose();
        PipeEvent[] events = new PipeEvent[1];
        Assert.Throws<ObjectDisposedException>(() => poller.Wait(events, TimeSpan.Zero));
        Assert.Throws<ObjectDisposedException>(() => poller.Wake(1));
        using NamedPipe server = NamedPipe.CreateServer(PipeNames.New());
        Assert.Throws<ObjectDisposedException>(() => server.Register(poller, 1, PipeInterest.Both));
        Assert.That(server.Poller, Is.Null);

        // It was never bound: another poller takes it.
        using NamedPipePoller next = new();
        server.Register(next, 1, PipeInterest.Both);
        Assert.That(server.TryConnect(), Is.EqualTo(PipeStatus.WouldBlock));
    }

    [Test]
    [Category("X3")]
    public void CreateAndDispose_TenThousandTimes_LeavesNoHandleAndTheNameFree()
    {
        string name = PipeNames.New();
        NamedPipeServerOptions options = new() { Name = name, FirstInstance = true };
        NamedPipe.CreateServer(options).Dispose();
        int before = ProcessHandles.Count();
        for (int i = 0; i < 10_000; i++)
        {
            NamedPipe.CreateServer(options).Dispose();
        }

        ProcessHandles.AwaitAtMost(before);
    }

    [Test]
    [Category("X3")]
    public void ConnectAndDispose_ManyTimes_LeavesNoHandleAndTheNameFree()
    {
        int rounds = RunningSystem.Rounds(3_000, underWine: 1_000);
        using TestLoop loop = new();
        string name = PipeNames.New();
        NamedPipeServerOptions options = new() { Name = name, FirstInstance = true };
        PipePair.New(loop, options).Dispose();
        int before = ProcessHandles.Count();
        for (int i = 0; i < rounds; i++)
        {
            using PipePair pair = PipePair.New(loop, options);
            if (i % 100 == 0)
            {
                pair.Client.SendTo(pair.Server, 10_000, seed: i);
            }
        }

        loop.PumpAll();
        ProcessHandles.AwaitAtMost(before);
    }

    [Test]
    [Category("X3")]
    public void PollersWithPipes_ManyTimes_LeaveNoHandle()
    {
        int rounds = RunningSystem.Rounds(1_000, underWine: 300);
        string name = PipeNames.New();
        int before = 0;
        for (int i = 0; i <= rounds; i++)
        {
            using (TestLoop loop = new())
            {
                using PipePair pair = PipePair.New(loop, new NamedPipeServerOptions { Name = name, FirstInstance = true });
                pair.Client.SendTo(pair.Server, 10, seed: i);
            }

            before = i == 0 ? ProcessHandles.Count() : before;
        }

        ProcessHandles.AwaitAtMost(before);
    }

    public enum Ending
    {
        Close,
        Abort,
        Dispose,
        DisposeOfThePoller,
    }
}
