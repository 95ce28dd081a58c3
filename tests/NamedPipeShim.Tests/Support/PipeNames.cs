namespace NamedPipeShim.Tests.Support;

internal static class PipeNames
{
    private static int s_count;

    /// <summary>A short name that nobody else has: of this process and this call.</summary>
    public static string New() => $"nps-test-{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}";

    /// <summary>Where System.IO.Pipes has a short name.</summary>
    public static string FullNameOf(string name) =>
        OperatingSystem.IsWindows() ? $@"\\.\pipe\{name}" : Path.Combine(Path.GetTempPath(), $"CoreFxPipe_{name}");
}
