namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>
/// Counts calls per operation: a contestant plays N and then 2N operations; the difference over N is free of what
/// opening, closing and warming up cost.
/// </summary>
internal interface ICallCounter
{
    /// <summary>One count for each case that the contender plays, in their order.</summary>
    double[] Count(Contender contender, IReadOnlyList<BenchmarkCase> cases);
}
