namespace NamedPipeShim.Mutants;

/// <summary>Wine's folder for this run: the caller's, or one of our own that goes with us.</summary>
internal sealed class WinePrefix : IDisposable
{
    private static readonly TimeSpan s_time = TimeSpan.FromMinutes(2);

    private readonly bool _ours = Environment.GetEnvironmentVariable("WINEPREFIX") is null or "";

    public WinePrefix(string folder)
    {
        Variables = new Dictionary<string, string> { ["WINEDEBUG"] = "-all", ["WINEDLLOVERRIDES"] = "winedbg.exe=d" };
        if (_ours)
        {
            Variables["WINEPREFIX"] = Path.Combine(folder, "wine");
            Variables["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/lib/wine"; // where Debian keeps wineserver
            _ = Directory.CreateDirectory(Variables["WINEPREFIX"]);
            _ = Command.Tool(s_time, folder, Variables, "wineboot", "-i");
            _ = Command.Tool(s_time, folder, Variables, "wineserver", "-w");
            _ = Command.Tool(s_time, folder, Variables, "wine", "winecfg", "/v", "win10");
        }
    }

    public Dictionary<string, string> Variables { get; }

    public void Dispose()
    {
        if (_ours)
        {
            _ = Command.Run(s_time, null, "/", Variables, ["wineserver", "-k"], _ => null);
            _ = Command.Run(s_time, null, "/", Variables, ["wineserver", "-w"], _ => null);
        }
    }
}
