using System.Diagnostics;
using System.Globalization;
using NamedPipeShim.Benchmarks.Contestants;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>A contestant's process: a line in, a line out, each within a time.</summary>
internal sealed class Child : IDisposable
{
    private static readonly TimeSpan s_exitTime = TimeSpan.FromSeconds(10);

    private readonly Process _process;

    public Child(CommandLine command)
    {
        var start = new ProcessStartInfo(command.Program, command.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        foreach ((string name, string value) in command.Environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start) ?? throw new BenchmarkException($"{command.Program} did not start");
    }

    public int ProcessId => _process.Id;

    public Measure Ask(Play play, TimeSpan time) => Ask(play.ToLine(), time);

    public Measure Ask(string line, TimeSpan time)
    {
        string? answer;
        try
        {
            _process.StandardInput.Write(line + "\n");
            _process.StandardInput.Flush();
            answer = _process.StandardOutput.ReadLineAsync().WaitAsync(time).GetAwaiter().GetResult();
        }
        catch (TimeoutException)
        {
            throw new BenchmarkException($"no answer to \"{line}\" within {time.TotalSeconds:0} s");
        }
        catch (IOException)
        {
            answer = null;
        }

        string[] words = answer?.TrimEnd('\r').Split(' ') ?? [];
        return words is ["=", string nanoseconds, string allocated, string processor, .. string[] more]
            ? new Measure(
                Number(nanoseconds), Number(allocated), Number(processor), more.Length > 0 ? Number(more[0]) : 0)
            : throw new BenchmarkException($"\"{line}\": {answer ?? "the process ended"}");
    }

    private static long Number(string word) => long.Parse(word, CultureInfo.InvariantCulture);

    /// <summary>Lets the process come to its end by itself, so that a tracer finishes its file.</summary>
    public void Finish()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(s_exitTime))
        {
            throw new BenchmarkException("the process does not end");
        }
    }

    public void Dispose()
    {
        try
        {
            if (!_process.HasExited)
            {
                _process.StandardInput.Close();
                if (!_process.WaitForExit(s_exitTime))
                {
                    _process.Kill(entireProcessTree: true);
                    _process.WaitForExit();
                }
            }
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException)
        {
            // It ended meanwhile.
        }

        _process.Dispose();
    }
}
