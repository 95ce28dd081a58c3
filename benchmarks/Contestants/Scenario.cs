namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>What is played; one operation of each is what the README says.</summary>
internal enum Scenario
{
    Pingpong,
    Stream,
    Fanin,
    Connect,
    Idle,
    AsyncOneflow,
    AsyncPingpong,
    AsyncStream,
    AsyncFanin,
    AsyncIdle,
    AsyncBlocked,
    AsyncAllocations,
}
