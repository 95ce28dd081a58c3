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

    // Beside streams: what the system itself costs.
    private static readonly Contender s_floor = new(Floor, Play.OneThread, true);
    private static readonly Contender s_floorOfTwo = new(Floor, Play.TwoThreads, false);

    private static readonly string[] s_programs = [Floor, OursC, OursContestant.Who, SystemIoPipesContestant.Who];

    private static readonly string[] s_asyncPrograms =
    [
        SystemIoPipesContestant.Who,
        SystemIoPipesContestant.WhoInline,
        AsyncContestant.Ours,
        AsyncContestant.OursInline,
    ];

    /// <summary>Who plays a scenario on a host. Each is compared with the first of its variant, else with the first of all: the
    /// floor, or the base class library.</summary>
    public static Contender[] For(Scenario scenario, IHost host) => scenario switch
    {
        Scenario.AsyncOneflow => [.. Each(Play.OneFlow, true, host), s_floor],
        Scenario.AsyncPingpong =>
            [.. Each(Play.TwoTasks, true, host), .. Each(Play.TwoProcesses, false, host), s_floor, s_floorOfTwo],
        Scenario.AsyncStream => [.. Each(Play.TwoTasks, true, host), s_floor, s_floorOfTwo],
        Scenario.AsyncFanin =>
        [
            .. Each(Play.TwoTasks, true, host),
            new(AsyncContestant.OursInlineLoops, Play.TwoTasks, false),
            .. Each(Play.TaskEach, true, host),
            new(AsyncContestant.OursInlineLoops, Play.TaskEach, false),
            s_floor,
            s_floorOfTwo,
        ],
        Scenario.AsyncIdle => Each(Play.TwoTasks, false, host),
        Scenario.AsyncBlocked =>
        [
            new(SystemIoPipesContestant.Who, Play.TaskEach, false),
            new(AsyncContestant.Ours, Play.TaskEach, false),
        ],
        Scenario.AsyncAllocations => [new(AsyncContestant.Ours, Play.OneFlow, false)],
        Scenario.Idle => [.. s_programs.Select(who =>
            new Contender(who, who == SystemIoPipesContestant.Who ? Play.TwoTasks : Play.OneThread, false))],
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

    /// <summary>The base class library's switch is its sockets', and Windows' pipes are none.</summary>
    private static Contender[] Each(string variant, bool counted, IHost host) =>
    [
        .. s_asyncPrograms
            .Where(who => who != SystemIoPipesContestant.WhoInline || host.HasSocketPipes)
            .Select(who => new Contender(who, variant, counted)),
    ];
}
