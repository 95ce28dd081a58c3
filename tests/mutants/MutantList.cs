using System.Globalization;

namespace NamedPipeShim.Mutants;

/// <summary>
/// The two lists that people write. Both hold entries between empty lines; a line of an entry begins with what it is:
/// <code>
/// = name       chosen.txt: what the reports call it
/// fault: …     chosen.txt: what is wrong then, with the rule, contract id or bug
/// first: …     chosen.txt: the program, and the case of it, to try first
/// why: …       survivors.txt: why nothing catches it
/// file: …      from the top of the repository
/// in: …        the function; needed where the line is not the only one of its kind; `#2`: the second such line in it
/// - …          the line's code as it is; comments do not count
/// + …          the line as the mutant has it
/// </code>
/// Lines that begin with a # are comments.
/// </summary>
internal static class MutantList
{
    /// <summary>Faults that were thought of, each put in place of a line that must be there once.</summary>
    public static IReadOnlyList<Mutant> Chosen(string path, Func<string, CSource> source)
    {
        var mutants = new List<Mutant>();
        foreach (Dictionary<string, string> entry in Entries(path, ["=", "fault", "first", "file", "in", "-", "+"]))
        {
            string name = Value(entry, "=", path);
            CSource file = source(Value(entry, "file", name));
            string original = CSource.SqueezeLine(Value(entry, "-", name));
            string[] place = entry.GetValueOrDefault("in", "").Split(" #");
            int[] lines = [.. Enumerable.Range(0, file.LineCount).Where(line => file.LineCode(line) == original
                && (place[0].Length == 0 || file.FunctionAt(file.LineStart(line)) == place[0]))];
            if (place.Length == 2)
            {
                lines = [.. lines.Skip(int.Parse(place[1], CultureInfo.InvariantCulture) - 1).Take(1)];
            }

            if (lines.Length != 1)
            {
                throw new MutantsException(
                    $"{path}: {name}: {file.Path} has {lines.Length} lines like this, where there must be one: {original}");
            }

            int start = file.LineStart(lines[0]);
            string mutated = Value(entry, "+", name);
            mutants.Add(new Mutant(file.Path, file.FunctionAt(start), original, CSource.SqueezeLine(mutated),
                [new Edit(start, file.LineEnd(lines[0]) - start, mutated)])
            {
                Title = name,
                Chosen = true,
                Fault = Value(entry, "fault", name),
                First = entry.GetValueOrDefault("first", ""),
            });
        }

        if (mutants.GroupBy(m => m.Title).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new MutantsException($"{path}: {twice.Key} is there twice");
        }

        return mutants;
    }

    /// <summary>Mechanical mutants that are known to survive: the reason by the mutant's key.</summary>
    public static IReadOnlyDictionary<string, string> Survivors(string path)
    {
        var reasons = new Dictionary<string, string>();
        foreach (Dictionary<string, string> entry in Entries(path, ["why", "file", "in", "-", "+"]))
        {
            var mutant = new Mutant(Value(entry, "file", path), entry.GetValueOrDefault("in", ""),
                CSource.SqueezeLine(Value(entry, "-", path)), CSource.SqueezeLine(Value(entry, "+", path)), [])
            {
                Title = "",
            };
            if (!reasons.TryAdd(mutant.Key, Value(entry, "why", path)))
            {
                throw new MutantsException($"{path}: {mutant} is there twice");
            }
        }

        return reasons;
    }

    private static string Value(Dictionary<string, string> entry, string key, string where) =>
        entry.TryGetValue(key, out string? value) ? value : throw new MutantsException($"{where}: an entry has no line `{key}`");

    private static IEnumerable<Dictionary<string, string>> Entries(string path, string[] keys)
    {
        var entry = new Dictionary<string, string>();
        foreach (string line in File.ReadLines(path).Append(""))
        {
            if (line.Length == 0 && entry.Count > 0)
            {
                yield return entry;
                entry = [];
            }

            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            string key = Array.Find(keys, k => line.StartsWith(k.Length == 1 ? k : k + ":", StringComparison.Ordinal))
                ?? throw new MutantsException($"{path}: not a line of an entry: {line}");
            if (!entry.TryAdd(key, line[(key.Length == 1 ? 1 : key.Length + 1)..].Trim()))
            {
                throw new MutantsException($"{path}: two lines `{key}` in an entry: {line}");
            }
        }
    }
}
