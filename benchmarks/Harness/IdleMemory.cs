using System.Globalization;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>
/// Memory of an idle connected pair, both ends, measured from outside: private memory of a process that holds many
/// pairs less that of one that holds few, over the difference.
/// </summary>
internal sealed class IdleMemory(IHost host)
{
    private const int Few = 500;
    private const int Many = 5000;
    private const int SpareDescriptors = 500;

    public IEnumerable<Result> Run(BenchmarkCase benchmarkCase)
    {
        int many = Many;
        string? note = null;
        if (OperatingSystem.IsLinux() && ProcFile.HardDescriptorLimit() < Many * 2 + SpareDescriptors)
        {
            many = (int)(ProcFile.HardDescriptorLimit() - SpareDescriptors) / 2;
            note = string.Create(
                CultureInfo.InvariantCulture,
                $"{many} instead of {Many} pairs: the descriptor limit is {ProcFile.HardDescriptorLimit()}");
        }

        foreach (Contender contender in Contender.For(benchmarkCase.Scenario, host))
        {
            double? each = null;
            string? failure = null;
            string who = contender.Who;
            Console.Error.WriteLine($"{Entry.NameOf(benchmarkCase)}: {who}");
            try
            {
                each = (double)(Memory(who, many) - Memory(who, Few)) / (many - Few);
            }
            catch (BenchmarkException exception)
            {
                failure = exception.Message;
            }

            yield return new Result
            {
                Who = who,
                Variant = contender.Variant,
                Os = host.Os,
                Scenario = Entry.NameOf(benchmarkCase),
                Size = 0,
                Pipes = many,
                BytesPerIdlePair = each is { } bytes ? Math.Round(bytes) : null,
                Note = failure ?? note,
            };
        }
    }

    private long Memory(string who, int pairs)
    {
        using var child = new Child(host.CommandFor(who));
        _ = child.Ask(string.Create(CultureInfo.InvariantCulture, $"idle {pairs}"), host.AnswerTime);
        return host.PrivateMemory(child.ProcessId)
            ?? throw new BenchmarkException("its memory cannot be told from outside");
    }
}
