using System.Runtime.InteropServices;

namespace NamedPipeShim.Tests.Support;

/// <summary>What the tests run on, where that matters to them.</summary>
internal static class RunningSystem
{
    /// <summary>Whether this is Windows as Wine makes it: ntdll tells.</summary>
    public static bool IsWine { get; } = OperatingSystem.IsWindows()
        && NativeLibrary.TryLoad("ntdll.dll", out nint ntdll)
        && NativeLibrary.TryGetExport(ntdll, "wine_get_version", out _);

    /// <summary>Every system call is a round trip to Wine's server: so fewer rounds there.</summary>
    public static int Rounds(int many, int underWine) => IsWine ? underWine : many;
}
