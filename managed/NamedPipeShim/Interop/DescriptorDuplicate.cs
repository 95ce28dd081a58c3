using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace NamedPipeShim.Interop;

/// <summary>A second descriptor of the same socket. A SafePipeHandle of System.IO.Pipes on Unix wraps a Socket, which closes
/// the descriptor whatever becomes of the SafePipeHandle: so the descriptor itself cannot be taken away from it.</summary>
internal static partial class DescriptorDuplicate
{
    private const int FDuplicateCloseOnExec = 1030;

    /// <summary>Returns a close-on-exec duplicate, owned by the result; its handle is invalid if the system refused, and
    /// <paramref name="errno"/> says why.</summary>
    [SupportedOSPlatform("linux")]
    public static SafePipeHandle Of(SafePipeHandle source, out int errno)
    {
        bool added = false;
        source.DangerousAddRef(ref added);
        SafePipeHandle duplicate = new();
        int descriptor = FControl((int)source.DangerousGetHandle(), FDuplicateCloseOnExec, 0);
        errno = descriptor < 0 ? Marshal.GetLastSystemError() : 0;
        if (descriptor >= 0)
        {
            Marshal.InitHandle(duplicate, descriptor);
        }

        source.DangerousRelease();
        return duplicate;
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int FControl(int descriptor, int command, int argument);
}
