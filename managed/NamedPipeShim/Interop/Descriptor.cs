using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace NamedPipeShim.Interop;

/// <summary>What a descriptor needs when it changes between System.IO.Pipes and us.</summary>
[SupportedOSPlatform("linux")]
internal static partial class Descriptor
{
    /// <summary>EBADF.</summary>
    public const int NotOpen = 9;

    // <fcntl.h> of Linux on x64, arm64 and riscv64.
    private const int DuplicateCloseOnExec = 1030;
    private const int GetFlags = 3;
    private const int SetFlags = 4;
    private const int NonBlocking = 0x800;

    /// <summary>
    /// Returns a close-on-exec duplicate, owned by the result; its handle is invalid if the system refused, and
    /// <paramref name="errno"/> says why. A SafePipeHandle of System.IO.Pipes on Unix wraps a Socket, which closes the
    /// descriptor whatever becomes of the SafePipeHandle: the descriptor itself cannot be taken away from it.
    /// </summary>
    public static SafePipeHandle Duplicate(SafePipeHandle source, out int errno)
    {
        SafePipeHandle duplicate = new();
        bool added = false;
        source.DangerousAddRef(ref added);
        int descriptor = Control((int)source.DangerousGetHandle(), DuplicateCloseOnExec, 0);
        errno = descriptor < 0 ? Marshal.GetLastPInvokeError() : 0;
        source.DangerousRelease();
        if (descriptor >= 0)
        {
            Marshal.InitHandle(duplicate, descriptor);
        }

        return duplicate;
    }

    /// <summary>Makes the socket block, as System.IO.Pipes expects of a handle that it is given.</summary>
    public static void MakeBlocking(nint descriptor)
    {
        int flags = Control((int)descriptor, GetFlags, 0);
        if (flags >= 0)
        {
            _ = Control((int)descriptor, SetFlags, flags & ~NonBlocking);
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int descriptor, int command, int argument);
}
