namespace NamedPipeShim.Samples.Transfer;

/// <summary>Names come from another process and are not trusted.</summary>
internal static class ReceivedName
{
    private const int LongestShown = 200;

    private static readonly char[] s_separators = ['/', '\\'];

    private static readonly char[] s_invalid = Path.GetInvalidFileNameChars();

    /// <summary>Reduces a name to its last part, whichever system's separators it has.</summary>
    /// <returns>False: no file may have that name here.</returns>
    public static bool TryMakeSafe(string received, out string name)
    {
        name = received[(received.LastIndexOfAny(s_separators) + 1)..];
        return name is not ("" or "." or "..")
            && !name.Any(char.IsControl)
            && name.IndexOfAny(s_invalid) < 0
            && !(OperatingSystem.IsWindows() && MeansSomethingElseOnWindows(name));
    }

    /// <summary>The name, or its beginning, as it may be shown on a terminal.</summary>
    public static string ForDisplay(string received) =>
        string.Concat(received.Take(LongestShown).Select(c => char.IsControl(c) ? '?' : c));

    // Devices exist in every folder, with any extension; dots and spaces at the end are cut off.
    private static bool MeansSomethingElseOnWindows(string name)
    {
        if (name[^1] is '.' or ' ')
        {
            return true;
        }

        string stem = name.Split('.')[0].TrimEnd().ToUpperInvariant();
        return stem is "CON" or "PRN" or "AUX" or "NUL" or "CONIN$" or "CONOUT$"
            || (stem.Length == 4 && (stem.StartsWith("COM", StringComparison.Ordinal) || stem.StartsWith("LPT", StringComparison.Ordinal))
                && stem[3] is (>= '0' and <= '9') or '¹' or '²' or '³');
    }
}
