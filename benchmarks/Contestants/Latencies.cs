using System.Diagnostics;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>How long each operation took. Made before the timed part, so that nothing is allocated in it; may be added to by
/// several tasks at once.</summary>
internal sealed class Latencies(long operations)
{
    private readonly long[] _ticks = new long[operations];
    private int _count;

    /// <summary>An operation that began at <paramref name="start"/>, a time stamp, is over.</summary>
    public void Add(long start)
    {
        int at = Interlocked.Increment(ref _count) - 1;
        if (at < _ticks.Length)
        {
            _ticks[at] = Stopwatch.GetTimestamp() - start;
        }
    }

    /// <summary>Forgets what was added.</summary>
    public void Clear() => Volatile.Write(ref _count, 0);

    /// <summary>The time that 99 of 100 did not exceed.</summary>
    public long P99Nanoseconds()
    {
        int count = Math.Min(_count, _ticks.Length);
        if (count == 0)
        {
            return 0;
        }

        Array.Sort(_ticks, 0, count);
        long ticks = _ticks[Math.Min(count - 1, (int)(count * 0.99))];
        return (long)(ticks * (1e9 / Stopwatch.Frequency));
    }
}
