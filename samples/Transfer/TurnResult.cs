namespace NamedPipeShim.Samples.Transfer;

/// <summary>What is to happen with a transfer after its turn.</summary>
internal enum TurnResult
{
    /// <summary>Nothing, until the poller reports an event.</summary>
    WaitsForEvent,

    /// <summary>There may be more to read at once; no event will say so.</summary>
    WantsAnotherTurn,

    /// <summary>It is over.</summary>
    Ended,
}
