namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>What a managed child plays with.</summary>
internal interface IContestant : IDisposable
{
    /// <summary>Opens pipes, plays, verifies, closes.</summary>
    /// <returns>The timed part.</returns>
    Measure Run(Play play);

    /// <summary>Opens connected pairs and keeps them until it is disposed.</summary>
    void HoldPairs(int pairs);
}
