namespace NamedPipeShim.Mutants;

/// <summary>One run of a test program.</summary>
internal sealed record Step(string Program, string[] Arguments)
{
    /// <summary>Which of the two libraries it loads.</summary>
    public string Library => Program is "conformance" or "unit" ? "real" : "sim";

    /// <summary>On the simulated kernel nothing ever sleeps: who goes on and on does so at the processor's cost.</summary>
    public int ProcessorSeconds => Library == "sim" ? 4 : 40;

    public override string ToString() => string.Join(' ', [Program, .. Arguments]);
}

/// <summary>What a mutant has to pass, the cheap before the dear.</summary>
internal static class Plan
{
    private static readonly Step[] s_core =
    [
        new("sim_buffered", []),
        new("sim_direct", []),
        new("walk_buffered", ["--seeds", "2", "--steps", "2400"]),
        new("walk_direct", ["--seeds", "2", "--steps", "2400"]),
        new("unit", []),
        new("walk_buffered", ["--seed", "3", "--seeds", "12", "--steps", "4000"]),
        new("walk_direct", ["--seed", "3", "--seeds", "12", "--steps", "4000"]),
        new("conformance_sim_buffered", []),
        new("conformance_sim_direct", []),
        new("conformance", []),
    ];

    private static readonly Step[] s_backend = [new("conformance", [])];

    public static IEnumerable<Step> For(Mutant mutant, bool windows, Effort effort)
    {
        if (mutant.First.Length > 0)
        {
            string[] words = mutant.First.Split(' ');
            yield return words.Length > 1 || !words[0].StartsWith("walk_", StringComparison.Ordinal)
                ? new Step(words[0], words[1..])
                : s_core.First(step => step.Program == words[0]);
        }

        bool everything = effort == Effort.Thorough || (effort == Effort.Usual && mutant.Why == null);
        foreach (Step step in windows || !IsCore(mutant) ? s_backend : s_core)
        {
            if (everything || step is not { Program: "conformance", Arguments: [] })
            {
                yield return step;
            }
        }
    }

    /// <summary>What must pass without a mutant: all that a mutant may be asked to pass.</summary>
    public static IEnumerable<Step> Baseline(bool windows) => windows ? s_backend : s_core;

    public static bool IsCore(Mutant mutant) => mutant.File.StartsWith("native/core/", StringComparison.Ordinal);
}
