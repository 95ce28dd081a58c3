using System.Diagnostics;

namespace NamedPipeShim.Tests.Support;

/// <summary>A moment by which something must have happened. Tests wait for conditions; this bounds the waiting.</summary>
internal readonly struct Deadline
{
    /// <summary>What a step of a test may take on a slow, busy machine. A step that works takes milliseconds.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromSeconds(25);

    private readonly long _start;
    private readonly TimeSpan _time;

    private Deadline(TimeSpan time)
    {
        _start = Stopwatch.GetTimestamp();
        _time = time;
    }

    public TimeSpan Left => _time - Stopwatch.GetElapsedTime(_start) is { Ticks: > 0 } left ? left : TimeSpan.Zero;

    public static Deadline New() => new(Step);

    public void Check(string what)
    {
        if (Left == TimeSpan.Zero)
        {
            Assert.Fail($"{what} did not happen within {_time.TotalSeconds} s.");
        }
    }

    /// <summary>For what raises no event: looks again and again, giving the processor away in between.</summary>
    public static void WaitFor(Func<bool> condition, string what)
    {
        Deadline deadline = New();
        while (!condition())
        {
            deadline.Check(what);
            Thread.Yield();
        }
    }
}
