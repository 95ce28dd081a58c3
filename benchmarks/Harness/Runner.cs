using NamedPipeShim.Benchmarks.Contestants;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>Plays the cases: the contestants in turn, again and again, so that noise hits all alike; medians.</summary>
internal sealed class Runner(IHost host) : IDisposable
{
    private const int Repetitions = 7;
    private const double RepetitionNanoseconds = 100e6;

    private readonly Dictionary<string, Child> _children = [];
    private readonly List<string> _notes = [];

    /// <summary>Whether every contestant played every case to its end.</summary>
    public bool Sound { get; private set; } = true;

    public void Run(IReadOnlyList<BenchmarkCase> cases)
    {
        List<Result> results = [];
        foreach (BenchmarkCase benchmarkCase in cases)
        {
            results.AddRange(benchmarkCase.Scenario switch
            {
                _ when benchmarkCase.Scenario.IsIdle() => new IdleMemory(host).Run(benchmarkCase),
                _ when benchmarkCase.Scenario.IsTrial() => new Trial(host).Run(benchmarkCase),
                _ => Time(benchmarkCase),
            });
        }

        results = AddCounts(cases, results);
        foreach (IGrouping<(string, int, int), Result> rows in results.GroupBy(r => (r.Scenario, r.Size, r.Pipes)))
        {
            Table.Print([.. rows]);
        }

        Console.WriteLine();
        foreach (string note in _notes)
        {
            Console.WriteLine("note: " + note);
        }

        foreach (Result result in results)
        {
            Console.WriteLine(result.ToJson());
        }

        Sound &= results.All(result =>
            result.Note is null || result.UsPerOp is not null || result.BytesPerIdlePair is not null
            || result.P99Us is not null);
    }

    public void Dispose()
    {
        foreach (Child child in _children.Values)
        {
            child.Dispose();
        }
    }

    private List<Result> Time(BenchmarkCase benchmarkCase)
    {
        List<Entry> entries = [.. Contender.For(benchmarkCase.Scenario, host).Select(contender => new Entry(contender))];
        Progress(benchmarkCase, "warming up");
        foreach (Entry entry in entries)
        {
            Calibrate(benchmarkCase, entry);
        }

        for (int repetition = 0; repetition < Repetitions; repetition++)
        {
            Progress(benchmarkCase, $"{repetition + 1} of {Repetitions}");
            foreach (Entry entry in entries.Where(entry => entry.Failure is null))
            {
                Guard(entry, () => entry.Measures.Add(Ask(benchmarkCase, entry, entry.Operations)));
            }
        }

        return [.. entries.Select(entry => entry.ToResult(benchmarkCase, host))];
    }

    /// <summary>Finds how many operations take about a tenth of a second; the JIT's tiers come in meanwhile.</summary>
    private void Calibrate(BenchmarkCase benchmarkCase, Entry entry) => Guard(entry, () =>
    {
        long operations = Math.Max(64, benchmarkCase.Pipes);
        for (int i = 0; i < 4; i++)
        {
            double each = (double)Ask(benchmarkCase, entry, operations).Nanoseconds / operations;
            long wanted = Math.Clamp((long)(RepetitionNanoseconds / each), 16, operations * 20);
            operations = Play.Whole(wanted, benchmarkCase.Pipes);
        }

        entry.Operations = operations;
    });

    private Measure Ask(BenchmarkCase benchmarkCase, Entry entry, long operations)
    {
        Play play = benchmarkCase.ToPlay(entry.Contender, Math.Max(16, operations / 50), operations);
        return ChildOf(entry.Contender.Who).Ask(play, host.AnswerTime);
    }

    private Child ChildOf(string who)
    {
        if (!_children.TryGetValue(who, out Child? child))
        {
            child = new Child(host.CommandFor(who));
            _children.Add(who, child);
        }

        return child;
    }

    /// <summary>A contestant that fails is out of the case, and its program is started anew for the next.</summary>
    private void Guard(Entry entry, Action action)
    {
        try
        {
            action();
        }
        catch (BenchmarkException exception)
        {
            entry.Failure = exception.Message;
            if (_children.Remove(entry.Contender.Who, out Child? child))
            {
                child.Dispose();
            }
        }
    }

    private List<Result> AddCounts(IReadOnlyList<BenchmarkCase> cases, List<Result> results)
    {
        if (host.CallCounter is not { } counter)
        {
            _notes.Add(host.CallCounterNote ?? "system calls are not counted");
            return results;
        }

        // Nothing else is to run meanwhile.
        Dispose();
        _children.Clear();
        Dictionary<(Contender, BenchmarkCase), double> counts = [];
        BenchmarkCase[] timed = [.. cases.Where(c => !c.Scenario.IsIdle() && !c.Scenario.IsTrial())];
        IEnumerable<Contender> all = timed.SelectMany(c => Contender.For(c.Scenario, host)).Distinct();
        foreach (Contender contender in all.Where(c => c.Counted))
        {
            BenchmarkCase[] played = [.. timed.Where(c => Contender.For(c.Scenario, host).Contains(contender))];
            Progress(played[0], $"counting calls of {contender.Who}, {contender.Variant}");
            try
            {
                double[] values = counter.Count(contender, played);
                for (int i = 0; i < played.Length; i++)
                {
                    counts[(contender, played[i])] = values[i];
                }
            }
            catch (BenchmarkException exception)
            {
                _notes.Add($"calls of {contender.Who}, {contender.Variant} are not counted: {exception.Message}");
                Sound = false;
            }
        }

        return [.. results.Select(result => Counted(result, counts))];
    }

    private static Result Counted(Result result, Dictionary<(Contender, BenchmarkCase), double> counts)
    {
        foreach (((Contender contender, BenchmarkCase benchmarkCase), double count) in counts)
        {
            if (contender.Who == result.Who && contender.Variant == result.Variant && benchmarkCase.Size == result.Size
                && benchmarkCase.Pipes == result.Pipes && Entry.NameOf(benchmarkCase) == result.Scenario)
            {
                return result with { CallsPerOp = Math.Round(count, 2) };
            }
        }

        return result;
    }

    private static void Progress(BenchmarkCase benchmarkCase, string text) =>
        Console.Error.WriteLine($"{Entry.NameOf(benchmarkCase)} {benchmarkCase.Size} × {benchmarkCase.Pipes}: {text}");
}
