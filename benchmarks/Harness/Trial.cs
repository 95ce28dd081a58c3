using NamedPipeShim.Benchmarks.Contestants;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>
/// <c>async-blocked</c> and <c>async-allocations</c>: each contender, in a process of its own, once or a few times; medians.
/// </summary>
internal sealed class Trial(IHost host)
{
    private const long AllocationOperations = 1_000_000;
    private const int BlockedRepetitions = 5;

    private static readonly TimeSpan s_allocationTime = TimeSpan.FromMinutes(10);

    public IEnumerable<Result> Run(BenchmarkCase benchmarkCase)
    {
        bool blocked = benchmarkCase.Scenario == Scenario.AsyncBlocked;
        foreach (Contender contender in Contender.For(benchmarkCase.Scenario, host))
        {
            Console.Error.WriteLine($"{Entry.NameOf(benchmarkCase)}: {contender.Who}");
            List<Measure> measures = [];
            string? failure = null;
            try
            {
                using var child = new Child(host.CommandFor(contender.Who));
                Play play = benchmarkCase.ToPlay(
                    contender, AllocationOperations / 50, blocked ? benchmarkCase.Pipes : AllocationOperations);
                for (int i = 0; i < (blocked ? BlockedRepetitions : 1); i++)
                {
                    measures.Add(child.Ask(play, blocked ? host.AnswerTime : s_allocationTime));
                }
            }
            catch (BenchmarkException exception)
            {
                failure = exception.Message;
            }

            yield return ToResult(benchmarkCase, contender, measures, failure);
        }
    }

    private Result ToResult(BenchmarkCase benchmarkCase, Contender contender, List<Measure> measures, string? failure)
    {
        bool blocked = benchmarkCase.Scenario == Scenario.AsyncBlocked;
        bool good = failure is null;
        long[] p99 = [.. measures.Select(measure => measure.P99Nanoseconds).Order()];
        return new Result
        {
            Who = contender.Who,
            Variant = contender.Variant,
            Os = host.Os,
            Scenario = Entry.NameOf(benchmarkCase),
            Size = benchmarkCase.Size,
            Pipes = benchmarkCase.Pipes,
            P99Us = good && blocked ? Math.Round(p99[p99.Length / 2] / 1e3, 3) : null,
            UsPerOp = good && !blocked ? Math.Round(measures[0].Nanoseconds / 1e3 / AllocationOperations, 3) : null,
            BytesAllocated = good && !blocked ? measures[0].AllocatedBytes : null,
            Note = failure,
        };
    }
}
