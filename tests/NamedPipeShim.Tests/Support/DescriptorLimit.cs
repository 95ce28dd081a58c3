using System.Runtime.InteropServices;

namespace NamedPipeShim.Tests.Support;

/// <summary>How many descriptors this process may open on Linux.</summary>
internal static partial class DescriptorLimit
{
    private const int NumberOfFiles = 7; // RLIMIT_NOFILE

    /// <summary>Raises it to <paramref name="wanted"/> if the system lets us.</summary>
    /// <returns>The limit that holds then.</returns>
    public static long Raise(long wanted)
    {
        Limit limit = default;
        if (GetLimit(NumberOfFiles, ref limit) != 0)
        {
            return 0;
        }

        if ((long)limit.Soft < wanted)
        {
            Limit more = new() { Soft = (nuint)wanted, Hard = (nuint)Math.Max(wanted, (long)limit.Hard) };
            if (SetLimit(NumberOfFiles, ref more) == 0)
            {
                return wanted;
            }

            more = limit with { Soft = limit.Hard };
            return SetLimit(NumberOfFiles, ref more) == 0 ? (long)limit.Hard : (long)limit.Soft;
        }

        return (long)limit.Soft;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int GetLimit(int resource, ref Limit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int SetLimit(int resource, ref Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public nuint Soft;
        public nuint Hard;
    }
}
