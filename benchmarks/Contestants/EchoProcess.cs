using System.Diagnostics;
using System.Globalization;
using NamedPipeShim.Benchmarks.Harness;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>A process with an <see cref="EchoServer"/>, seen from its client.</summary>
internal sealed class EchoProcess : IDisposable
{
    private static readonly TimeSpan s_answerTime = TimeSpan.FromSeconds(60);

    private readonly Process _process;

    public EchoProcess(string who)
    {
        CommandLine command = ManagedChild.Command(EchoServer.Argument, who);
        _process = Process.Start(new ProcessStartInfo(command.Program, command.Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        }) ?? throw new BenchmarkException($"{command.Program} did not start");
    }

    /// <summary>Returns when a client can connect.</summary>
    public async Task BeginAsync(string name, Play play)
    {
        await _process.StandardInput.WriteAsync(string.Create(
            CultureInfo.InvariantCulture, $"{name} {play.Size} {play.Warmup} {play.Operations}\n")).ConfigureAwait(false);
        await _process.StandardInput.FlushAsync().ConfigureAwait(false);
        _ = await LineAsync().ConfigureAwait(false);
    }

    public async Task<Measure> EndAsync()
    {
        string[] words = (await LineAsync().ConfigureAwait(false)).Split(' ');
        return new Measure(Number(words[0]), Number(words[1]), Number(words[2]));
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private async Task<string> LineAsync() =>
        await _process.StandardOutput.ReadLineAsync().WaitAsync(s_answerTime).ConfigureAwait(false)
        ?? throw new BenchmarkException("the server's process ended");

    private static long Number(string word) => long.Parse(word.TrimEnd('\r'), CultureInfo.InvariantCulture);
}
