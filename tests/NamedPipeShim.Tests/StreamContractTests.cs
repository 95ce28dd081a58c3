using System.Collections.Concurrent;
using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What every Stream owes: argument checks, directions, no seeking, behaviour at and after the end.</summary>
public class StreamContractTests
{
    [Test]
    public async Task BadArguments_AreRefused()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.Server;
        Assert.Throws<ArgumentNullException>(() => stream.ReadExactly(null!, 0, 0));
        Assert.Throws<ArgumentNullException>(() => stream.Write(null!, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.ReadExactly(new byte[1], -1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Write(new byte[1], -1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Write(new byte[1], 0, 2));
        Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => stream.WriteAsync(new byte[1], 1, 1, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.ReadTimeout = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.WriteTimeout = -2);
        Assert.Throws<ArgumentNullException>(() => _ = new NamedPipeStream(null!));
        Assert.ThrowsAsync<ArgumentNullException>(async () => await NamedPipeStream.ConnectAsync((NamedPipeClientOptions)null!));
    }

    [Test]
    public async Task BadArguments_AreRefusedByEveryOverload()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.Server;
        Action<byte[], int, int>[] calls =
        [
            (buffer, offset, count) => _ = stream.Read(buffer, offset, count),
            (buffer, offset, count) => stream.Write(buffer, offset, count),
            (buffer, offset, count) => _ = stream.ReadAsync(buffer, offset, count, default),
            (buffer, offset, count) => _ = stream.WriteAsync(buffer, offset, count, default),
            (buffer, offset, count) => _ = stream.BeginRead(buffer, offset, count, null, null),
            (buffer, offset, count) => _ = stream.BeginWrite(buffer, offset, count, null, null),
            (buffer, offset, count) => stream.ReadExactly(buffer, offset, count),
        ];
        for (int i = 0; i < calls.Length; i++)
        {
            Action<byte[], int, int> call = calls[i];
            Assert.Throws<ArgumentNullException>(() => call(null!, 0, 0), $"call {i}");
            Assert.Throws<ArgumentOutOfRangeException>(() => call(new byte[5], -1, 1), $"call {i}");
            Assert.Throws<ArgumentOutOfRangeException>(() => call(new byte[5], 0, -1), $"call {i}");
            Assert.Throws<ArgumentOutOfRangeException>(() => call(new byte[5], 0, 6), $"call {i}");
            Assert.Throws<ArgumentOutOfRangeException>(() => call(new byte[5], 5, 1), $"call {i}");
            Assert.Throws<ArgumentOutOfRangeException>(() => call(new byte[5], 2, int.MaxValue), $"call {i}");
        }

        Assert.Throws<ArgumentNullException>(() => stream.EndRead(null!));
        Assert.Throws<ArgumentNullException>(() => stream.EndWrite(null!));
        Assert.Throws<ArgumentNullException>(() => stream.CopyTo(null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.CopyTo(new MemoryStream(), 0));
        Assert.Throws<ArgumentNullException>(() => _ = stream.CopyToAsync(null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => _ = stream.CopyToAsync(new MemoryStream(), -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.ReadTimeout = -2);
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.WriteTimeout = 0);
        stream.ReadTimeout = stream.WriteTimeout = Timeout.Infinite;
        stream.ReadTimeout = stream.WriteTimeout = 77;
        Assert.That((stream.ReadTimeout, stream.WriteTimeout), Is.EqualTo((77, 77)));
    }

    [Test]
    public async Task AfterDispose_EveryMemberSaysSo()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.Client;
        stream.Dispose();
        byte[] buffer = new byte[4];
        Action[] calls =
        [
            () => _ = stream.Read(buffer, 0, 4),
            () => _ = stream.Read(buffer.AsSpan()),
            () => _ = stream.Read([]),
            () => _ = stream.ReadByte(),
            () => stream.ReadExactly(buffer),
            () => _ = stream.ReadAtLeast(buffer, 1),
            () => stream.Write(buffer, 0, 4),
            () => stream.Write(buffer.AsSpan()),
            () => stream.Write([]),
            () => stream.WriteByte(1),
            stream.Flush,
            stream.CompleteWrites,
            () => stream.CopyTo(new MemoryStream()),
            () => _ = stream.Peer,
            () => _ = stream.SafePipeHandle,
        ];
        for (int i = 0; i < calls.Length; i++)
        {
            Assert.That(calls[i], Throws.InstanceOf<ObjectDisposedException>(), $"call {i}");
        }

        Func<Task>[] tasks =
        [
            () => stream.ReadAsync(buffer, 0, 4, default),
            () => stream.ReadAsync(buffer).AsTask(),
            () => stream.ReadAsync(Memory<byte>.Empty).AsTask(),
            () => stream.ReadExactlyAsync(buffer).AsTask(),
            () => stream.ReadAtLeastAsync(buffer, 1).AsTask(),
            () => stream.WriteAsync(buffer, 0, 4),
            () => stream.WriteAsync(buffer).AsTask(),
            () => stream.WriteAsync(ReadOnlyMemory<byte>.Empty).AsTask(),
            () => stream.WriteAsync(Segments.Chain(buffer, 2, 2)).AsTask(),
            () => stream.FlushAsync(),
            () => stream.DrainAsync().AsTask(),
            () => stream.CompleteWritesAsync().AsTask(),
            () => stream.CopyToAsync(new MemoryStream()),
            () => Task.Factory.FromAsync(stream.BeginRead, stream.EndRead, buffer, 0, 4, null),
            () => Task.Factory.FromAsync(stream.BeginWrite, stream.EndWrite, buffer, 0, 4, null),
        ];
        for (int i = 0; i < tasks.Length; i++)
        {
            Func<Task> call = tasks[i];
            Assert.ThrowsAsync(Is.InstanceOf<ObjectDisposedException>(), () => call().InTime(), $"task {i}");
        }

        Assert.That((stream.CanRead, stream.CanWrite, stream.CanSeek, stream.CanTimeout, stream.IsConnected),
            Is.EqualTo((false, false, false, true, false)));
        Assert.That(stream.Name, Is.Not.Null);
        stream.Abort();
        stream.Close();
    }

    [Test]
    public async Task CopyTo_EndsWithThePeer([Values] bool asynchronously, [Values(1, 100, 81_920)] int bufferSize)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] bytes = Pattern.Of(3_000);
        using MemoryStream copy = new();
        Task copying = asynchronously
            ? pair.Server.CopyToAsync(copy, bufferSize)
            : Task.Run(() => pair.Server.CopyTo(copy, bufferSize));
        using MemoryStream source = new(bytes);
        await source.CopyToAsync(pair.Client, bufferSize).InTime(); // and the other way: into the pipe
        await pair.Client.DisposeAsync().InTime();
        await copying.InTime();
        Assert.That(copy.ToArray(), Is.EqualTo(bytes));
        using CancellationTokenSource cancelled = new();
        cancelled.Cancel();
        Assert.CatchAsync<OperationCanceledException>(() => pair.Server.CopyToAsync(copy, bufferSize, cancelled.Token));
    }

    [Test]
    public async Task ReadExactlyAndAtLeast_CrossTheirParts()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] bytes = Pattern.Of(10);
        byte[] received = new byte[10];
        ValueTask<int> reading = pair.Server.ReadAtLeastAsync(received, 5);
        await pair.Client.WriteAsync(bytes.AsMemory(0, 2)).InTime();
        await pair.Client.WriteAsync(bytes.AsMemory(2, 3)).InTime();
        int have = await reading.InTime();
        Assert.That(have, Is.EqualTo(5));
        await pair.Client.WriteAsync(bytes.AsMemory(5)).InTime();
        await pair.Client.DisposeAsync().InTime();
        await pair.Server.ReadExactlyAsync(received.AsMemory(5)).InTime();
        Assert.That(received, Is.EqualTo(bytes));
        Assert.ThrowsAsync<EndOfStreamException>(async () => await pair.Server.ReadExactlyAsync(received).InTime());
        Assert.That(await pair.Server.ReadAtLeastAsync(received, 5, throwOnEndOfStream: false).InTime(), Is.Zero);
    }

    [Test]
    public async Task AResult_IsGivenOnce()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        ValueTask<int> reading = pair.Server.ReadAsync(new byte[1]);
        await pair.Client.WriteAsync(new byte[1]).InTime();
        Assert.That(await reading.InTime(), Is.EqualTo(1));
#pragma warning disable CA2012 // that is the point
        Assert.Throws<InvalidOperationException>(() => reading.GetAwaiter().GetResult());
#pragma warning restore CA2012
    }

    [Test]
    public async Task Continuations_GoWhereTheyBelong([Values] bool scheduler, [Values] bool captured)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        using OwnThread own = new();
        Task<bool> reading = scheduler
            ? Task.Factory.StartNew(
                () => ReadAndTell(pair.Server, own, captured), CancellationToken.None, TaskCreationOptions.None, own.Scheduler).Unwrap()
            : own.Run(() => ReadAndTell(pair.Server, own, captured));
        await own.Run(() => Task.FromResult(true)).InTime(); // the read waits by now
        await pair.Client.WriteAsync(new byte[1]).InTime();
        Assert.That(await reading.InTime(), Is.EqualTo(captured));
    }

    [Test]
    public async Task Dispose_FromManyThreads_EndsEveryReadAndWrite()
    {
        for (int round = 0; round < RunningSystem.Rounds(100, underWine: 10); round++)
        {
            using StreamPair pair = await StreamPair.NewAsync();
            Task[] users =
            [
                .. Enumerable.Range(0, 3).Select(_ => Task.Run(() => UseUntilDisposedAsync(pair.Server, reads: true))),
                .. Enumerable.Range(0, 3).Select(_ => Task.Run(() => UseUntilDisposedAsync(pair.Server, reads: false))),
                Task.Run(() => pair.Client.CopyToAsync(Stream.Null)),
            ];
            await pair.Client.WriteAsync(new byte[100]).InTime();
            await Task.WhenAll(
                Task.Run(pair.Server.Dispose), Task.Run(pair.Server.Abort), Task.Run(() => pair.Server.DisposeAsync().AsTask())).InTime();
            await Task.WhenAll(users).InTime();
        }
    }

    [Test]
    public async Task Timeouts_BoundSynchronousCallsAlone()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        pair.Server.ReadTimeout = 1;
        ValueTask<int> reading = pair.Server.ReadAsync(new byte[1]);
        NamedPipeException error = Assert.Throws<NamedPipeException>(() => pair.Server.ReadByte())!;
        Assert.That(error.Error, Is.EqualTo(NamedPipeError.TimedOut));
        Assert.That(reading.IsCompleted, Is.False);
        await pair.Client.WriteAsync(new byte[1]).InTime();
        Assert.That(await reading.InTime(), Is.EqualTo(1));
    }

    [Test]
    public async Task Seeking_IsNotSupported()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.Client;
        Assert.That(stream.CanSeek, Is.False);
        Assert.That(stream.CanTimeout, Is.True);
        Assert.Throws<NotSupportedException>(() => _ = stream.Length);
        Assert.Throws<NotSupportedException>(() => _ = stream.Position);
        Assert.Throws<NotSupportedException>(() => stream.Position = 1);
        Assert.Throws<NotSupportedException>(() => stream.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => stream.SetLength(1));
    }

    [Test]
    public async Task ZeroLengthCalls_DoNothing()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        await pair.Server.WriteAsync(ReadOnlyMemory<byte>.Empty).InTime();
        pair.Server.Write([]);
        Assert.That(pair.Server.IsConnected, Is.True);
    }

    [Test]
    public async Task OneWayStreams_SayWhatTheyCannotDo()
    {
        using StreamPair pair = await StreamPair.NewAsync(
            new NamedPipeServerOptions { Name = PipeNames.New(), Direction = PipeDirection.In });
        Assert.That((pair.Server.CanRead, pair.Server.CanWrite), Is.EqualTo((true, false)));
        Assert.That((pair.Client.CanRead, pair.Client.CanWrite), Is.EqualTo((false, true)));
        Assert.ThrowsAsync<NotSupportedException>(async () => await pair.Server.WriteAsync(new byte[1]));
        Assert.ThrowsAsync<NotSupportedException>(async () => await pair.Client.ReadAsync(new byte[1]).InTime());
        await pair.Client.WriteAsync(new byte[] { 1 }).InTime();
        Assert.That(await pair.Server.ReadAsync(new byte[5]).InTime(), Is.EqualTo(1));
    }

    [Test]
    public async Task AfterDispose_EverythingSaysDisposed([Values] bool aborted)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.Server;
        if (aborted)
        {
            stream.Abort();
        }

        stream.Dispose();
        stream.Dispose();
        await stream.DisposeAsync().InTime();
        Assert.That((stream.CanRead, stream.CanWrite, stream.IsConnected), Is.EqualTo((false, false, false)));
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.ReadAsync(new byte[1]).InTime());
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.WriteAsync(new byte[1]));
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.FlushAsync());
        Assert.Throws<ObjectDisposedException>(() => stream.ReadByte());
        Assert.Throws<ObjectDisposedException>(() => stream.WriteByte(1));
        Assert.Throws<ObjectDisposedException>(() => stream.Flush());
    }

    [Test]
    public async Task Dispose_EndsWhatWaits([Values] bool aborted)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        ValueTask<int> first = pair.Server.ReadAsync(new byte[1]);
        ValueTask<int> second = pair.Server.ReadAsync(new byte[1]);
        ValueTask writing = pair.Server.WriteAsync(new byte[8 << 20]);
        Task blocked = Task.Run(() => pair.Client.ReadExactly(new byte[64 << 20]));
        if (aborted)
        {
            pair.Server.Abort();
        }
        else
        {
            pair.Server.Dispose();
        }

        Assert.ThrowsAsync<ObjectDisposedException>(async () => await first.InTime());
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await second.InTime());
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await writing.InTime());
        Assert.ThrowsAsync<EndOfStreamException>(() => blocked.InTime());
    }

    [Test]
    public async Task WrittenBytes_ArriveAfterDispose([Values] bool asynchronously)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] bytes = Pattern.Of(60_000);
        await pair.Client.WriteAsync(bytes).InTime();
        if (asynchronously)
        {
            await pair.Client.DisposeAsync().InTime();
        }
        else
        {
            pair.Client.Dispose();
        }

        byte[] received = new byte[bytes.Length];
        await pair.Server.ReadExactlyAsync(received).InTime();
        Assert.That(received, Is.EqualTo(bytes));
        Assert.That(await pair.Server.ReadAsync(received).InTime(), Is.Zero);
    }

    [Test]
    public void APipeOfAnotherPoller_IsRefused()
    {
        using NamedPipePoller poller = new();
        using NamedPipe pipe = NamedPipe.CreateServer(PipeNames.New());
        pipe.Register(poller, 1, PipeInterest.Both);
        Assert.Throws<InvalidOperationException>(() => _ = new NamedPipeStream(pipe));
    }

    [Test]
    public async Task AStreamThatItsProgramForgot_IsCollectedAndItsPeerSeesTheEnd()
    {
        await using NamedPipeEventLoop loop = new();
        NamedPipeStream client = await ForgetServer(loop);
        ValueTask<int> reading = client.ReadAsync(new byte[1]);
        await Task.Yield(); // off the stack of what knew the other stream
        Deadline.WaitFor(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return reading.IsCompleted;
            },
            "the end of the stream");
        Assert.That(await reading, Is.Zero);
        client.Dispose();
    }

    private static async Task<NamedPipeStream> ForgetServer(NamedPipeEventLoop loop)
    {
        StreamPair pair = await StreamPair.NewAsync(loop);
        return pair.Client;
    }

    private static async Task<bool> ReadAndTell(NamedPipeStream stream, OwnThread own, bool captured)
    {
        Assert.That(await stream.ReadAsync(new byte[1]).ConfigureAwait(captured), Is.EqualTo(1));
        return own.IsCurrent;
    }

    private static async Task UseUntilDisposedAsync(NamedPipeStream stream, bool reads)
    {
        byte[] buffer = new byte[50_000];
        try
        {
            while (true)
            {
                if (reads)
                {
                    _ = await stream.ReadAsync(buffer.AsMemory(0, 1));
                }
                else
                {
                    await stream.WriteAsync(buffer);
                }
            }
        }
        catch (ObjectDisposedException)
        {
            // As it should end.
        }
    }

    /// <summary>A thread with a synchronisation context of its own, which is also a scheduler.</summary>
    private sealed class OwnThread : SynchronizationContext, IDisposable
    {
        private readonly BlockingCollection<(SendOrPostCallback Work, object? State)> _posted = [];
        private readonly Thread _thread;

        public OwnThread()
        {
            _thread = new Thread(Work);
            _thread.Start();
            Scheduler = Run(() => Task.FromResult(TaskScheduler.FromCurrentSynchronizationContext())).GetAwaiter().GetResult();
        }

        public TaskScheduler Scheduler { get; }

        public bool IsCurrent => Thread.CurrentThread == _thread;

        public Task<T> Run<T>(Func<Task<T>> work)
        {
            TaskCompletionSource<T> ended = new();
            Post(
                _ => _ = work().ContinueWith(
                    task => ended.SetFromTask(task), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default),
                null);
            return ended.Task;
        }

        public override void Post(SendOrPostCallback d, object? state) => _posted.Add((d, state));

        public void Dispose()
        {
            _posted.CompleteAdding();
            _thread.Join();
            _posted.Dispose();
        }

        private void Work()
        {
            SetSynchronizationContext(this);
            foreach ((SendOrPostCallback work, object? state) in _posted.GetConsumingEnumerable())
            {
                work(state);
            }
        }
    }
}
