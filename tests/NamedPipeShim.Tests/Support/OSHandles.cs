using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NamedPipeShim.Tests.Support;

/// <summary>Whether a number is an open handle of this process.</summary>
internal static partial class OSHandles
{
    public static bool IsOpen(nint handle) =>
        OperatingSystem.IsWindows() ? GetHandleInformation(handle, out _) : File.Exists($"/proc/self/fd/{handle}");

    [LibraryImport("kernel32")]
    [SupportedOSPlatform("windows")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetHandleInformation(nint handle, out uint flags);
}
