namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>
/// System calls by strace. One traced process plays every case three times (N, N and 2N); each answer is one write,
/// which marks its place in the trace. The first play of a case is not used: start and JIT are in it.
/// </summary>
internal sealed class StraceCounter(IHost host) : ICallCounter
{
    private const string Marker = ", \"= ";
    private const int Warmup = 64;

    public double[] Count(Contender contender, IReadOnlyList<BenchmarkCase> cases)
    {
        string file = Path.GetTempFileName();
        try
        {
            // Without tiers, the JIT is done after the first play; what it compiles makes no other system calls.
            CommandLine command = host.CommandFor(contender.Who).With("DOTNET_TieredCompilation", "0")
                .Under("strace", "-f", "-qq", "-s", "16", "-o", file);
            using (var child = new Child(command))
            {
                foreach (BenchmarkCase benchmarkCase in cases)
                {
                    long operations = Operations(benchmarkCase);
                    foreach (long count in (long[])[operations, operations, 2 * operations])
                    {
                        _ = child.Ask(benchmarkCase.ToPlay(contender, Warmup, count), host.AnswerTime);
                    }
                }

                child.Finish();
            }

            long[] plays = CallsPerPlay(file);
            if (plays.Length != cases.Count * 3)
            {
                throw new BenchmarkException($"strace shows {plays.Length} answers, not {cases.Count * 3}");
            }

            return [.. cases.Select((benchmarkCase, i) =>
                (double)(plays[i * 3 + 2] - plays[i * 3 + 1]) / Operations(benchmarkCase))];
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static long Operations(BenchmarkCase benchmarkCase) => Math.Max(1024, benchmarkCase.Pipes * 32L);

    /// <summary>Lines of the trace that begin a call, up to each answer.</summary>
    private static long[] CallsPerPlay(string file)
    {
        List<long> plays = [];
        long calls = 0;
        foreach (string line in File.ReadLines(file))
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            string call = line[(space + 1)..].TrimStart();
            if (call.StartsWith("write(", StringComparison.Ordinal) && call.Contains(Marker, StringComparison.Ordinal))
            {
                plays.Add(calls);
                calls = 0;
            }
            else if (call.Length > 0 && (char.IsAsciiLetterLower(call[0]) || call[0] == '_'))
            {
                calls++;
            }
        }

        return [.. plays];
    }
}
