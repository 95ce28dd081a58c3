namespace NamedPipeShim.Mutants;

internal enum Outcome
{
    Caught,
    Survived,
    DoesNotCompile,

    /// <summary>The compiler makes the same code of it.</summary>
    Same,
}

/// <summary>What became of a mutant. By: which test caught it, and how.</summary>
internal sealed record Verdict(Mutant Mutant, Outcome Outcome, string By, TimeSpan Time)
{
    public bool Counts => Outcome is Outcome.Caught or Outcome.Survived;
}
