namespace NamedPipeShim.Mutants;

/// <summary>The workers, and which of them takes what.</summary>
internal sealed class Crew
{
    private readonly Settings _settings;
    private readonly List<Workshop> _workshops = [];

    public Crew(Settings settings, string folder, IReadOnlyDictionary<string, string> environment)
    {
        _settings = settings;
        IReadOnlyList<CompileCommand> commands = CompileCommand.Load(settings.Build, settings.Source);
        string programs = Path.Combine(settings.Build, "tests", "mutants", "bin");
        for (int i = 0; i < settings.Jobs; i++)
        {
            string place = Path.Combine(folder, $"{i}");
            _ = Directory.CreateDirectory(place);
            _workshops.Add(new Workshop(settings, commands, programs, place, environment));
        }
    }

    /// <summary>Tests that fail anyway would catch everything.</summary>
    public void CheckBaseline(IEnumerable<Mutant> mutants)
    {
        _workshops[0].CheckNames(mutants);
        if (_workshops[0].Without(Plan.Baseline(_settings.Windows)) is { } failure)
        {
            throw new MutantsException($"without any mutant: {failure}");
        }
    }

    /// <summary>In the order given, whoever was first.</summary>
    public Verdict[] Judge(IReadOnlyList<Mutant> mutants)
    {
        var verdicts = new Verdict[mutants.Count];
        int next = -1;
        Task[] tasks = [.. _workshops.Select(workshop => Task.Factory.StartNew(() => Work(workshop),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        Task.WaitAll(tasks);
        return verdicts;

        void Work(Workshop workshop)
        {
            for (int i = Interlocked.Increment(ref next); i < verdicts.Length; i = Interlocked.Increment(ref next))
            {
                verdicts[i] = workshop.Judge(mutants[i]);
            }
        }
    }

    /// <summary>As many as the sample wants, leaving out what does not compile or compiles to the original.</summary>
    public IReadOnlyList<Verdict> Sample(IEnumerable<Mutant> candidates)
    {
        var verdicts = new List<Verdict>();
        var left = new Queue<Mutant>(candidates);
        while (left.Count > 0 && verdicts.Count(v => v.Counts) < _settings.Sample)
        {
            int missing = Math.Min(left.Count, _settings.Sample - verdicts.Count(v => v.Counts));
            verdicts.AddRange(Judge(Enumerable.Range(0, missing).Select(_ => left.Dequeue()).ToArray()));
        }

        return verdicts;
    }
}
