using System.Globalization;

namespace NamedPipeShim.Samples.Transfer;

/// <summary>Numbers for people.</summary>
internal static class Text
{
    private static readonly string[] s_units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

    /// <summary>A number of bytes, in powers of 1000: <c>10.4 MB</c>.</summary>
    public static string Size(double bytes)
    {
        int unit = 0;
        while (bytes >= 1000 && unit < s_units.Length - 1)
        {
            bytes /= 1000;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{bytes:0.#} {s_units[unit]}");
    }

    /// <summary>How much in what time, and how fast that was: <c>10.4 MB in 0.020 s, 520 MB/s</c>.</summary>
    public static string Speed(long bytes, TimeSpan elapsed)
    {
        double seconds = Math.Max(elapsed.TotalSeconds, 1e-6);
        return string.Create(CultureInfo.InvariantCulture, $"{Size(bytes)} in {seconds:0.000} s, {Size(bytes / seconds)}/s");
    }

    public static string Hash(byte[] hash) => Convert.ToHexStringLower(hash);
}
