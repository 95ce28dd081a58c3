using System.Diagnostics;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>How a process is started.</summary>
internal sealed record CommandLine(
    string Program, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment)
{
    public CommandLine(string program, params string[] arguments)
        : this(program, arguments, new Dictionary<string, string>())
    {
    }

    /// <summary>The same command, started by another program.</summary>
    public CommandLine Under(string program, params string[] arguments) =>
        this with { Program = program, Arguments = [.. arguments, Program, .. Arguments] };

    public CommandLine With(string name, string value) =>
        this with { Environment = new Dictionary<string, string>(Environment) { [name] = value } };

    /// <summary>Runs it to its end and returns what it wrote.</summary>
    /// <exception cref="BenchmarkException">It is missing, failed, or took too long.</exception>
    public string Run(TimeSpan time)
    {
        var start = new ProcessStartInfo(Program, Arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach ((string name, string value) in Environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            Task<string> error = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(time))
            {
                process.Kill(entireProcessTree: true);
                throw new BenchmarkException($"{Program} took longer than {time.TotalSeconds:0} s");
            }

            // What it started may keep the streams open (wineserver does): the text so far is enough then.
            bool all = Task.WhenAll(output, error).Wait(TimeSpan.FromSeconds(2));
            string text = all ? output.Result + error.Result : "";
            return process.ExitCode == 0
                ? text
                : throw new BenchmarkException(
                    $"{Program} {string.Join(' ', Arguments)} failed ({process.ExitCode}):\n{text}");
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new BenchmarkException($"{Program} cannot be started: {exception.Message}");
        }
    }

    /// <summary>Whether a program is on the path.</summary>
    public static bool Exists(string program) =>
        (System.Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, OperatingSystem.IsWindows() ? program + ".exe" : program)));
}
