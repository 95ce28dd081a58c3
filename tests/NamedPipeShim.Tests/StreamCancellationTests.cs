using System.Diagnostics;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Streams: cancellation loses no byte and comes at once; time-outs of synchronous calls.</summary>
public class StreamCancellationTests
{
    [Test]
    public async Task Read_WithACancelledToken_IsCancelledAndTakesNothing()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        await pair.Client.WriteAsync(new byte[] { 5 }).InTime();
        CancellationToken token = new(canceled: true);
        OperationCanceledException error = Assert.CatchAsync<OperationCanceledException>(
            async () => await pair.Server.ReadAsync(new byte[1], token).InTime())!;
        Assert.That(error.CancellationToken, Is.EqualTo(token));
        Assert.CatchAsync<OperationCanceledException>(async () => await pair.Server.WriteAsync(new byte[1], token));
        Assert.CatchAsync<OperationCanceledException>(async () => await pair.Server.FlushAsync(token));
        byte[] received = new byte[1];
        await pair.Server.ReadExactlyAsync(received).InTime();
        Assert.That(received[0], Is.EqualTo(5));
    }

    [Test]
    public async Task Read_ThatWaits_IsCancelledAtOnceWithTheCallersToken()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        using CancellationTokenSource source = new();
        ValueTask<int> reading = pair.Server.ReadAsync(new byte[1], source.Token);
        Stopwatch time = Stopwatch.StartNew();
        source.Cancel();
        OperationCanceledException error =
            Assert.CatchAsync<OperationCanceledException>(async () => await reading.InTime())!;
        Assert.That(error.CancellationToken, Is.EqualTo(source.Token));
        Assert.That(time.Elapsed, Is.LessThan(TimeSpan.FromSeconds(5)));
        await pair.Client.WriteAsync(new byte[] { 6 }).InTime();
        byte[] received = new byte[1];
        await pair.Server.ReadExactlyAsync(received).InTime();
        Assert.That(received[0], Is.EqualTo(6));
    }

    [Test]
    public async Task Write_ThatWaits_IsCancelled()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        using CancellationTokenSource source = new();
        ValueTask writing = pair.Server.WriteAsync(new byte[8 << 20], source.Token);
        Assert.That(writing.IsCompleted, Is.False);
        source.Cancel();
        Assert.CatchAsync<OperationCanceledException>(async () => await writing.InTime());
    }

    [Test]
    public async Task OneOfSeveralReads_IsCancelled_TheOthersGoOn()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        using CancellationTokenSource source = new();
        byte[] first = new byte[1];
        byte[] third = new byte[1];
        ValueTask<int> one = pair.Server.ReadAsync(first);
        ValueTask<int> two = pair.Server.ReadAsync(new byte[1], source.Token);
        ValueTask<int> three = pair.Server.ReadAsync(third);
        source.Cancel();
        Assert.CatchAsync<OperationCanceledException>(async () => await two.InTime());
        await pair.Client.WriteAsync(new byte[] { 1, 3 }).InTime();
        Assert.That(await one.InTime() + await three.InTime(), Is.EqualTo(2));
        Assert.That(new[] { first[0], third[0] }, Is.EqualTo(new byte[] { 1, 3 }));
    }

    [Test]
    public async Task ManyReadsOfOneStream_AreCancelledInLittleTime()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        using CancellationTokenSource source = new();
        byte[] one = new byte[1];
        Task<int>[] reads = [.. Enumerable.Range(0, RunningSystem.Rounds(40_000, underWine: 10_000))
            .Select(_ => pair.Server.ReadAsync(one, 0, 1, source.Token))];
        TimeSpan before = ThreadTime.Used;
        source.Cancel();
        Assert.That(ThreadTime.Used - before, Is.LessThan(TimeSpan.FromSeconds(1)));
        foreach (Task<int> read in reads)
        {
            Assert.CatchAsync<OperationCanceledException>(() => read.InTime());
        }
    }

    [Test]
    public async Task WhatIsBehindAWrite_GoesOnWhenThatIsGivenUp_ThoughThePeerReadsNothing([Values] bool timesOut)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        using CancellationTokenSource source = new();
        pair.Server.WriteTimeout = 200;
        Task writing = timesOut
            ? Task.Run(() => pair.Server.Write(new byte[8 << 20]))
            : pair.Server.WriteAsync(new byte[8 << 20], source.Token).AsTask();
        Task behind = Task.CompletedTask; // it does nothing, and does that at once if nothing waits before it
        Deadline.WaitFor(() => !(behind = pair.Server.WriteAsync(Memory<byte>.Empty).AsTask()).IsCompleted, "a write that waits");
        source.Cancel();
        Assert.CatchAsync(() => writing.InTime());
        await behind.InTime();
    }

    [Test]
    public async Task Cancellations_RacedAgainstData_LoseAndDoubleNoByte([Values] bool inline)
    {
        int rounds = RunningSystem.Rounds(20_000, underWine: 1_000);
        await using NamedPipeEventLoop loop = new(new NamedPipeEventLoopOptions { UnsafeRunContinuationsInline = inline });
        using StreamPair pair = await StreamPair.NewAsync(loop);
        byte[] buffer = new byte[8];
        byte expected = 0;
        int cancelled = 0;
        int spins = 0;
        for (int round = 0; round < rounds; round++)
        {
            using CancellationTokenSource source = new();
            Task<int> reading = pair.Server.ReadAsync(buffer.AsMemory(0, 1), source.Token).AsTask();
            Task cancelling = Task.Run(() =>
            {
                Thread.SpinWait(spins);
                source.Cancel();
            });
            await pair.Client.WriteAsync(new[] { (byte)round });
            try
            {
                Assert.That(await reading.InTime(), Is.EqualTo(1));
                spins = Math.Max(0, spins - 1); // towards the balance of both
            }
            catch (OperationCanceledException)
            {
                cancelled++;
                spins = Math.Min(10_000, spins + 10);
                Assert.That(await pair.Server.ReadAsync(buffer.AsMemory(0, 1)).InTime(), Is.EqualTo(1));
            }

            Assert.That(buffer[0], Is.EqualTo(expected++));
            await cancelling.InTime();
        }

        Assert.That(cancelled, Is.InRange(1, rounds - 1), "the race had two outcomes");
    }

    [Test]
    public async Task SynchronousRead_ThatTimesOut_TakesNothing()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        pair.Server.ReadTimeout = 30;
        NamedPipeException error = Assert.Throws<NamedPipeException>(() => pair.Server.ReadByte())!;
        Assert.That(error.Error, Is.EqualTo(NamedPipeError.TimedOut));
        await pair.Client.WriteAsync(new byte[] { 9 }).InTime();
        pair.Server.ReadTimeout = Timeout.Infinite;
        Assert.That(pair.Server.ReadByte(), Is.EqualTo(9));
    }

    [Test]
    public async Task SynchronousRead_ThatIsInterrupted_TakesNothing()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] buffer = new byte[1];
        Thread? thread = null;
        TestThread reading = TestThread.Start(() =>
        {
            Volatile.Write(ref thread, Thread.CurrentThread);
            Assert.Throws<ThreadInterruptedException>(() => _ = pair.Server.Read(buffer, 0, 1));
        });
        Deadline.WaitFor(() => Volatile.Read(ref thread) is not null, "the thread's begin");
        thread!.Interrupt(); // in the read, or before it, which is the same
        reading.Join();
        await pair.Client.WriteAsync(new byte[] { 9 }).InTime();
        byte[] next = new byte[1];
        Assert.That(await pair.Server.ReadAsync(next).InTime(), Is.EqualTo(1));
        Assert.That((buffer[0], next[0]), Is.EqualTo(((byte)0, (byte)9)));
    }

    [Test]
    public async Task SynchronousWrite_ThatTimesOut_SaysSo()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        pair.Server.WriteTimeout = 30;
        NamedPipeException error = Assert.Throws<NamedPipeException>(() => pair.Server.Write(new byte[8 << 20]))!;
        Assert.That(error.Error, Is.EqualTo(NamedPipeError.TimedOut));
    }
}
