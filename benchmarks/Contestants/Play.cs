namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>One play of one scenario: the line <c>run VARIANT SCENARIO SIZE PIPES WARMUP OPS</c> of a child.</summary>
/// <param name="Variant">How it is played: one thread or two, two tasks, one flow, two processes.</param>
/// <param name="Scenario">What is played.</param>
/// <param name="Size">Bytes of a message.</param>
/// <param name="Pipes">Connected pairs.</param>
/// <param name="Warmup">Operations that are not timed, a multiple of <paramref name="Pipes"/>.</param>
/// <param name="Operations">Operations that are timed, likewise.</param>
internal sealed record Play(string Variant, Scenario Scenario, int Size, int Pipes, long Warmup, long Operations)
{
    /// <summary>Both ends on one thread, each with its own poll.</summary>
    public const string OneThread = "one-thread";

    /// <summary>Each end on its own thread.</summary>
    public const string TwoThreads = "two-threads";

    /// <summary>Both ends in one asynchronous method.</summary>
    public const string OneFlow = "one-flow";

    /// <summary>A task for each server end, and one for the clients.</summary>
    public const string TwoTasks = "two-tasks";

    /// <summary>A task for each server end, and one for each client.</summary>
    public const string TaskEach = "task-each";

    /// <summary>Server and client are a process each.</summary>
    public const string TwoProcesses = "two-processes";

    /// <summary>Reads a child's line; null when it is none.</summary>
    public static Play? Parse(string line)
    {
        string[] words = line.Split(' ');
        return words is ["run", _, _, _, _, _, _]
            && ScenarioExtensions.Parse(words[2]) is { } scenario
            && int.TryParse(words[3], out int size) && size > 0
            && int.TryParse(words[4], out int pipes) && pipes > 0
            && long.TryParse(words[5], out long warmup) && warmup > 0
            && long.TryParse(words[6], out long operations) && operations > 0
            ? new Play(words[1], scenario, size, pipes, Whole(warmup, pipes), Whole(operations, pipes))
            : null;
    }

    /// <summary>The same, as a line for a child.</summary>
    public string ToLine() =>
        $"run {Variant} {Scenario.Name()} {Size} {Pipes} {Warmup} {Operations}";

    /// <summary>Rounds up to whole rounds over all pipes.</summary>
    public static long Whole(long operations, int pipes) => (operations + pipes - 1) / pipes * pipes;
}
