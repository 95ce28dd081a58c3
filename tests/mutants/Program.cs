using System.Collections.Concurrent;

namespace NamedPipeShim.Mutants;

/// <summary>
/// Puts faults into the library, one at a time, and looks whether the tests notice: chosen ones (chosen.txt), all of which must
/// be caught, and a sample of mechanical ones, of which 90 of 100 must be, the others being explained (survivors.txt).
/// </summary>
internal static class Program
{
    private const double LeastCaught = 0.9;

    public static int Main(string[] arguments)
    {
        try
        {
            return Run(Settings.Parse(arguments)) ? 0 : 1;
        }
        catch (MutantsException exception)
        {
            Console.Error.WriteLine(exception.Message);
            return 2;
        }
    }

    private static bool Run(Settings settings)
    {
        string lists = Path.Combine(settings.Source, "tests", "mutants");
        var sources = new ConcurrentDictionary<string, CSource>();
        CSource Source(string path) => sources.GetOrAdd(path, p => new CSource(p, File.ReadAllText(Path.Combine(settings.Source, p))));
        IReadOnlyList<Mutant> chosen = MutantList.Chosen(Path.Combine(lists, "chosen.txt"), Source);
        IReadOnlyDictionary<string, string> survivors = MutantList.Survivors(Path.Combine(lists, "survivors.txt"));
        IReadOnlyList<Mutant> mechanical = settings.Sample == 0 ? [] : MechanicalMutants.All(CoreFiles(settings).Select(Source), settings.Seed);

        // Not into the build folder: a socket's path must be short.
        _ = Directory.CreateDirectory(settings.Results);
        File.Delete(Path.Combine(settings.Results, "progress.txt"));
        string folder = Directory.CreateTempSubdirectory("npsm").FullName;
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        try
        {
            using WinePrefix? wine = settings.Windows ? new WinePrefix(folder) : null;
            _ = Command.Tool(TimeSpan.FromMinutes(5), settings.Build, new Dictionary<string, string>(),
                settings.CMake, "--build", settings.Build, "--target", "nps_mutants");
            var crew = new Crew(settings, folder, wine?.Variables ?? []);
            Mutant[] wanted = [.. chosen.Where(m => m.File.Contains("/iocp/", StringComparison.Ordinal) == settings.Windows && Wanted(m, settings))];
            crew.CheckBaseline(wanted);
            var verdicts = new List<Verdict>(crew.Judge(wanted));
            verdicts.AddRange(crew.Sample(mechanical.Where(m => Wanted(m, settings)).Select(m => m with { Why = survivors.GetValueOrDefault(m.Key) })));
            return Conclude(settings, verdicts, mechanical, survivors);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static bool Wanted(Mutant mutant, Settings settings) =>
        mutant.Title.Contains(settings.Only, StringComparison.Ordinal) || mutant.Key.Contains(settings.Only, StringComparison.Ordinal);

    private static IEnumerable<string> CoreFiles(Settings settings) =>
        Directory.EnumerateFiles(Path.Combine(settings.Source, "native", "core")).Where(f => Path.GetExtension(f) is ".c" or ".h")
            .Select(f => Path.GetRelativePath(settings.Source, f)).Order(StringComparer.Ordinal);

    private static bool Conclude(Settings settings, List<Verdict> verdicts, IReadOnlyList<Mutant> mechanical,
        IReadOnlyDictionary<string, string> survivors)
    {
        string system = settings.Windows ? "Windows" : "Linux";
        string results = settings.Results;
        File.WriteAllText(Path.Combine(results, "report.txt"), Report.Everything(verdicts));
        string section = Report.Section(system, verdicts);
        File.WriteAllText(Path.Combine(results, "table.md"), section);
        if (settings.Table.Length > 0)
        {
            Report.Replace(settings.Table, system, section);
        }

        bool good = true;
        foreach (Verdict verdict in verdicts)
        {
            Mutant mutant = verdict.Mutant;
            if (mutant.Chosen && verdict.Outcome != Outcome.Caught)
            {
                Console.WriteLine($"NOT CAUGHT ({verdict.Outcome}): {mutant.Title}: {mutant}");
                good = false;
            }
            else if (verdict.Outcome == Outcome.Survived && !mutant.Chosen && mutant.Why == null)
            {
                Console.WriteLine($"survived, and survivors.txt does not say why:\nwhy: \nfile: {mutant.File}\nin: {mutant.Function}\n- {mutant.Original}\n+ {mutant.Mutated}\n");
                good = false;
            }
            else if (verdict.Outcome == Outcome.Caught && mutant.Why != null)
            {
                Console.WriteLine($"note: survivors.txt has one that is caught, by {verdict.By}: {mutant}");
            }
        }

        var sites = mechanical.Select(m => m.Key).ToHashSet();
        foreach (string key in settings.Sample == 0 ? [] : survivors.Keys.Where(k => !sites.Contains(k)))
        {
            Console.WriteLine($"note: survivors.txt has one that cannot be made any more: {key.Replace("\n", " | ", StringComparison.Ordinal)}");
        }

        good &= Share("chosen", verdicts.Where(v => v.Mutant.Chosen)) >= 1;
        good &= Share("mechanical", verdicts.Where(v => !v.Mutant.Chosen && v.Counts)) >= LeastCaught;
        Console.WriteLine($"report: {Path.Combine(results, "report.txt")}");
        Console.WriteLine($"mutants: {verdicts.Count(Report.Caught)} caught, {verdicts.Count(v => v.Outcome == Outcome.Survived)} survived");
        return good;
    }

    private static double Share(string kind, IEnumerable<Verdict> verdicts)
    {
        Verdict[] all = [.. verdicts];
        int caught = all.Count(Report.Caught);
        double share = all.Length == 0 ? 1 : (double)caught / all.Length;
        Console.WriteLine($"{kind}: {caught} of {all.Length} caught ({100 * share:0.0} %)");
        return share;
    }
}
