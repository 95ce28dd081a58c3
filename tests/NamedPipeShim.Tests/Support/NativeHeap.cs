using System.Runtime.InteropServices;

namespace NamedPipeShim.Tests.Support;

/// <summary>What the C library's heap has given out, on Linux with glibc.</summary>
internal static partial class NativeHeap
{
    /// <summary>Bytes in use, in all arenas; null: this C library does not tell.</summary>
    public static long? BytesInUse()
    {
        try
        {
            Info info = Query();
            return (long)(info.InUse + info.Mapped);
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial Info Query();

    // struct mallinfo2: arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost
    [StructLayout(LayoutKind.Sequential)]
    private struct Info
    {
        public nuint Arena;
        public nuint FreeChunks;
        public nuint FreeFast;
        public nuint MappedRegions;
        public nuint Mapped;
        public nuint Unused;
        public nuint FreeFastBytes;
        public nuint InUse;
        public nuint Free;
        public nuint Releasable;
    }
}
