using System.Runtime.InteropServices;
using NamedPipeShim.Generated;

namespace NamedPipeShim.Interop;

/// <summary>Says clearly, at the first use, when the native library is missing or is not the one we were built for.</summary>
internal static class NativeLibraryCheck
{
    private static volatile bool s_passed;

    /// <summary>Called by everything that makes a native object; a call on an object needs no check of its own.</summary>
    public static void Ensure()
    {
        if (!s_passed)
        {
            Run();
            s_passed = true;
        }
    }

    private static void Run()
    {
        uint found;
        try
        {
            found = NativeMethods.nps_abi_version();
        }
        catch (DllNotFoundException e)
        {
            throw new DllNotFoundException(
                $"NamedPipeShim needs its native library {FileName} beside NamedPipeShim.dll, built for "
                + $"{RuntimeInformation.RuntimeIdentifier}; it was not found, or something that it needs was not. "
                + $"Looked in: {AppContext.BaseDirectory}", e);
        }
        catch (BadImageFormatException e)
        {
            throw new DllNotFoundException(
                $"The native library {FileName} that was found is for another processor or system than this process "
                + $"({RuntimeInformation.RuntimeIdentifier}).", e);
        }
        catch (EntryPointNotFoundException e)
        {
            throw new DllNotFoundException(
                $"A library called {FileName} was found, but it is not NamedPipeShim's: it has no nps_abi_version.", e);
        }

        if (found != NativeMethods.NPS_ABI_VERSION)
        {
            throw new DllNotFoundException(
                $"The native library {FileName} that was found has ABI version {found}; this NamedPipeShim.dll needs "
                + $"{NativeMethods.NPS_ABI_VERSION}. Deploy both from one build.");
        }
    }

    private static string FileName => OperatingSystem.IsWindows() ? "nps.dll" : "libnps.so";
}
