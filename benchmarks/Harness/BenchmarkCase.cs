using NamedPipeShim.Benchmarks.Contestants;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>A row of the benchmark: a scenario, a message size, a number of pipes.</summary>
internal sealed record BenchmarkCase(Scenario Scenario, int Size, int Pipes)
{
    private static readonly BenchmarkCase[] s_all =
    [
        new(Scenario.Pingpong, 64, 1),
        new(Scenario.Pingpong, 4096, 1),
        new(Scenario.Pingpong, 65536, 1),
        new(Scenario.Stream, 64, 1),
        new(Scenario.Stream, 4096, 1),
        new(Scenario.Stream, 65536, 1),
        new(Scenario.Fanin, 64, 16),
        new(Scenario.Fanin, 64, 128),
        new(Scenario.Connect, 1, 1),
        new(Scenario.Idle, 0, 0),
        new(Scenario.AsyncOneflow, 64, 1),
        new(Scenario.AsyncPingpong, 64, 1),
        new(Scenario.AsyncStream, 65536, 1),
        new(Scenario.AsyncFanin, 64, 128),
        new(Scenario.AsyncIdle, 0, 0),
        new(Scenario.AsyncBlocked, 64, 18),
        new(Scenario.AsyncAllocations, 8192, 1),
    ];

    /// <summary>The cases that <c>[SCENARIO [SIZE [PIPES]]]</c> selects; one that is not in the list is made.</summary>
    public static IReadOnlyList<BenchmarkCase> Select(Scenario? scenario, int? size, int? pipes)
    {
        if (scenario is not { } wanted)
        {
            return s_all;
        }

        BenchmarkCase[] found = [.. s_all.Where(c =>
            c.Scenario == wanted && (size is null || size == c.Size) && (pipes is null || pipes == c.Pipes))];
        if (found.Length > 0 || wanted is Scenario.Connect || wanted.IsIdle() || wanted.IsTrial())
        {
            return found.Length > 0 ? found : [.. s_all.Where(c => c.Scenario == wanted)];
        }

        int count = pipes ?? 1;
        if (wanted is Scenario.Fanin && pipes is null)
        {
            return [new(wanted, size ?? 64, 16), new(wanted, size ?? 64, 128)];
        }

        return [new(wanted, size ?? 64, wanted.IsFanin() ? count : 1)];
    }

    public Play ToPlay(Contender contender, long warmup, long operations) =>
        new(contender.Variant, contender.Who == Contender.Floor ? Scenario.WithoutStreams() : Scenario, Size, Pipes, Play.Whole(warmup, Pipes), Play.Whole(operations, Pipes));
}
