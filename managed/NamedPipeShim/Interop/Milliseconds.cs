using NamedPipeShim.Generated;

namespace NamedPipeShim.Interop;

/// <summary>Times as the C ABI wants them: whole milliseconds, rounded up so that a wait is never cut short.</summary>
internal static class Milliseconds
{
    public static long From(TimeSpan time, string parameterName)
    {
        long ticks = time.Ticks;
        if (ticks < 0)
        {
            if (time != Timeout.InfiniteTimeSpan)
            {
                throw new ArgumentOutOfRangeException(
                    parameterName, time, "A time must not be negative, but for Timeout.InfiniteTimeSpan.");
            }

            return NativeMethods.NPS_FOREVER;
        }

        long whole = ticks / TimeSpan.TicksPerMillisecond;
        return ticks % TimeSpan.TicksPerMillisecond == 0 ? whole : whole + 1;
    }
}
