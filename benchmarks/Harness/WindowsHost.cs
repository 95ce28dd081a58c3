using System.Diagnostics;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>Windows, natively.</summary>
internal sealed class WindowsHost : IHost
{
    private readonly string _programs;

    public WindowsHost()
    {
        string machine = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant();
        _programs = NativePrograms.Build("win-" + machine, "msvc");
    }

    public string Os => "windows";

    public bool HasSocketPipes => false;

    public bool HasProcessorTime => true;

    public TimeSpan AnswerTime => TimeSpan.FromSeconds(30);

    public ICallCounter? CallCounter => null;

    public string? CallCounterNote => "system calls are not counted on Windows";

    public CommandLine CommandFor(string who) => who switch
    {
        Contender.Floor => new CommandLine(Path.Combine(_programs, "bench_floor.exe")),
        Contender.OursC => new CommandLine(Path.Combine(_programs, "bench_ours.exe")),
        _ => ManagedChild.Command(who),
    };

    public long? PrivateMemory(int processId)
    {
        using var process = Process.GetProcessById(processId);
        return process.PrivateMemorySize64;
    }

    public void Dispose()
    {
        // Nothing is left behind.
    }
}
