using NamedPipeShim.Benchmarks.Contestants;
using NamedPipeShim.Benchmarks.Harness;

namespace NamedPipeShim.Benchmarks;

/// <summary>The command line: see README.md.</summary>
internal static class Program
{
    private const string Usage = """
        benchmarks [--wine] [SCENARIO [SIZE [PIPES]]]
          SCENARIO  pingpong, stream, fanin, connect or idle; async-oneflow, async-pingpong, async-stream, async-fanin,
                    async-idle, async-blocked or async-allocations; without it all are played
          SIZE      bytes of a message: 64, 4096, 65536
          PIPES     fanin: 16, 128; async-fanin: 128
          --wine    on Linux: the Windows build, under Wine
        benchmarks allocations
          1,000,000 operations over the C# API, and what they allocated
        """;

    public static int Main(string[] args)
    {
        switch (args)
        {
            case [ManagedChild.Argument, string who]:
                return ChildLoop.Run(who);
            case [EchoServer.Argument, string who]:
                return EchoServer.Run(who);
            case ["allocations"]:
                return Allocations.Run();
        }

        bool wine = args.Contains("--wine");
        string[] words = [.. args.Where(arg => arg != "--wine")];
        Scenario? scenario = null;
        int? size = null;
        int? pipes = null;
        if (words.Length > 3 || (words.Length > 0 && !TryScenario(words[0], out scenario))
            || (words.Length > 1 && !TryNumber(words[1], 65536, out size))
            || (words.Length > 2 && !TryNumber(words[2], 4096, out pipes)))
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        try
        {
            using IHost host =
                wine ? new WineHost() : OperatingSystem.IsWindows() ? new WindowsHost() : new LinuxHost();
            using var runner = new Runner(host);
            runner.Run(BenchmarkCase.Select(scenario, size, pipes));
            return runner.Sound ? 0 : 1;
        }
        catch (BenchmarkException exception)
        {
            Console.Error.WriteLine(exception.Message);
            return 1;
        }
    }

    private static bool TryScenario(string word, out Scenario? scenario)
    {
        scenario = ScenarioExtensions.Parse(word);
        return scenario is not null;
    }

    private static bool TryNumber(string word, int limit, out int? number)
    {
        bool good = int.TryParse(word, out int value) && value >= 1 && value <= limit;
        number = good ? value : null;
        return good;
    }
}
