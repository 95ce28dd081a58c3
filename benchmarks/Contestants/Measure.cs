using System.Diagnostics;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>
/// What the timed part of a play took: time by the clock, what the whole process allocated on the managed heap,
/// processor time of the whole process, and how long 99 of 100 operations took at most (0: not measured).
/// </summary>
internal readonly record struct Measure(long Nanoseconds, long AllocatedBytes, long ProcessorNanoseconds, long P99Nanoseconds = 0)
{
    /// <summary>Where a timed part begins.</summary>
    public readonly struct Start
    {
        private readonly long _allocated;
        private readonly TimeSpan _processor;
        private readonly long _ticks;

        private Start(long allocated, TimeSpan processor, long ticks)
        {
            _allocated = allocated;
            _processor = processor;
            _ticks = ticks;
        }

        public static Start Now() =>
            new(GC.GetTotalAllocatedBytes(precise: true), Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());

        public Measure End()
        {
            TimeSpan elapsed = Stopwatch.GetElapsedTime(_ticks);
            TimeSpan processor = Environment.CpuUsage.TotalTime - _processor;
            long allocated = GC.GetTotalAllocatedBytes(precise: true) - _allocated;
            return new Measure((long)elapsed.TotalNanoseconds, allocated, (long)processor.TotalNanoseconds);
        }
    }
}
