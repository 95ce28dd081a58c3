using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NamedPipeShim.Tests.Support;

/// <summary>How much processor time the calling thread has used; other threads, as the compiler's, do not count.</summary>
internal static partial class ThreadTime
{
    private const int ClockOfThread = 3; // CLOCK_THREAD_CPUTIME_ID
    private const nint CurrentThread = -2;

    public static TimeSpan Used => OperatingSystem.IsWindows() ? UsedOnWindows() : UsedOnLinux();

    [SupportedOSPlatform("windows")]
    private static TimeSpan UsedOnWindows() => GetThreadTimes(CurrentThread, out _, out _, out long kernel, out long user)
        ? TimeSpan.FromTicks(kernel + user)
        : throw new Win32Exception();

    private static TimeSpan UsedOnLinux() => ClockGetTime(ClockOfThread, out TimeSpecification time) == 0
        ? TimeSpan.FromSeconds((long)time.Seconds) + TimeSpan.FromMicroseconds((long)time.Nanoseconds / 1_000)
        : throw new InvalidOperationException("clock_gettime failed.");

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetThreadTimes(nint thread, out long creation, out long exit, out long kernel, out long user);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ClockGetTime(int clock, out TimeSpecification time);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TimeSpecification(nint Seconds, nint Nanoseconds);
}
