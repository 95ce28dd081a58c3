using System.Globalization;

namespace NamedPipeShim.Mutants;

/// <summary>The command line.</summary>
internal sealed record Settings
{
    public required string Source { get; init; }

    public required string Build { get; init; }

    public required string CMake { get; init; }

    /// <summary>Windows programs are tested, under Wine.</summary>
    public bool Windows { get; init; }

    public int Jobs { get; init; } = Environment.ProcessorCount + 1;

    /// <summary>So many mechanical mutants that compile to something else than the original.</summary>
    public int Sample { get; init; } = 240;

    public uint Seed { get; init; } = 1;

    public Effort Effort { get; init; } = Effort.Usual;

    /// <summary>Only mutants whose name, file or lines contain this.</summary>
    public string Only { get; init; } = "";

    /// <summary>Where the table goes beside the build folder; empty: nowhere.</summary>
    public string Table { get; init; } = "";

    private static Lock LogLock { get; } = new();

    /// <summary>Where the run's results are.</summary>
    public string Results => Path.Combine(Build, "mutants");

    /// <summary>What is known so far, in the order in which it became known.</summary>
    public void Log(Verdict verdict)
    {
        lock (LogLock)
        {
            File.AppendAllText(Path.Combine(Results, "progress.txt"),
                $"{verdict.Outcome} {verdict.Time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s {verdict.Mutant.Title} | {verdict.By} | {verdict.Mutant}\n");
        }
    }

    public static Settings Parse(string[] arguments)
    {
        var values = new Dictionary<string, string>();
        for (int i = 0; i < arguments.Length; i += 2)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal) || i + 1 == arguments.Length)
            {
                throw new MutantsException(
                    "mutants --source FOLDER --build FOLDER --cmake PROGRAM --system linux|windows [--only TEXT] [--sample N] [--seed N] [--jobs N] [--effort quick|usual|thorough] [--table FILE]");
            }

            values[arguments[i][2..]] = arguments[i + 1];
        }

        var settings = new Settings
        {
            Source = Path.GetFullPath(values["source"]),
            Build = Path.GetFullPath(values["build"]),
            CMake = values.GetValueOrDefault("cmake", "cmake"),
            Windows = values["system"] == "windows",
            Effort = Enum.Parse<Effort>(values.GetValueOrDefault("effort", nameof(Effort.Usual)), ignoreCase: true),
            Only = values.GetValueOrDefault("only", ""),
            Table = values.GetValueOrDefault("table", ""),
        };
        return settings with
        {
            Jobs = Number("jobs", settings.Jobs),
            Sample = settings.Windows ? 0 : Number("sample", settings.Sample),
            Seed = (uint)Number("seed", (int)settings.Seed),
        };

        int Number(string name, int otherwise) =>
            values.TryGetValue(name, out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
    }
}
