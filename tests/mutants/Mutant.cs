namespace NamedPipeShim.Mutants;

/// <summary>Another text in place of what is at a place.</summary>
internal sealed record Edit(int Start, int Length, string Replacement);

/// <summary>One fault: where it is, by what the lists and reports call it, and how it comes about.</summary>
internal sealed record Mutant(string File, string Function, string Original, string Mutated, IReadOnlyList<Edit> Edits)
{
    /// <summary>Of a chosen one, its name in the list; of a mechanical one, the kind of change.</summary>
    public required string Title { get; init; }

    public bool Chosen { get; init; }

    /// <summary>Of a chosen one: what is wrong then, and what is tried first.</summary>
    public string Fault { get; init; } = "";

    public string First { get; init; } = "";

    /// <summary>Of a mechanical one that nothing can catch, or nothing has to: the reason.</summary>
    public string? Why { get; init; }

    public string Key => $"{File}\n{Function}\n{Original}\n{Mutated}";

    public string Apply(string text)
    {
        foreach (Edit edit in Edits.OrderByDescending(e => e.Start))
        {
            text = text.Remove(edit.Start, edit.Length).Insert(edit.Start, edit.Replacement);
        }

        return text;
    }

    public override string ToString() => $"{File} {Function}: {Original} -> {Mutated}";
}
