using System.Text;

namespace NamedPipeShim.Mutants;

/// <summary>What is written down: everything in the build folder, the table in docs/mutants.md.</summary>
internal static class Report
{
    public static string Everything(IEnumerable<Verdict> verdicts)
    {
        var text = new StringBuilder();
        foreach (Verdict verdict in verdicts)
        {
            Mutant mutant = verdict.Mutant;
            string head = $"{verdict.Outcome} ({verdict.Time.TotalSeconds:0.0} s): {mutant.Title}: {verdict.By}\n";
            string place = $"file: {mutant.File}\nin: {mutant.Function}\n- {mutant.Original}\n+ {mutant.Mutated}\n\n";
            _ = text.Append(head).Append(place);
        }

        return text.ToString();
    }

    /// <summary>One system's section: no times, nothing that depends on the machine.</summary>
    public static string Section(string system, IReadOnlyList<Verdict> verdicts)
    {
        var text = new StringBuilder();
        Verdict[] chosen = [.. verdicts.Where(v => v.Mutant.Chosen)];
        _ = text.Append($"## Chosen, {system}\n\n{chosen.Count(Caught)} of {chosen.Length} caught.\n\n");
        _ = text.Append("| fault | what is wrong then | caught by |\n|---|---|---|\n");
        foreach (Verdict verdict in chosen)
        {
            _ = text.Append($"| {verdict.Mutant.Title} | {Cell(verdict.Mutant.Fault)} | {By(verdict)} |\n");
        }

        Verdict[] mechanical = [.. verdicts.Where(v => !v.Mutant.Chosen && v.Counts)];
        if (mechanical.Length == 0)
        {
            return text.ToString();
        }

        int caught = mechanical.Count(Caught);
        _ = text.Append($"\n## Mechanical, {system}\n\n{caught} of {mechanical.Length} caught ({100.0 * caught / mechanical.Length:0.0} %).\n\n");
        _ = text.Append("| kind | mutants | caught |\n|---|--:|--:|\n");
        foreach (IGrouping<string, Verdict> kind in mechanical.GroupBy(v => v.Mutant.Title).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            _ = text.Append($"| {kind.Key} | {kind.Count()} | {kind.Count(Caught)} |\n");
        }

        _ = text.Append("\n| file | mutants | caught |\n|---|--:|--:|\n");
        foreach (IGrouping<string, Verdict> file in mechanical.GroupBy(v => v.Mutant.File).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            _ = text.Append($"| {file.Key} | {file.Count()} | {file.Count(Caught)} |\n");
        }

        _ = text.Append("\n| first caught by | mutants |\n|---|--:|\n");
        foreach (IGrouping<string, Verdict> program in mechanical.Where(Caught).GroupBy(v => v.By.Split(' ', ':', ',')[0])
            .OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal))
        {
            _ = text.Append($"| {program.Key} | {program.Count()} |\n");
        }

        _ = text.Append("\nSurvivors:\n\n| function | line | mutant | why |\n|---|---|---|---|\n");
        foreach (Mutant mutant in mechanical.Where(v => !Caught(v)).Select(v => v.Mutant).OrderBy(m => m.Key, StringComparer.Ordinal))
        {
            _ = text.Append($"| {mutant.Function} | `{Cell(mutant.Original)}` | `{Cell(mutant.Mutated)}` | {Cell(mutant.Why ?? "**not explained**")} |\n");
        }

        return text.ToString();
    }

    /// <summary>Puts a section between its two marks in the file.</summary>
    public static void Replace(string path, string system, string section)
    {
        string begin = $"<!-- {system}: begin -->\n", end = $"<!-- {system}: end -->";
        string text = File.ReadAllText(path);
        int from = text.IndexOf(begin, StringComparison.Ordinal), to = text.IndexOf(end, StringComparison.Ordinal);
        if (from < 0 || to < from)
        {
            throw new MutantsException($"{path} has no marks for {system}");
        }

        File.WriteAllText(path, text[..(from + begin.Length)] + section + text[to..]);
    }

    public static bool Caught(Verdict verdict) => verdict.Outcome == Outcome.Caught;

    private static string By(Verdict verdict) => Caught(verdict) ? Cell(verdict.By) : $"**{verdict.Outcome}**";

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
