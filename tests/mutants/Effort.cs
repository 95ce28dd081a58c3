namespace NamedPipeShim.Mutants;

/// <summary>Who meets the whole conformance suite, which takes longer than everything else together.</summary>
internal enum Effort
{
    /// <summary>Nobody: to see quickly what the other tests leave.</summary>
    Quick,

    /// <summary>Those that survived the other tests, but for those of which that is known.</summary>
    Usual,

    /// <summary>All that survived the other tests.</summary>
    Thorough,
}
