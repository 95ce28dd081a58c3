using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NamedPipeShim.Tests.Support;

/// <summary>How many handles (Windows) or descriptors (Linux) this process has open.</summary>
internal static partial class ProcessHandles
{
    public static int Count() => OperatingSystem.IsWindows()
        ? CountOnWindows()
        : Directory.GetFileSystemEntries("/proc/self/fd").Length;

    /// <summary>Waits until no more are open than before, give or take what the runtime opens for itself meanwhile.</summary>
    public static void AwaitAtMost(int before, int slack = 8) =>
        Deadline.WaitFor(() => Count() <= before + slack, $"Going back to {before} open handles (now {Count()})");

    [SupportedOSPlatform("windows")]
    private static int CountOnWindows() =>
        GetProcessHandleCount(-1, out uint count) ? (int)count : throw new Win32Exception();

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetProcessHandleCount(nint process, out uint count);
}
