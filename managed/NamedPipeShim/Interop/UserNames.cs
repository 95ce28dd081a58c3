using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Principal;

namespace NamedPipeShim.Interop;

/// <summary>Names of users, as far as they can be had without asking another machine.</summary>
internal static partial class UserNames
{
    /// <summary>The name of a user that the native library has told; null: it would have to be looked for.</summary>
    public static string? Of(string userId)
    {
        if (OperatingSystem.IsWindows())
        {
            return OnWindows(userId);
        }

        return userId == EffectiveUser().ToString(CultureInfo.InvariantCulture) ? Environment.UserName
            : userId == "0" ? "root"
            : null;
    }

    [SupportedOSPlatform("windows")]
    private static string? OnWindows(string sid)
    {
        using WindowsIdentity own = WindowsIdentity.GetCurrent();
        return own.User?.Value == sid ? own.Name : null;
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint EffectiveUser();
}
