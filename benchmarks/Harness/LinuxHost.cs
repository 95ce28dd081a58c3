namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>Linux, natively.</summary>
internal sealed class LinuxHost : IHost
{
    private readonly string _programs;

    public LinuxHost()
    {
        string machine = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant();
        _programs = NativePrograms.Build("linux-" + machine, "linux-release");
        bool traced = CommandLine.Exists("strace");
        CallCounter = traced ? new StraceCounter(this) : null;
        CallCounterNote = traced ? null : "system calls are not counted: strace is not installed";
    }

    public string Os => "linux";

    public bool HasSocketPipes => true;

    public bool HasProcessorTime => true;

    public TimeSpan AnswerTime => TimeSpan.FromSeconds(30);

    public ICallCounter? CallCounter { get; }

    public string? CallCounterNote { get; }

    public CommandLine CommandFor(string who) => who switch
    {
        Contender.Floor => new CommandLine(Path.Combine(_programs, "bench_floor")),
        Contender.OursC => new CommandLine(Path.Combine(_programs, "bench_ours")),
        _ => ManagedChild.Command(who),
    };

    public long? PrivateMemory(int processId) => ProcFile.PrivateMemory(processId);

    public void Dispose()
    {
        // Nothing is left behind.
    }
}
