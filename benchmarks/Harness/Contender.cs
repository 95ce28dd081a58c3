using NamedPipeShim.Benchmarks.Contestants;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>Who plays, and how: a line of the table.</summary>
/// <param name="Who">The program.</param>
/// <param name="Variant">How it plays.</param>
/// <param name="Counted">Whether its system calls are counted: with two threads they depend on who wakes first.</param>
internal sealed record Contender(string Who, string Variant, bool Counted)
{
    public const string Floor = "floor";
    public const string OursC = "ours-c";

    public static readonly string[] Programs = [Floor, OursC, OursContestant.Who, SystemIoPipesContestant.Who];

    /// <summary>Who plays a scenario; the floor comes first.</summary>
    public static IReadOnlyList<Contender> For(Scenario scenario) => scenario switch
    {
        Scenario.Connect =>
        [
            new(Floor, Play.OneThread, true),
            new(OursC, Play.OneThread, true),
            new(OursContestant.Who, Play.OneThread, true),
            new(SystemIoPipesContestant.Who, Play.TwoTasks, true),
            new(SystemIoPipesContestant.Who, Play.OneFlow, true),
        ],
        Scenario.Stream =>
        [
            new(Floor, Play.OneThread, true),
            new(OursC, Play.OneThread, true),
            new(OursContestant.Who, Play.OneThread, true),
            new(SystemIoPipesContestant.Who, Play.TwoTasks, true),
            new(Floor, Play.TwoThreads, false),
            new(OursC, Play.TwoThreads, false),
            new(OursContestant.Who, Play.TwoThreads, false),
        ],
        _ =>
        [
            new(Floor, Play.OneThread, true),
            new(OursC, Play.OneThread, true),
            new(OursContestant.Who, Play.OneThread, true),
            new(SystemIoPipesContestant.Who, Play.TwoTasks, true),
            new(SystemIoPipesContestant.Who, Play.OneFlow, true),
            new(Floor, Play.TwoThreads, false),
            new(OursC, Play.TwoThreads, false),
            new(OursContestant.Who, Play.TwoThreads, false),
        ],
    };
}
