namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>A scenario's name and kind.</summary>
internal static class ScenarioExtensions
{
    private const string AsyncPrefix = "async-";

    private static readonly Dictionary<string, Scenario> s_byName =
        Enum.GetValues<Scenario>().ToDictionary(scenario => scenario.Name());

    /// <summary>As the command line has it: <c>async-fanin</c>.</summary>
    public static string Name(this Scenario scenario)
    {
        string name = scenario.ToString().ToLowerInvariant();
        return scenario.IsAsync() ? AsyncPrefix + name[(AsyncPrefix.Length - 1)..] : name;
    }

    public static Scenario? Parse(string name) => s_byName.TryGetValue(name, out Scenario scenario) ? scenario : null;

    public static bool IsAsync(this Scenario scenario) => scenario >= Scenario.AsyncOneflow;

    /// <summary>The same work for who has no streams.</summary>
    public static Scenario WithoutStreams(this Scenario scenario) => scenario switch
    {
        Scenario.AsyncOneflow or Scenario.AsyncPingpong => Scenario.Pingpong,
        Scenario.AsyncStream => Scenario.Stream,
        Scenario.AsyncFanin => Scenario.Fanin,
        _ => scenario,
    };

    public static bool IsIdle(this Scenario scenario) => scenario is Scenario.Idle or Scenario.AsyncIdle;

    public static bool IsStream(this Scenario scenario) => scenario is Scenario.Stream or Scenario.AsyncStream;

    public static bool IsFanin(this Scenario scenario) => scenario is Scenario.Fanin or Scenario.AsyncFanin;

    /// <summary>Played once for each contender, and judged by other figures than time for an operation.</summary>
    public static bool IsTrial(this Scenario scenario) => scenario is Scenario.AsyncBlocked or Scenario.AsyncAllocations;
}
