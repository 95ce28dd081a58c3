using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Cancellations raced against data, by threads of the test's own: no byte lost or doubled, and each in time.</summary>
public class StreamRaceTests
{
    private const int Flows = 4;
    private const int MostAhead = 32;

    private static readonly TimeSpan s_bar = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(100);

    // A machine that has no time for all of the cancellations in this does fewer; how many is printed.
    private static readonly TimeSpan s_enough = TimeSpan.FromSeconds(60);

    [Test]
    public async Task Reads_CancelledWhileBytesCome_LoseAndDoubleNone([Values] bool inline)
    {
        int cancellations = RunningSystem.Rounds(25_000, underWine: 1_000) / Flows;
        await using NamedPipeEventLoop loop = new(new NamedPipeEventLoopOptions { UnsafeRunContinuationsInline = inline });
        using Cancelling cancelling = new();
        await Task.WhenAll(Enumerable.Range(0, Flows).Select(_ => Task.Run(async () =>
        {
            using StreamPair pair = await StreamPair.NewAsync(loop);
            using CancellationTokenSource enough = new();
            Counts counts = new();
            Task<long> writing = Task.Run(() => WriteBytesAsync(pair.Client, counts, enough.Token));
            await ReadAndCancelAsync(pair.Server, counts, cancelling, cancellations);
            enough.Cancel();
            long sent = await writing;
            await pair.Client.DisposeAsync();
            byte[] rest = new byte[64];
            for (int count; (count = await pair.Server.ReadAsync(rest)) > 0; counts.Bytes += count)
            {
                Pattern.Verify(rest.AsSpan(0, count), 0, counts.Bytes);
            }

            Assert.That(counts.Bytes, Is.EqualTo(sent));
            Assert.That(counts.Completed, Is.GreaterThan(0), "the race had two outcomes");
        }))).WaitAsync(s_limit);
        cancelling.Judge(cancellations * Flows);
    }

    [Test]
    public async Task Writes_CancelledWhileThePeerReads_AreSentWholeOrNotAtAll([Values] bool inline)
    {
        int cancellations = RunningSystem.Rounds(25_000, underWine: 1_000) / Flows;
        await using NamedPipeEventLoop loop = new(new NamedPipeEventLoopOptions { UnsafeRunContinuationsInline = inline });
        using Cancelling cancelling = new();
        await Task.WhenAll(Enumerable.Range(0, Flows).Select(_ => Task.Run(async () =>
        {
            using StreamPair pair = await StreamPair.NewOfMessagesAsync(loop: loop);
            Task<long> reading = Task.Run(() => ReadNumbersAsync(pair.Server));
            long sent = await WriteAndCancelAsync(pair.Client, cancelling, cancellations);
            await pair.Client.DisposeAsync();
            Assert.That(await reading, Is.EqualTo(sent));
        }))).WaitAsync(s_limit);
        cancelling.Judge(cancellations * Flows);
    }

    private static async Task ReadAndCancelAsync(
        NamedPipeStream stream, Counts counts, Cancelling cancelling, int cancellations)
    {
        byte[] buffer = new byte[16];
        while (counts.Cancelled < cancellations && cancelling.HasTime())
        {
            Cancellation cancellation = cancelling.Next();
            try
            {
                ValueTask<int> reading = stream.ReadAsync(buffer, cancellation.Token);
                cancellation.Watch(() => reading.IsCompleted);
                int count = await reading.ConfigureAwait(false);
                Pattern.Verify(buffer.AsSpan(0, count), 0, counts.Bytes);
                counts.Bytes += count;
                counts.Completed++;
                cancelling.Later(cancellation);
            }
            catch (OperationCanceledException)
            {
                counts.Cancelled++;
                cancelling.Took(cancellation);
            }
        }
    }

    // Never far ahead of the reader: a read that finds data does not wait, and cannot be cancelled.
    private static async Task<long> WriteBytesAsync(NamedPipeStream stream, Counts counts, CancellationToken enough)
    {
        byte[] bytes = Pattern.Of(1 << 20);
        long sent = 0;
        while (!enough.IsCancellationRequested)
        {
            if (sent - counts.Bytes > MostAhead)
            {
                await Task.Yield();
                continue;
            }

            // Pattern.Of repeats nothing: so what is sent is made for its place.
            int count = (int)(sent % 13) + 1;
            ReadOnlyMemory<byte> chunk = sent + count <= bytes.Length
                ? bytes.AsMemory((int)sent, count)
                : Enumerable.Range(0, count).Select(i => Pattern.At(sent + i, 0)).ToArray();
            await stream.WriteAsync(chunk, CancellationToken.None).ConfigureAwait(false);
            sent += count;
            await Task.Yield();
        }

        return sent;
    }

    private static async Task<long> WriteAndCancelAsync(NamedPipeStream stream, Cancelling cancelling, int cancellations)
    {
        byte[] message = new byte[4_000];
        long sent = 0;
        for (int cancelled = 0; cancelled < cancellations && cancelling.HasTime();)
        {
            BinaryPrimitives.WriteInt64LittleEndian(message, sent);
            Cancellation cancellation = cancelling.Next();
            try
            {
                ValueTask writing = stream.WriteAsync(message, cancellation.Token);
                cancellation.Watch(() => writing.IsCompleted);
                await writing.ConfigureAwait(false);
                sent++;
                cancelling.Later(cancellation);
            }
            catch (OperationCanceledException)
            {
                cancelled++;
                cancelling.Took(cancellation);
            }
        }

        return sent;
    }

    private static async Task<long> ReadNumbersAsync(NamedPipeStream stream)
    {
        byte[] message = new byte[8_000];
        for (long number = 0; ; number++)
        {
            PipeReadResult result = await stream.ReadMessageAsync(message).ConfigureAwait(false);
            int count = result.Count;
            while (!result.EndOfMessage && !result.EndOfStream)
            {
                result = await stream.ReadMessageAsync(message.AsMemory(count)).ConfigureAwait(false);
                count += result.Count;
            }

            if (result.EndOfStream)
            {
                return number;
            }

            await Task.Yield(); // slower than the writer: so that writes wait
            Assert.That((count, BinaryPrimitives.ReadInt64LittleEndian(message)), Is.EqualTo((4_000, number)));
        }
    }

    private sealed class Counts
    {
        private long _bytes;

        public long Bytes
        {
            get => Volatile.Read(ref _bytes);
            set => Volatile.Write(ref _bytes, value);
        }

        public int Completed { get; set; }

        public int Cancelled { get; set; }
    }

    /// <summary>One operation's token, and what became of it.</summary>
    private sealed class Cancellation : CancellationTokenSource
    {
        private Func<bool>? _hasEnded;

        /// <summary>Stopwatch ticks before and after <see cref="Cancel"/>.</summary>
        public long Begin { get; private set; }

        public long End { get; private set; }

        /// <summary>Set once nobody needs the cancellation any more.</summary>
        public bool Over { get; set; }

        /// <summary>Whether the operation was under way before <see cref="Cancel"/> and had not ended when it returned.</summary>
        public bool WasLeftWaiting { get; private set; }

        /// <summary>The operation is under way: its registration with the token was made.</summary>
        public void Watch(Func<bool> hasEnded) => Volatile.Write(ref _hasEnded, hasEnded);

        public new void Cancel()
        {
            Func<bool>? hasEnded = Volatile.Read(ref _hasEnded);
            Begin = Stopwatch.GetTimestamp();
            base.Cancel();
            End = Stopwatch.GetTimestamp();
            WasLeftWaiting = hasEnded is not null && !HasEnded(hasEnded);
        }

        // The operation is used again as soon as who awaits it has its result: then it does not know its former user any more. Asked in
        // that very moment it may say "pending", and knows better the next time.
        private static bool HasEnded(Func<bool> hasEnded)
        {
            try
            {
                return hasEnded() || hasEnded();
            }
            catch (InvalidOperationException)
            {
                return true;
            }
        }
    }

    /// <summary>Two threads that cancel what they are given a little later: about when the operation ends by itself.</summary>
    /// <remarks>
    /// The bar, ended within 50 ms of Cancel, is judged by what a busy machine cannot change. An operation that is cancelled ends inside
    /// the call of Cancel, on the thread that calls it: so it has ended when that returns, which is counted, every time, and would be
    /// counted at once if the end waited for a timer or for the loop. That the call itself does not wait is seen from its
    /// time, of all but the slowest hundredth: those are the ones in which the scheduler took the processor away, which it does once
    /// in some milliseconds, and a call takes some microseconds. When the continuation then gets a processor is the machine's matter; that
    /// time is printed.
    /// </remarks>
    private sealed class Cancelling : IDisposable
    {
        private const double JudgedPart = 0.99;
        private const int LeastPart = 25;

        private readonly long _begin = Stopwatch.GetTimestamp();
        private readonly BlockingCollection<Cancellation> _given = [];
        private readonly ConcurrentBag<Cancellation> _seen = [];
        private readonly Thread[] _threads;
        private int _spins = 100;
        private bool _ranOut;
        private int _took;
        private int _late;
        private long _longest;

        public Cancelling()
        {
            _threads = [new Thread(Run), new Thread(Run)];
            Array.ForEach(_threads, thread => thread.Start());
        }

        public bool HasTime()
        {
            bool has = Stopwatch.GetElapsedTime(_begin) < s_enough;
            if (!has)
            {
                Volatile.Write(ref _ranOut, true);
            }

            return has;
        }

        public Cancellation Next()
        {
            Cancellation one = new();
            _given.Add(one);
            return one;
        }

        // It came too late: what waits to be cancelled behind it is not to come later still.
        public void Later(Cancellation cancellation)
        {
            cancellation.Over = true;
            _spins = Math.Max(1, _spins - 1);
        }

        public void Took(Cancellation cancellation)
        {
            long ticks = Stopwatch.GetTimestamp() - cancellation.Begin;
            Interlocked.Increment(ref _took);
            _seen.Add(cancellation);
            if (Stopwatch.GetElapsedTime(0, ticks) > s_bar)
            {
                Interlocked.Increment(ref _late);
            }

            long seen;
            while (ticks > (seen = Interlocked.Read(ref _longest))
                && Interlocked.CompareExchange(ref _longest, ticks, seen) != seen)
            {
            }

            _spins = Math.Min(3_000, _spins + 3);
        }

        /// <summary>After the last operation; ends the threads, so that each call of Cancel has returned.</summary>
        public void Judge(int expected)
        {
            End();
            TimeSpan[] calls = [.. _seen.Select(one => Stopwatch.GetElapsedTime(one.Begin, one.End)).Order()];
            TimeSpan judged = calls[(int)(JudgedPart * (calls.Length - 1))];
            TestContext.Out.WriteLine(
                $"{_took} cancellations; Cancel took {judged.TotalMilliseconds:0.000} ms at most in {JudgedPart:0 %} of them;" +
                $" until the continuation ran {Stopwatch.GetElapsedTime(0, _longest).TotalMilliseconds:0.0} ms at most," +
                $" more than {s_bar.TotalMilliseconds} ms in {_late}");
            Assert.That(_took, _ranOut ? Is.AtLeast(expected / LeastPart) : Is.EqualTo(expected));
            Assert.That(_seen.Count(one => one.WasLeftWaiting), Is.Zero, "ended only after Cancel had returned");
            Assert.That(judged, Is.LessThan(s_bar));
        }

        public void Dispose()
        {
            End();
            _given.Dispose();
        }

        private void End()
        {
            _given.CompleteAdding();
            Array.ForEach(_threads, thread => thread.Join());
        }

        private void Run()
        {
            foreach (Cancellation one in _given.GetConsumingEnumerable())
            {
                if (one.Over)
                {
                    continue;
                }

                Thread.SpinWait(Volatile.Read(ref _spins));
                one.Cancel();
            }
        }
    }
}
