using System.Diagnostics;

namespace NamedPipeShim.Tests.Support;

/// <summary>This very program in another process, which is told by its environment what it is to be; a module initializer looks.</summary>
internal static class ThisProgram
{
    public static Process Start(string variable, string value)
    {
        string program = typeof(ThisProgram).Assembly.Location;
        ProcessStartInfo start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo(Path.ChangeExtension(program, ".exe"))
            : new ProcessStartInfo("dotnet", ["exec", program]);
        start.UseShellExecute = false;
        start.Environment[variable] = value;
        return Process.Start(start)!;
    }
}
