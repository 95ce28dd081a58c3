using System.Globalization;
using NamedPipeShim.Benchmarks.Contestants;

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

    public IEnumerable<Result> Run()
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

        foreach (string who in Contender.Programs)
        {
            double? each = null;
            string? failure = null;
            Console.Error.WriteLine($"idle: {who}");
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
                Variant = who == SystemIoPipesContestant.Who ? Play.TwoTasks : Play.OneThread,
                Os = host.Os,
                Scenario = "idle",
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
