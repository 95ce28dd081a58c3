namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>
/// The Windows build under Wine: publishes this program for win-x64 into a temporary folder and runs everything under a
/// Wine prefix of its own there; both are gone at the end.
/// </summary>
internal sealed class WineHost : IHost
{
    private static readonly TimeSpan s_setupTime = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("nps-bench-wine-").FullName;
    private readonly string _programs;
    private readonly Dictionary<string, string> _environment;

    public WineHost()
    {
        if (!CommandLine.Exists("wine") || !CommandLine.Exists("wineserver"))
        {
            throw new BenchmarkException("--wine needs Wine: install it (Debian or Ubuntu: apt-get install wine)");
        }

        _environment = new Dictionary<string, string>
        {
            ["WINEPREFIX"] = Path.Combine(_folder, "prefix"),
            ["WINEDEBUG"] = "-all",
            ["WINEDLLOVERRIDES"] = "winedbg.exe=d",
            // What .NET needs under Wine, and a first generation so large that no collection has to stop a running thread.
            ["DOTNET_EnableWriteXorExecute"] = "0",
            ["DOTNET_TieredCompilation"] = "0",
            ["DOTNET_gcConcurrent"] = "0",
            ["DOTNET_GCgen0size"] = "10000000",
        };
        try
        {
            _programs = NativePrograms.Build("win-x64", "mingw-release");
            Publish();
            SetUpPrefix();
        }
        catch
        {
            Dispose();
            throw;
        }

        CallCounter = new WineServerCounter(this);
    }

    public string Os => "windows (wine)";

    public bool HasSocketPipes => false;

    public bool HasProcessorTime => false;

    public TimeSpan AnswerTime => TimeSpan.FromSeconds(60);

    public ICallCounter? CallCounter { get; }

    public string? CallCounterNote => null;

    /// <summary>For a file that lives as long as the host.</summary>
    public string Folder => _folder;

    public CommandLine CommandFor(string who) => new("wine", who switch
    {
        Contender.Floor => [Path.Combine(_programs, "bench_floor.exe")],
        Contender.OursC => [Path.Combine(_programs, "bench_ours.exe")],
        _ => [Path.Combine(_folder, "published", "benchmarks.exe"), ManagedChild.Argument, who],
    }, _environment);

    /// <summary>A command of Wine's, in this prefix.</summary>
    public CommandLine Tool(string program, params string[] arguments) => new(program, arguments, _environment);

    /// <summary>The child is the largest process below the one that was started: wine may be a script.</summary>
    public long? PrivateMemory(int processId) => ProcFile.Tree(processId).Max(ProcFile.PrivateMemory);

    /// <summary>Ends this prefix's Wine, and waits until it has.</summary>
    public void StopServer()
    {
        try
        {
            _ = Tool("wineserver", "-k").Run(s_setupTime);
        }
        catch (BenchmarkException)
        {
            // None is running.
        }

        _ = Tool("wineserver", "-w").Run(s_setupTime);
    }

    public void Dispose()
    {
        if (Directory.Exists(_environment["WINEPREFIX"]))
        {
            StopServer();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private void Publish() => _ = new CommandLine("dotnet", "publish",
        Path.Combine(NativePrograms.Root, "benchmarks", "benchmarks.csproj"), "-c", "Release", "-r", "win-x64",
        "--self-contained", "-v", "quiet", "-o", Path.Combine(_folder, "published")).Run(TimeSpan.FromMinutes(5));

    private void SetUpPrefix()
    {
        Directory.CreateDirectory(_environment["WINEPREFIX"]);
        _ = Tool("wineboot", "-i").Run(s_setupTime);
        _ = Tool("wineserver", "-w").Run(s_setupTime);
        _ = Tool("wine", "winecfg", "/v", "win10").Run(s_setupTime);
        _ = Tool("wineserver", "-w").Run(s_setupTime);
    }
}
