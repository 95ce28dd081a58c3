namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>What a managed child plays with.</summary>
internal interface IContestant
{
    /// <summary>Opens pipes, plays, verifies, closes.</summary>
    /// <returns>The timed part.</returns>
    Measure Run(Play play);

    /// <summary>Opens connected pairs and keeps them.</summary>
    void HoldPairs(int pairs);
}
