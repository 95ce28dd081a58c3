using NamedPipeShim.Benchmarks.Contestants;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>A contender in one case: how many operations it plays, and what it took.</summary>
internal sealed class Entry(Contender contender)
{
    public Contender Contender => contender;

    public long Operations { get; set; }

    public List<Measure> Measures { get; } = [];

    public string? Failure { get; set; }

    public static string NameOf(BenchmarkCase benchmarkCase) => benchmarkCase.Scenario.Name();

    public Result ToResult(BenchmarkCase benchmarkCase, IHost host)
    {
        double? microseconds = Failure is null ? Median(measure => measure.Nanoseconds) / Operations / 1e3 : null;
        bool managed = contender.Who is not (Contender.Floor or Contender.OursC);
        return new Result
        {
            Who = contender.Who,
            Variant = contender.Variant,
            Os = host.Os,
            Scenario = NameOf(benchmarkCase),
            Size = benchmarkCase.Size,
            Pipes = benchmarkCase.Pipes,
            UsPerOp = Round(microseconds, 3),
            CpuUsPerOp = Failure is null && host.HasProcessorTime
                ? Round(Median(measure => measure.ProcessorNanoseconds) / Operations / 1e3, 3)
                : null,
            MbPerS = benchmarkCase.Scenario == Scenario.Connect ? null : Round(benchmarkCase.Size / microseconds, 1),
            BytesAllocatedPerOp = managed && Failure is null
                ? Round(Median(measure => measure.AllocatedBytes) / Operations, 2)
                : null,
            P99Us = managed && Failure is null && benchmarkCase.Scenario.IsAsync()
                ? Round(Median(measure => measure.P99Nanoseconds) / 1e3, 3)
                : null,
            Note = Failure,
        };
    }

    private static double? Round(double? value, int digits) => value is { } number ? Math.Round(number, digits) : null;

    private double Median(Func<Measure, long> value)
    {
        long[] sorted = [.. Measures.Select(value).Order()];
        return sorted.Length % 2 == 1
            ? sorted[sorted.Length / 2]
            : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2.0;
    }
}
