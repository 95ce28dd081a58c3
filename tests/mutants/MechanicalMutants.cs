using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace NamedPipeShim.Mutants;

/// <summary>All faults of a few simple kinds that a file can be given, and a sample of them that its seed decides.</summary>
internal static partial class MechanicalMutants
{
    private static readonly (string Kind, Regex Pattern, Func<string, string> Swap)[] s_swaps =
    [
        ("comparison", Comparison(), text => text switch
        {
            "<" => "<=", "<=" => "<", ">" => ">=", ">=" => ">", "==" => "!=", _ => "==",
        }),
        ("logic", Logic(), text => text == "&&" ? "||" : "&&"),
        ("arithmetic", Arithmetic(), text => text switch
        {
            "+" => "-", "-" => "+", "++" => "--", "--" => "++", "+=" => "-=", _ => "+=",
        }),
        ("bits", Bits(), text => text switch { "|=" => "&=", "&=" => "|=", "|" => "&", _ => "|" }),
        ("truth", Truth(), text => text switch { "true" => "false", "false" => "true", _ => "" }),
        ("constant", Constant(), text => Number(text, 1)),
        ("constant", Constant(), text => text == "0" || text == "0u" ? text : Number(text, -1)),
    ];

    /// <summary>Every site of the files, in the order that the seed gives them: an edit elsewhere does not change it.</summary>
    public static IReadOnlyList<Mutant> All(IEnumerable<CSource> files, uint seed)
    {
        var found = new Dictionary<string, Mutant>();
        foreach (CSource file in files)
        {
            var seen = new Dictionary<string, int>();
            foreach ((string kind, Edit[] edits) in Sites(file).OrderBy(s => s.Edits[0].Start))
            {
                Mutant mutant = Describe(file, kind, edits);
                int count = seen[mutant.Key] = seen.GetValueOrDefault(mutant.Key) + 1;
                if (count > 1)
                {
                    mutant = mutant with { Function = $"{mutant.Function} #{count}" };
                }

                found.TryAdd(mutant.Key, mutant);
            }
        }

        return [.. found.Values.OrderBy(m => Rank(seed, m.Key), StringComparer.Ordinal)];
    }

    private static string Rank(uint seed, string key) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}\n{key}")));

    private static Mutant Describe(CSource file, string kind, Edit[] edits)
    {
        int line = file.LineOf(edits[0].Start);
        int start = file.LineStart(line);
        string text = file.CodeAndStrings[start..file.LineEnd(line)];
        foreach (Edit edit in edits.Where(e => e.Start < file.LineEnd(line)).OrderByDescending(e => e.Start))
        {
            int at = edit.Start - start;
            text = text.Remove(at, Math.Min(edit.Length, text.Length - at)).Insert(at, edit.Replacement);
        }

        return new Mutant(file.Path, file.FunctionAt(edits[0].Start), file.LineCode(line), CSource.Squeeze(text), edits) { Title = kind };
    }

    private static IEnumerable<(string Kind, Edit[] Edits)> Sites(CSource file)
    {
        foreach (CFunction function in file.Functions)
        {
            foreach ((string kind, Regex pattern, Func<string, string> swap) in s_swaps)
            {
                foreach (Match match in pattern.Matches(file.Code))
                {
                    if (match.Index > function.Open && match.Index < function.Close && swap(match.Value) != match.Value)
                    {
                        yield return (kind, [new Edit(match.Index, match.Length, swap(match.Value))]);
                    }
                }
            }

            foreach ((string, Edit[]) site in Conditions(file, function).Concat(Statements(file, function)))
            {
                yield return site;
            }
        }

        foreach (Match match in Define().Matches(file.CodeAndStrings))
        {
            Group value = match.Groups[1];
            yield return ("constant", [new Edit(value.Index, value.Length, Number(value.Value, 1))]);
            if (value.Value is not ("0" or "0u"))
            {
                yield return ("constant", [new Edit(value.Index, value.Length, Number(value.Value, -1))]);
            }
        }
    }

    private static string Number(string text, int change)
    {
        string suffix = text.EndsWith('u') ? "u" : "";
        long value = long.Parse(text[..(text.Length - suffix.Length)], System.Globalization.CultureInfo.InvariantCulture);
        return value + change + suffix;
    }

    /// <summary>`if (a &amp;&amp; b)` becomes `if (!(a &amp;&amp; b))`; what a swapped comparison gives already is left out.</summary>
    private static IEnumerable<(string Kind, Edit[] Edits)> Conditions(CSource file, CFunction function)
    {
        foreach (Match match in Condition().Matches(file.Code, function.Open))
        {
            if (match.Index > function.Close)
            {
                yield break;
            }

            int open = match.Index + match.Length - 1;
            int close = file.Closing(open);
            string condition = file.Code[(open + 1)..close];
            bool joined = condition.Contains("&&", StringComparison.Ordinal) || condition.Contains("||", StringComparison.Ordinal);
            bool simple = !joined && (condition.StartsWith('!') || condition.Contains("==", StringComparison.Ordinal)
                || condition.Contains("!=", StringComparison.Ordinal));
            if (!simple)
            {
                yield return ("condition", [new Edit(open + 1, 0, "!("), new Edit(close, 0, ")")]);
            }
        }
    }

    private static IEnumerable<(string Kind, Edit[] Edits)> Statements(CSource file, CFunction function)
    {
        foreach (int start in StatementStarts(file, function))
        {
            int end = StatementEnd(file, start);
            if (end < 0)
            {
                continue;
            }

            string statement = CSource.Squeeze(file.Code[start..(end + 1)]);
            if (Removable().IsMatch(statement) && !Control().IsMatch(statement))
            {
                yield return ("removal", [new Edit(start, end + 1 - start, ";")]);
            }
            else if (statement.StartsWith("return ", StringComparison.Ordinal)
                && OtherValue(function.Type, statement["return ".Length..^1]) is { } other)
            {
                yield return ("return", [new Edit(start, end + 1 - start, $"return {other};")]);
            }
        }
    }

    private static string? OtherValue(string type, string value)
    {
        if (type == "bool")
        {
            return value is "true" or "false" ? null : $"!({value})";
        }

        if (type == "nps_result")
        {
            return value == "RESULT_OK" ? "RESULT(NPS_E_IO)" : "RESULT_OK";
        }

        string nothing = type.Contains('*', StringComparison.Ordinal) ? "NULL" : "0";
        return value == nothing ? null : nothing;
    }

    private static IEnumerable<int> StatementStarts(CSource file, CFunction function)
    {
        var starts = new SortedSet<int>();
        for (int i = function.Open; i < function.Close; i++)
        {
            if (file.Code[i] is '{' or '}' or ';')
            {
                starts.Add(Skip(file, i + 1));
            }
        }

        foreach (Match match in Condition().Matches(file.Code, function.Open))
        {
            starts.Add(Skip(file, file.Closing(match.Index + match.Length - 1) + 1));
        }

        foreach (Match match in ElseOrCase().Matches(file.Code, function.Open))
        {
            starts.Add(Skip(file, match.Index + match.Length));
        }

        return starts.Where(s => s > function.Open && s < function.Close);
    }

    private static int Skip(CSource file, int place)
    {
        while (place < file.Code.Length && char.IsWhiteSpace(file.Code[place]))
        {
            place++;
        }

        return place;
    }

    /// <summary>The `;` of a simple statement; -1 if it is none.</summary>
    private static int StatementEnd(CSource file, int start)
    {
        for (int i = start; i < file.Code.Length; i++)
        {
            switch (file.Code[i])
            {
                case '(':
                    i = file.Closing(i);
                    break;
                case ';':
                    return i;
                case '{' or '}':
                    return -1;
                default:
                    break;
            }
        }

        return -1;
    }

    [GeneratedRegex(@"(?<![-<>=!+*/&|^%])(==|!=|<=|>=|<|>)(?![<>=])")]
    private static partial Regex Comparison();

    [GeneratedRegex(@"&&|\|\|")]
    private static partial Regex Logic();

    [GeneratedRegex(@"(?<=[\w)\]] )[-+](?= )|\+\+|--|\+=|-=")]
    private static partial Regex Arithmetic();

    [GeneratedRegex(@"\|=|&=|(?<=[\w)\]] )[|&](?= )")]
    private static partial Regex Bits();

    [GeneratedRegex(@"\btrue\b|\bfalse\b|!(?=[\w(])")]
    private static partial Regex Truth();

    [GeneratedRegex(@"(?<![\w.])\d+u?\b")]
    private static partial Regex Constant();

    [GeneratedRegex(@"^#define \w+ (\d+u?)\b", RegexOptions.Multiline)]
    private static partial Regex Define();

    [GeneratedRegex(@"\b(if|while) \(")]
    private static partial Regex Condition();

    [GeneratedRegex(@"\belse\b(?! if)|\bcase \w+:")]
    private static partial Regex ElseOrCase();

    [GeneratedRegex(@"^((\(void\))?\w+\(.*\);|\*?[\w.>-]+(\[[^\]]*\])?[\w.>-]* (=|\|=|&=|\+=|-=) .*;|[\w.>-]+(\+\+|--);|break;|continue;)$")]
    private static partial Regex Removable();

    [GeneratedRegex(@"^(if|while|for|switch|return)\b")]
    private static partial Regex Control();
}
