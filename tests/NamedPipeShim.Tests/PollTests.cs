using System.Diagnostics;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Waiting and waking: P0 to P4.</summary>
public class PollTests
{
    [Test]
    [Category("P0")]
    [Category("C1")]
    public void InputAndOutput_BeforeRegister_WouldBlock()
    {
        string name = PipeNames.New();
        using NamedPipe server = NamedPipe.CreateServer(name);
        using NamedPipe client = NamedPipe.OpenClient(name);
        byte[] buffer = [1, 2, 3];
        foreach (NamedPipe pipe in new[] { server, client })
        {
            Assert.That(pipe.TryConnect(), Is.EqualTo(PipeStatus.WouldBlock));
            Assert.That(pipe.TryRead(buffer, out int read), Is.EqualTo(PipeStatus.WouldBlock));
            Assert.That(read, Is.Zero);
            Assert.That(pipe.TryWrite(buffer, out int written), Is.EqualTo(PipeStatus.WouldBlock));
            Assert.That(written, Is.Zero);
        }
    }

    [Test]
    [Category("P1")]
    public void Wait_WithoutTime_LooksOnce()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        loop.PumpAll();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 1_000; i++)
        {
            Assert.That(loop.Pump(TimeSpan.Zero), Is.Zero);
        }

        Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(Deadline.Step));
    }

    [TestCase(1)]
    [TestCase(40)]
    [TestCase(300)]
    [Category("P1")]
    public void Wait_WithoutEvent_ReturnsZeroWhenItsTimeIsOver(int milliseconds)
    {
        using TestLoop loop = new();
        long start = Stopwatch.GetTimestamp();
        Assert.That(loop.Pump(TimeSpan.FromMilliseconds(milliseconds)), Is.Zero);
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        Assert.That(took, Is.GreaterThan(TimeSpan.FromMilliseconds(milliseconds - 1)));
        Assert.That(took, Is.LessThan(Deadline.Step));
    }

    [Test]
    [Category("P1")]
    public void Wait_ForLessThanAMillisecond_IsRoundedUpNotDown()
    {
        using TestLoop loop = new();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < 10; i++)
        {
            Assert.That(loop.Pump(TimeSpan.FromTicks(1)), Is.Zero);
        }

        // Ten times nothing would be microseconds. The clock of Windows may tick between two of these.
        Assert.That(Stopwatch.GetElapsedTime(start), Is.GreaterThan(TimeSpan.FromMilliseconds(4)));
    }

    [Test]
    [Category("P1")]
    public void Wait_WithoutAnEnd_EndsWithAnEvent()
    {
        using TestLoop loop = new();
        using TestLoop other = new();
        using PipePair pair = PipePair.New(loop);
        loop.PumpAll();
        loop.Forget();
        pair.Server.Drain();
        TestThread.Run(() =>
        {
            TestThread writer = TestThread.Start(() => pair.Client.Pipe.TryWrite([1], out _));
            while (!pair.Server.Seen.HasFlag(PipeReadiness.Readable))
            {
                Assert.That(loop.Pump(Timeout.InfiniteTimeSpan), Is.Positive);
            }

            writer.Join();
        });
        Assert.That(pair.Server.ReadExactly(1), Is.EqualTo(new byte[] { 1 }));
    }

    [Test]
    [Category("P1")]
    public void Wait_WithMorePipesReadyThanRoom_FillsTheRoomAndLosesNone()
    {
        const int Pipes = 20;
        const int Room = 3;
        using TestLoop loop = new();
        PipePair[] pairs = [.. Enumerable.Range(0, Pipes).Select(_ => PipePair.New(loop))];
        loop.PumpAll();
        HashSet<nuint> missing = [.. pairs.Select(pair => pair.Server.Token)];
        foreach (PipePair pair in pairs)
        {
            pair.Server.Drain();
            pair.Client.WriteAll([1]);
        }

        PipeEvent[] events = new PipeEvent[Room + 1];
        PipeEvent untouched = new(4711, PipeReadiness.Wake);
        Deadline deadline = Deadline.New();
        while (missing.Count > 0)
        {
            deadline.Check("An event of each pipe");
            events[Room] = untouched;
            int count = loop.Poller.Wait(events.AsSpan(0, Room), deadline.Left);
            Assert.That(count, Is.InRange(0, Room));
            Assert.That(events[Room], Is.EqualTo(untouched));
            foreach (PipeEvent one in events.AsSpan(0, count))
            {
                if (one.IsReadable)
                {
                    missing.Remove(one.Token);
                }
            }
        }

        Array.ForEach(pairs, pair => pair.Dispose());
    }

    [Test]
    [Category("P1")]
    public void Wait_WhenAPipeIsReadableAndWritable_YieldsOneEventOfBoth()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        loop.PumpAll();
        pair.Server.Drain();
        pair.Client.WriteAll([1]);
        pair.Server.Await(PipeReadiness.Readable);

        // Now both are ready; registering anew reports them together, and the loop checks for a second event.
        pair.Server.Pipe.Reregister(pair.Server.Token, PipeInterest.Both);
        PipeEvent[] events = new PipeEvent[8];
        int count = loop.Poller.Wait(events, Deadline.Step);
        PipeEvent one = events.AsSpan(0, count).ToArray().Single(e => e.Token == pair.Server.Token);
        Assert.That(one.Readiness, Is.EqualTo(PipeReadiness.Readable | PipeReadiness.Writable));
        Assert.That(one.IsReadable && one.IsWritable && !one.IsClosed && !one.IsError && !one.IsWake);
    }

    [Test]
    [Category("P1")]
    [Category("P8")]
    public void Wait_WhenACompletionYieldsNoEvent_GoesOnForTheTimeThatIsLeft()
    {
        TimeSpan timeout = TimeSpan.FromMilliseconds(200);
        using TestLoop loop = new();
        using TestLoop clientLoop = new();
        using TestEnd server = loop.Listen(PipeNames.New());
        using TestEnd client = clientLoop.Add(NamedPipe.OpenClient(server.Pipe.Name!));
        server.AwaitConnected();
        for (int i = 0; i < 5; i++)
        {
            // What comes is read by nobody, and reported to nobody.
            server.Drain();
            server.Pipe.Reregister(server.Token, PipeInterest.Writable);
            loop.PumpAll();
            TestThread writer = TestThread.Start(() => client.WriteAll([1]));
            long start = Stopwatch.GetTimestamp();
            Assert.That(loop.Pump(timeout), Is.Zero);
            Assert.That(Stopwatch.GetElapsedTime(start), Is.GreaterThan(timeout - TimeSpan.FromMilliseconds(20)));
            writer.Join();
        }
    }

    [Test]
    [Category("P2")]
    public void Event_ThatWasNotDrained_IsNotRepeated()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        loop.PumpAll();
        pair.Server.Drain();
        pair.Client.WriteAll([1, 2, 3]);
        pair.Server.Await(PipeReadiness.Readable);
        int before = loop.EventCount;
        for (int i = 0; i < 50; i++)
        {
            loop.Pump(TimeSpan.Zero);
        }

        // A needless event is allowed; one in each wait would be a level, not an edge.
        Assert.That(loop.EventCount - before, Is.LessThanOrEqualTo(2));
        Assert.That(pair.Server.ReadExactly(3), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    [Category("P2")]
    public void Event_ComesAgain_AfterEachWouldBlock()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        byte[] buffer = new byte[16];
        for (int i = 0; i < 1_000; i++)
        {
            Assert.That(pair.Server.Pipe.TryRead(buffer, out _), Is.EqualTo(PipeStatus.WouldBlock));
            pair.Client.WriteAll([(byte)i]);
            Assert.That(pair.Server.ReadExactly(1)[0], Is.EqualTo((byte)i));
        }
    }

    [Test]
    [Category("P2")]
    public void Event_ComesAgain_AfterAReadThatDidNotFillItsBuffer()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        byte[] buffer = new byte[16];
        pair.Server.Drain();
        for (int i = 0; i < 1_000; i++)
        {
            pair.Client.WriteAll([(byte)i]);
            PipeStatus status;
            do
            {
                pair.Server.Await(PipeReadiness.Readable);
                status = pair.Server.Pipe.TryRead(buffer, out int count);
                Assert.That(count, Is.EqualTo(status == PipeStatus.Ok ? 1 : 0));
            }
            while (status == PipeStatus.WouldBlock);
        }
    }

    [Test]
    [Category("P3")]
    public void Wake_BeforeAWait_IsOneEventWithItsToken()
    {
        using TestLoop loop = new();
        nuint token = unchecked((nuint)0xFEDC_BA98_7654_3210);
        loop.Poller.Wake(token);
        PipeEvent[] events = new PipeEvent[4];
        Assert.That(loop.Poller.Wait(events, Timeout.InfiniteTimeSpan), Is.EqualTo(1));
        Assert.That(events[0].IsWake);
        Assert.That(events[0].Readiness, Is.EqualTo(PipeReadiness.Wake));
        Assert.That(events[0].Token, Is.EqualTo(token));
        Assert.That(loop.Poller.Wait(events, TimeSpan.Zero), Is.Zero);
    }

    [Test]
    [Category("P3")]
    public void Wake_ManyTimesBeforeAWait_IsOneEventWithTheLastToken()
    {
        using TestLoop loop = new();
        for (nuint token = 1; token <= 500; token++)
        {
            loop.Poller.Wake(token);
        }

        PipeEvent[] events = new PipeEvent[16];
        Assert.That(loop.Poller.Wait(events, Deadline.Step), Is.EqualTo(1));
        Assert.That(events[0], Is.EqualTo(new PipeEvent(500, PipeReadiness.Wake)));
        Assert.That(loop.Poller.Wait(events, TimeSpan.FromMilliseconds(20)), Is.Zero);
    }

    [Test]
    [Category("P3")]
    public void Wake_FromAnotherThread_EndsEachWait()
    {
        const int Rounds = 1_000;
        using TestLoop loop = new();
        using SemaphoreSlim seen = new(1);
        TestThread waker = TestThread.Start(() =>
        {
            for (nuint i = 1; i <= Rounds; i++)
            {
                Assert.That(seen.Wait(Deadline.Step));
                loop.Poller.Wake(i);
            }
        });
        TestThread.Run(() =>
        {
            PipeEvent[] events = new PipeEvent[4];
            for (nuint i = 1; i <= Rounds; i++)
            {
                Assert.That(loop.Poller.Wait(events, Timeout.InfiniteTimeSpan), Is.EqualTo(1));
                Assert.That(events[0], Is.EqualTo(new PipeEvent(i, PipeReadiness.Wake)));
                seen.Release();
            }
        });
        waker.Join();
    }

    [Test]
    [Category("P3")]
    public void Wake_FromManyThreads_LosesNeitherTheLastWakeNorAPipesEvent()
    {
        const int Wakers = 4;
        const int Rounds = 500;
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        loop.PumpAll();
        pair.Server.Drain();
        TestThread[] wakers = [.. Enumerable.Range(0, Wakers).Select(_ => TestThread.Start(() =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                loop.Poller.Wake(1_000);
            }
        }))];
        for (int i = 0; i < Rounds; i++)
        {
            pair.Client.WriteAll([(byte)i]);
            Assert.That(pair.Server.ReadExactly(1)[0], Is.EqualTo((byte)i));
        }

        Array.ForEach(wakers, waker => waker.Join());
        loop.PumpAll();
        loop.Forget();
        loop.Poller.Wake(2_000);
        Assert.That(loop.Await(2_000, PipeReadiness.Wake), Is.EqualTo(PipeReadiness.Wake));
    }

    [Test]
    [Category("P4")]
    public void Wait_WhileAnotherThreadWaits_Throws()
    {
        using TestLoop loop = new();
        int woken = 0;
        TestThread waiter = TestThread.Start(() => woken = WaitForWake(loop.Poller));
        InvalidOperationException busy = AwaitBusy(loop.Poller);
        Assert.That(busy, Is.TypeOf<InvalidOperationException>());
        Assert.That(busy.Message, Does.Contain("wait"));
        loop.Poller.Wake(7);
        waiter.Join();
        Assert.That(woken, Is.EqualTo(1));

        // And then it is free again.
        Assert.That(loop.Pump(TimeSpan.Zero), Is.Zero);
    }

    /// <summary>Waits without an end, again if a probe of <see cref="AwaitBusy"/> was in the way.</summary>
    internal static int WaitForWake(NamedPipePoller poller)
    {
        PipeEvent[] events = new PipeEvent[4];
        for (; ; )
        {
            try
            {
                return poller.Wait(events, Timeout.InfiniteTimeSpan);
            }
            catch (InvalidOperationException e) when (e is not ObjectDisposedException)
            {
                Thread.Yield();
            }
        }
    }

    /// <summary>Looks until another thread is inside a wait.</summary>
    internal static InvalidOperationException AwaitBusy(NamedPipePoller poller)
    {
        InvalidOperationException? busy = null;
        PipeEvent[] events = new PipeEvent[4];
        Deadline.WaitFor(
            () =>
            {
                try
                {
                    Assert.That(poller.Wait(events, TimeSpan.Zero), Is.Zero);
                }
                catch (InvalidOperationException e)
                {
                    busy = e;
                }

                return busy is not null;
            },
            "Another thread's wait");
        return busy!;
    }
}
