using System.Diagnostics;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>What the timed part of a play took: time, and what the whole process allocated on the managed heap.</summary>
internal readonly record struct Measure(long Nanoseconds, long AllocatedBytes)
{
    /// <summary>Where a timed part begins.</summary>
    public readonly struct Start
    {
        private readonly long _allocated;
        private readonly long _ticks;

        private Start(long allocated, long ticks)
        {
            _allocated = allocated;
            _ticks = ticks;
        }

        public static Start Now() => new(GC.GetTotalAllocatedBytes(precise: true), Stopwatch.GetTimestamp());

        public Measure End()
        {
            TimeSpan elapsed = Stopwatch.GetElapsedTime(_ticks);
            return new Measure((long)elapsed.TotalNanoseconds, GC.GetTotalAllocatedBytes(precise: true) - _allocated);
        }
    }
}
