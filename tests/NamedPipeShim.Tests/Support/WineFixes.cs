using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NamedPipeShim.Tests.Support;

/// <summary>Loads tests/wine/wine_clr_fixes.c, without which .NET is not reliable under Wine.</summary>
internal static partial class WineFixes
{
    private const int Installed = 1;

    [ModuleInitializer]
    internal static void Install()
    {
        if (RunningSystem.IsWine && InstallNative() is int result and not Installed)
        {
            throw new InvalidOperationException($"wine_clr_fixes.dll could not do its work: {result}.");
        }
    }

    [LibraryImport("wine_clr_fixes", EntryPoint = "wine_clr_fixes_install")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int InstallNative();
}
