using System.Diagnostics;
using NamedPipeShim.Async;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>NamedPipeEventLoop: where continuations run, that nobody stalls or starves another, and its end.</summary>
public class EventLoopTests
{
    [Test]
    public async Task Continuations_RunOnThePool_UnlessInlineWasAskedFor([Values] bool inline)
    {
        await using NamedPipeEventLoop loop =
            new(new NamedPipeEventLoopOptions { Name = "this loop", UnsafeRunContinuationsInline = inline });
        Assert.That(loop.RunsContinuationsInline, Is.EqualTo(inline));
        using StreamPair pair = await StreamPair.NewAsync(loop);
        for (int i = 0; i < 20; i++)
        {
            Task<(bool Pool, string? Name)> where = ReadAndTellWhere(pair.Server);
            await pair.Client.WriteAsync(new byte[1]);
            (bool pool, string? name) = await where.InTime();
            Assert.That(pool, Is.EqualTo(!inline));
            Assert.That(name == "this loop", Is.EqualTo(inline));
        }
    }

    [Test]
    public async Task AsyncLocals_SurviveAnAwait_AndTheLoopHasNone()
    {
        AsyncLocal<string> local = new() { Value = "mine" };
        await using NamedPipeEventLoop loop = new(); // begun where the value is set
        using StreamPair pair = await StreamPair.NewAsync(loop);
        ValueTask<int> reading = pair.Server.ReadAsync(new byte[1]);
        await pair.Client.WriteAsync(new byte[1]);
        await reading;
        Assert.That(local.Value, Is.EqualTo("mine"));
    }

    [Test]
    public async Task WhatAContinuationLeavesOnItsThread_NoOtherFinds([Values] bool inline)
    {
        await using NamedPipeEventLoop loop = new(new NamedPipeEventLoopOptions { UnsafeRunContinuationsInline = inline });
        using StreamPair one = await StreamPair.NewAsync(loop);
        using StreamPair other = await StreamPair.NewAsync(loop);
        AsyncLocal<string> local = new();
        Task leaving;
        Task finding;
        using (ExecutionContext.SuppressFlow()) // then no await restores what was there before
        {
            leaving = LeaveAsync();
            finding = FindAsync();
        }

        await one.Client.WriteAsync(new byte[1]).AsTask().ContinueWith(_ => leaving, TaskScheduler.Default).Unwrap().InTime();
        await other.Client.WriteAsync(new byte[1]);
        await finding.InTime();

        async Task LeaveAsync()
        {
            await one.Server.ReadAsync(new byte[1]).ConfigureAwait(false);
            local.Value = "one's";
            SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
        }

        async Task FindAsync()
        {
            await other.Server.ReadAsync(new byte[1]).ConfigureAwait(false);
            Assert.That(local.Value, Is.Null);
            Assert.That(SynchronizationContext.Current, Is.Null);
        }
    }

    [Test]
    public async Task AnEventThatIsHandedOutAfterItsStreamsEnd_IsPassedOver([Values] bool aborted)
    {
        using NamedPipe server = NamedPipe.CreateServer(PipeNames.New());
        await using NamedPipeEventLoop loop = new();
        StreamClient client = new(NamedPipe.OpenClient(server.Name!), loop);
        client.Close(aborted ? null : NamedPipe.DefaultLinger, nameof(NamedPipeStream));
        const PipeReadiness Everything =
            PipeReadiness.Readable | PipeReadiness.Writable | PipeReadiness.Closed | PipeReadiness.Error;
        Assert.DoesNotThrow(() => client.OnReady(Everything)); // it would end the loop's thread, and so the process
    }

    [Test]
    public async Task AContinuationThatBlocks_StallsNoOtherPipe()
    {
        await using NamedPipeEventLoop loop = new();
        using StreamPair blocked = await StreamPair.NewAsync(loop);
        using StreamPair pair = await StreamPair.NewAsync(loop);
        using ManualResetEventSlim go = new();
        Task blocking = Task.Run(async () =>
        {
            await blocked.Server.ReadAsync(new byte[1]).ConfigureAwait(false);
            go.Wait();
        });
        await blocked.Client.WriteAsync(new byte[1]);
        for (int i = 0; i < 100; i++)
        {
            ValueTask<int> reading = pair.Server.ReadAsync(new byte[1]);
            await pair.Client.WriteAsync(new byte[1]);
            Assert.That(await reading.InTime(), Is.EqualTo(1));
        }

        go.Set();
        await blocking.InTime();
    }

    [Test]
    public async Task AFloodingPipe_StarvesNoOther([Values] bool inline)
    {
        await using NamedPipeEventLoop loop = new(new NamedPipeEventLoopOptions { UnsafeRunContinuationsInline = inline });
        await using NamedPipeEventLoop other = new(); // the flood comes from outside
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(
            new NamedPipeServerOptions { Name = name }, new NamedPipeListenerOptions { EventLoop = loop });
        using NamedPipeStream source = await NamedPipeStream.ConnectAsync(new NamedPipeClientOptions { Name = name }, other);
        using NamedPipeStream sink = await listener.AcceptAsync().InTime();
        using StreamPair pair = await StreamPair.NewAsync(loop);
        using CancellationTokenSource over = new();
        Task writing = Task.Run(() => FloodAsync(source, over.Token));
        Task reading = Task.Run(() => DrainAsync(sink, over.Token));
        for (int i = 0; i < 200; i++)
        {
            Task<int> answer = pair.Server.ReadAsync(new byte[1]).AsTask();
            await pair.Client.WriteAsync(new byte[1]);
            Assert.That(await answer.InTime(), Is.EqualTo(1));
        }

        over.Cancel();
        await Task.WhenAll(writing, reading).InTime();
    }

    [Test]
    public async Task ContinuationsThatNeverEnd_LetOtherWorkOfThePoolCome()
    {
        const int Flows = 128;
        int mostForAnItem = 4 * 300 * Environment.ProcessorCount; // four shares of 15 ms, of all the workers that run
        int rounds = RunningSystem.Rounds(200, underWine: 40);
        await using NamedPipeEventLoop loop = new();
        List<StreamPair> pairs = [];
        for (int i = 0; i < Flows; i++)
        {
            pairs.Add(await StreamPair.NewAsync(loop));
        }

        int seen = 0;
        int items = 0;
        int messages = 2 * Flows * rounds;

        // More threads would come to help, which is what should not be needed.
        ThreadPool.GetMaxThreads(out int most, out int mostOfCompletions);
        Assert.That(ThreadPool.SetMaxThreads(Environment.ProcessorCount, mostOfCompletions), Is.True);
        Task flows = Task.WhenAll(pairs.SelectMany(pair => new[] { Task.Run(() => AskAsync(pair.Client)), Task.Run(() => AnswerAsync(pair.Server)) }));
        try
        {
            Thread counting = new(() =>
            {
                Deadline.WaitFor(() => Volatile.Read(ref seen) > messages / 10, "the flows' beginning");
                while (Volatile.Read(ref seen) < messages * 9 / 10)
                {
                    using ManualResetEventSlim ran = new();
                    ThreadPool.UnsafeQueueUserWorkItem(_ => ran.Set(), null);
                    items += ran.Wait(Deadline.Step) ? 1 : 0;
                }
            });
            counting.Start();
            await flows.InTime();
            counting.Join();
        }
        finally
        {
            ThreadPool.SetMaxThreads(most, mostOfCompletions);
        }

        Assert.That(items, Is.GreaterThan(messages * 8 / 10 / mostForAnItem));
        pairs.ForEach(pair => pair.Dispose());

        async Task AskAsync(NamedPipeStream stream)
        {
            await stream.WriteAsync(new byte[1]);
            await AnswerAsync(stream);
        }

        async Task AnswerAsync(NamedPipeStream stream)
        {
            byte[] one = new byte[1];
            for (int i = 0; i < rounds; i++)
            {
                Assert.That(await stream.ReadAsync(one).ConfigureAwait(false), Is.EqualTo(1));
                long begin = Stopwatch.GetTimestamp();
                while (Stopwatch.GetElapsedTime(begin).TotalMicroseconds < 50)
                {
                    // So long that the next message is there when this is done.
                }

                Interlocked.Increment(ref seen);
                await stream.WriteAsync(one).ConfigureAwait(false);
            }
        }
    }

    [Test]
    public async Task ASynchronousCallInsideTheLoop_DrivesTheLoop()
    {
        await using NamedPipeEventLoop loop = new(new NamedPipeEventLoopOptions { UnsafeRunContinuationsInline = true });
        using StreamPair pair = await StreamPair.NewAsync(loop);
        Task<int> both = Task.Run(async () =>
        {
            await pair.Server.ReadAsync(new byte[1]).ConfigureAwait(false);
            int second = pair.Server.ReadByte(); // on the loop's own thread
            pair.Server.ReadTimeout = 20;
            Assert.Throws<NamedPipeException>(() => pair.Server.ReadByte());
            return second;
        });
        await pair.Client.WriteAsync(new byte[] { 1 });
        Deadline.WaitFor(() => pair.Server.Pipe.UnsentBytes == 0, "the first byte's way");
        await pair.Client.WriteAsync(new byte[] { 2 });
        Assert.That(await both.InTime(), Is.EqualTo(2));
    }

    [Test]
    public async Task ASynchronousCallInsideTheLoop_EndsWithTheLoop([Values("read", "write", "flush")] string call)
    {
        NamedPipeEventLoop loop = new(new NamedPipeEventLoopOptions { UnsafeRunContinuationsInline = true });
        using StreamPair pair = await StreamPair.NewAsync(loop);
        using StreamPair second = await StreamPair.NewAsync(loop);
        TaskCompletionSource inside = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task calling = CallAsync(); // its read waits when this returns
        Task<int> driven = second.Server.ReadAsync(new byte[1]).AsTask().ContinueWith(
            read => read.Result, TaskScheduler.Default); // this test goes on outside the loop
        await pair.Client.WriteAsync(new byte[1]).InTime();
        await inside.Task.InTime();
        await second.Client.WriteAsync(new byte[1]).InTime();
        Assert.That(await driven.InTime(), Is.EqualTo(1)); // by the call: nobody else can drive the loop
        Task ending = loop.DisposeAsync().AsTask();
        Assert.ThrowsAsync<ObjectDisposedException>(() => calling.InTime());
        await ending.InTime();

        async Task CallAsync()
        {
            await pair.Server.ReadAsync(new byte[1]).ConfigureAwait(false);
            Assert.That(loop.IsCurrentThread, Is.True);
            Task full = call == "flush" ? pair.Server.WriteAsync(new byte[16 << 20]).AsTask() : Task.CompletedTask;
            inside.SetResult();
            switch (call) // nothing ends it but the loop's end
            {
                case "read":
                    _ = pair.Server.ReadByte();
                    break;
                case "write":
                    pair.Server.Write(new byte[16 << 20]);
                    break;
                default:
                    pair.Server.Flush(); // behind the write
                    break;
            }

            await full;
        }
    }

    [Test]
    public async Task ASynchronousCallInsideTheLoop_WaitsForAnEventThatWasFetchedWithItsOwn()
    {
        await using NamedPipeEventLoop loop = new(new NamedPipeEventLoopOptions { UnsafeRunContinuationsInline = true });
        using StreamPair holding = await StreamPair.NewAsync(loop);
        using StreamPair one = await StreamPair.NewAsync(loop);
        using StreamPair other = await StreamPair.NewAsync(loop);
        using StreamPair answer = await StreamPair.NewAsync(loop);
        using ManualResetEventSlim held = new();
        using ManualResetEventSlim go = new();
        bool isFirst = true;
        Task holdingLoop = HoldAsync();
        Task both = Task.WhenAll(ReadAsync(one), ReadAsync(other));
        TestThread.Run(() =>
        {
            _ = holding.Client.WriteAsync(new byte[1]).AsTask();
            held.Wait();
            _ = one.Client.WriteAsync(new byte[1]).AsTask();
            _ = other.Client.WriteAsync(new byte[1]).AsTask();
            go.Set(); // the next turn has an event of each
            both.Wait(Deadline.Step);
        });
        await Task.WhenAll(holdingLoop, both).InTime();

        async Task HoldAsync()
        {
            await holding.Server.ReadAsync(new byte[1]).ConfigureAwait(false);
            held.Set();
            go.Wait(Deadline.Step);
        }

        async Task ReadAsync(StreamPair pair)
        {
            await pair.Server.ReadAsync(new byte[1]).ConfigureAwait(false);
            if (isFirst)
            {
                isFirst = false;
                answer.Server.ReadTimeout = (int)Deadline.Step.TotalMilliseconds / 2;
                Assert.That(answer.Server.ReadByte(), Is.EqualTo(0)); // what the second one writes
            }
            else
            {
                await answer.Client.WriteAsync(new byte[1]);
            }
        }
    }

    [TestCase(0)]
    [TestCase(20, Description = "not in the event's turn: in a later one")]
    public async Task ASynchronousCallInsideTheLoop_WaitsForTheNextReadOfItsOwnStream(int blocking)
    {
        await using NamedPipeEventLoop loop = new(new NamedPipeEventLoopOptions { UnsafeRunContinuationsInline = true });
        using StreamPair pair = await StreamPair.NewAsync(loop);
        using StreamPair answer = await StreamPair.NewAsync(loop);
        Task[] reads = [.. Enumerable.Range(0, blocking + 10).Select(ReadAsync)];
        await pair.Client.WriteAsync(new byte[reads.Length]);
        await Task.WhenAll(reads).InTime();

        async Task ReadAsync(int i)
        {
            await pair.Server.ReadAsync(new byte[1]).ConfigureAwait(false);
            if (i == blocking)
            {
                answer.Server.ReadTimeout = (int)Deadline.Step.TotalMilliseconds / 2;
                Assert.That(answer.Server.ReadByte(), Is.EqualTo(0));
            }
            else if (i == blocking + 1)
            {
                await answer.Client.WriteAsync(new byte[1]);
            }
        }
    }

    [Test]
    public async Task Dispose_EndsWhatWaits_AndStreamsAreClosed([Values] bool asynchronously)
    {
        NamedPipeEventLoop loop = new();
        StreamPair pair = await StreamPair.NewAsync(loop);
        NamedPipeListener listener = NamedPipeListener.Listen(
            new NamedPipeServerOptions { Name = PipeNames.New() }, new NamedPipeListenerOptions { EventLoop = loop });
        Task<NamedPipeStream> accepting = listener.AcceptAsync().AsTask();
        ValueTask<int> reading = pair.Server.ReadAsync(new byte[1]);
        if (asynchronously)
        {
            await loop.DisposeAsync().InTime();
        }
        else
        {
            await Task.Run(loop.Dispose).InTime();
        }

        Assert.ThrowsAsync<ObjectDisposedException>(async () => await reading.InTime());
        Assert.ThrowsAsync<ObjectDisposedException>(() => accepting.InTime());
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await pair.Client.WriteAsync(new byte[1]));
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await StreamPair.NewAsync(loop));
        loop.Dispose();
        pair.Dispose();
    }

    [Test]
    public async Task Dispose_DeliversWhatWasWrittenBefore()
    {
        NamedPipeEventLoop loop = new();
        await using NamedPipeEventLoop other = new();
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(
            new NamedPipeServerOptions { Name = name }, new NamedPipeListenerOptions { EventLoop = other });
        NamedPipeStream client = await NamedPipeStream.ConnectAsync(new NamedPipeClientOptions { Name = name }, loop);
        using NamedPipeStream server = await listener.AcceptAsync().InTime();
        byte[] bytes = Pattern.Of(60_000);
        await client.WriteAsync(bytes).InTime();
        client.Dispose();
        Task ending = loop.DisposeAsync().AsTask();
        byte[] received = new byte[bytes.Length];
        await server.ReadExactlyAsync(received).InTime();
        Assert.That(received, Is.EqualTo(bytes));
        await ending.InTime();
    }

    [Test]
    public void TheDefaultLoop_CannotBeDisposed()
    {
        Assert.Throws<InvalidOperationException>(NamedPipeEventLoop.Default.Dispose);
        Assert.ThrowsAsync<InvalidOperationException>(async () => await NamedPipeEventLoop.Default.DisposeAsync());
    }

    [Test]
    public async Task ManyPipes_OnOneLoop_AreEachServed()
    {
        int pairs = RunningSystem.Rounds(300, underWine: 40);
        await using NamedPipeEventLoop loop = new();
        List<StreamPair> all = [];
        for (int i = 0; i < pairs; i++)
        {
            all.Add(await StreamPair.NewAsync(loop));
        }

        Task[] exchanges = [.. all.Select((pair, i) => Task.Run(() => ExchangeAsync(pair, i)))];
        await Task.WhenAll(exchanges).InTime();
        all.ForEach(pair => pair.Dispose());
    }

    [Test]
    public async Task Dispose_RightAfterAMessage_Ends()
    {
        // A worker of the pool may be driving, and take the wake that was meant for the loop's thread.
        for (int round = 0; round < RunningSystem.Rounds(300, underWine: 50); round++)
        {
            NamedPipeEventLoop loop = new();
            using (StreamPair pair = await StreamPair.NewAsync(loop))
            {
                ValueTask<int> reading = pair.Server.ReadAsync(new byte[1]);
                await pair.Client.WriteAsync(new byte[1]);
                Assert.That(await reading.InTime(), Is.EqualTo(1));
                Thread.SpinWait(20 * (round % 50)); // the end comes at any moment of the worker's
            }

            await loop.DisposeAsync().AsTask().InTime();
        }
    }

    [Test]
    public async Task Waiting_BurnsNoProcessor()
    {
        // Inline, so that what follows each await tells the time of the loop's own thread.
        await using NamedPipeEventLoop loop = new(new NamedPipeEventLoopOptions { UnsafeRunContinuationsInline = true });
        using StreamPair pair = await StreamPair.NewAsync(loop);
        Task<TimeSpan> used = TimeOfTwoReads(pair.Server);
        await pair.Client.WriteAsync(new byte[1]);
        await Task.Delay(500);
        await pair.Client.WriteAsync(new byte[1]);
        Assert.That(await used.InTime(), Is.LessThan(TimeSpan.FromMilliseconds(100)));
    }

    private static async Task<TimeSpan> TimeOfTwoReads(NamedPipeStream stream)
    {
        Assert.That(await stream.ReadAsync(new byte[1]).ConfigureAwait(false), Is.EqualTo(1));
        TimeSpan before = ThreadTime.Used;
        Assert.That(await stream.ReadAsync(new byte[1]).ConfigureAwait(false), Is.EqualTo(1));
        return ThreadTime.Used - before;
    }

    private static async Task<(bool Pool, string? Name)> ReadAndTellWhere(NamedPipeStream stream)
    {
        Assert.That(await stream.ReadAsync(new byte[1]).ConfigureAwait(false), Is.EqualTo(1));
        return (Thread.CurrentThread.IsThreadPoolThread, Thread.CurrentThread.Name);
    }

    private static async Task FloodAsync(NamedPipeStream stream, CancellationToken over)
    {
        byte[] bytes = new byte[65_536];
        try
        {
            while (true)
            {
                await stream.WriteAsync(bytes, over).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static async Task DrainAsync(NamedPipeStream stream, CancellationToken over)
    {
        byte[] bytes = new byte[65_536];
        try
        {
            while (await stream.ReadAsync(bytes, over).ConfigureAwait(false) > 0)
            {
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static async Task ExchangeAsync(StreamPair pair, int seed)
    {
        byte[] bytes = Pattern.Of(2_000, seed);
        byte[] received = new byte[bytes.Length];
        for (int round = 0; round < 5; round++)
        {
            ValueTask reading = pair.Server.ReadExactlyAsync(received);
            await pair.Client.WriteAsync(bytes);
            await reading;
            Assert.That(received.AsSpan().SequenceEqual(bytes), Is.True);
        }
    }
}
