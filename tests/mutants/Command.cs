using System.Diagnostics;

namespace NamedPipeShim.Mutants;

/// <summary>How a program ended: on its own, or because it said enough, was silent too long, or took too long.</summary>
internal sealed record CommandResult(int ExitCode, bool TimedOut, string? Failure, string Output);

/// <summary>Runs programs that may hang, spin or eat memory: each within limits, and ended with what it started.</summary>
internal static class Command
{
    private const int AddressSpaceKib = 4_000_000;

    /// <summary>A tool of ours, which must succeed.</summary>
    public static string Tool(TimeSpan time, string folder, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        CommandResult result = Run(time, null, folder, environment, arguments, _ => null);
        return result is { ExitCode: 0, TimedOut: false }
            ? result.Output
            : throw new MutantsException($"{string.Join(' ', arguments)} failed ({result.ExitCode}):\n{result.Output}");
    }

    /// <summary>
    /// Runs a program until it ends, `failure` makes something of a line that it prints, it sleeps and says nothing (a machine
    /// that is busy with other things is no reason to end it), or `time` is over. `seconds`: of the processor, 0 without limit; null: a tool, which is not watched.
    /// </summary>
    public static CommandResult Run(TimeSpan time, int? seconds, string folder,
        IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> arguments, Func<string, string?> failure)
    {
        string limits = seconds is null or 0 ? "" : $"ulimit -t {seconds}; ulimit -v {AddressSpaceKib}; ";
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"ulimit -c 0; {limits}exec \"$@\" 2>&1 </dev/null", "sh", .. arguments])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            WorkingDirectory = folder,
        };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        using Process process = Process.Start(start)!;
        using var reader = new OutputReader(process, failure);
        long began = Stopwatch.GetTimestamp();
        var rest = new Rest();
        bool timedOut = false;
        while (!process.WaitForExit(20))
        {
            timedOut = Stopwatch.GetElapsedTime(began) > time || (seconds != null && rest.Is(process, reader.Silence));
            if (timedOut || reader.Failure != null)
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit(TimeSpan.FromSeconds(5));
                break;
            }
        }

        string output = reader.End();
        return new CommandResult(process.HasExited ? process.ExitCode : -1, timedOut, reader.Failure, output);
    }
}
