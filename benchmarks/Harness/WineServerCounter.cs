using System.Diagnostics;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>
/// Requests to Wine's server, which stand for system calls: a server that logs them runs in the foreground, and the
/// lines that name a request are counted while a contestant plays.
/// </summary>
internal sealed class WineServerCounter(WineHost host) : ICallCounter
{
    private const int Warmup = 64;

    public double[] Count(Contender contender, IReadOnlyList<BenchmarkCase> cases)
    {
        string file = Path.Combine(host.Folder, "requests.txt");
        host.StopServer();
        using Process server = StartServer(file);
        try
        {
            // The first program brings Wine's services up; what their threads ask from then on is not the contestant's.
            _ = host.Tool("wine", "cmd", "/c", "exit").Run(host.AnswerTime);
            using var log = new RequestLog(file);
            log.IgnoreThreadsSoFar();
            using var child = new Child(host.CommandFor(contender.Who).With("DOTNET_TieredCompilation", "0"));
            return [.. cases.Select(benchmarkCase => Count(child, log, contender, benchmarkCase))];
        }
        finally
        {
            host.StopServer();
            if (!server.WaitForExit(TimeSpan.FromSeconds(10)))
            {
                server.Kill();
            }

            File.Delete(file);
        }
    }

    private double Count(Child child, RequestLog log, Contender contender, BenchmarkCase benchmarkCase)
    {
        long operations = Math.Max(256, benchmarkCase.Pipes * 2L);
        long once = 0;
        long twice = 0;
        foreach (long count in (long[])[operations, operations, 2 * operations])
        {
            _ = log.Count();
            _ = child.Ask(benchmarkCase.ToPlay(contender, Warmup, count), host.AnswerTime);
            once = twice;
            twice = log.Count();
        }

        return (double)(twice - once) / operations;
    }

    private Process StartServer(string file)
    {
        // The shell gives the server its log and becomes it.
        CommandLine command = host.Tool("sh", "-c", "exec wineserver -f -d1 -p 2>\"$1\"", "sh", file);
        var start = new ProcessStartInfo(command.Program, command.Arguments) { UseShellExecute = false };
        foreach ((string name, string value) in command.Environment)
        {
            start.Environment[name] = value;
        }

        Process server = Process.Start(start)!;
        long deadline = Environment.TickCount64 + (long)host.AnswerTime.TotalMilliseconds;
        while (!File.Exists(file))
        {
            if (server.HasExited || Environment.TickCount64 > deadline)
            {
                throw new BenchmarkException("wineserver does not start");
            }

            Thread.Yield();
        }

        return server;
    }
}
