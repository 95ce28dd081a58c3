using System.Diagnostics;
using System.Text.RegularExpressions;

namespace NamedPipeShim.Mutants;

/// <summary>
/// One worker's place: a copy of the sources, libraries with a mutant in them, and a folder for sockets. A mutant costs the
/// compilation of its file and a link; programs are never linked again, they load the library from here.
/// </summary>
internal sealed partial class Workshop
{
    private static readonly TimeSpan s_toolTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_testTime = TimeSpan.FromSeconds(150);

    private readonly Settings _settings;
    private readonly IReadOnlyList<CompileCommand> _commands;
    private readonly string _programs;
    private readonly string _folder;
    private readonly string _libraries;
    private readonly Dictionary<string, string> _environment;

    public Workshop(Settings settings, IReadOnlyList<CompileCommand> commands, string programs, string folder,
        IReadOnlyDictionary<string, string> environment)
    {
        _settings = settings;
        _commands = commands;
        _programs = programs;
        _folder = folder;
        _libraries = Path.Combine(folder, "lib");
        string sockets = Path.Combine(folder, "tmp");
        _ = Directory.CreateDirectory(_libraries);
        _ = Directory.CreateDirectory(sockets, (UnixFileMode)0b001_111_111_111); // as /tmp is: some cases become another user
        File.SetUnixFileMode(sockets, (UnixFileMode)0b001_111_111_111);
        Copy(Path.Combine(settings.Source, "native"), Path.Combine(folder, "native"));
        foreach (string program in Directory.EnumerateFiles(programs))
        {
            if (settings.Windows || program.EndsWith(".so", StringComparison.Ordinal))
            {
                File.Copy(program, Path.Combine(_libraries, Path.GetFileName(program))); // a DLL is looked for beside the program
            }
        }

        _environment = new Dictionary<string, string>(environment)
        {
            ["TMPDIR"] = sockets,
            ["LD_LIBRARY_PATH"] = _libraries,
        };
        if (!settings.Windows) // of Wine's own memory it makes more than the tests allow
        {
            _environment["GLIBC_TUNABLES"] = "glibc.malloc.perturb=165"; // what was freed does not look as it did
        }
    }

    /// <summary>What becomes of these when there is no mutant: null, or what failed.</summary>
    public string? Without(IEnumerable<Step> steps)
    {
        return steps.Select(Attempt).FirstOrDefault(by => by != null);
    }

    /// <summary>A case that is not there would end its program as a failed one does.</summary>
    public void CheckNames(IEnumerable<Mutant> mutants)
    {
        foreach (IGrouping<string, string[]> named in mutants.Select(m => m.First.Split(' ')).Where(w => w.Length > 1).GroupBy(w => w[0]))
        {
            string[] command = _settings.Windows
                ? ["wine", Path.Combine(_libraries, named.Key + ".exe"), "--list"]
                : [Path.Combine(_programs, named.Key), "--list"];
            var known = Command.Tool(s_toolTime, _libraries, _environment, command).Split(['.', '\r', '\n']).ToHashSet();
            if (named.FirstOrDefault(w => !known.Contains(w[1])) is { } wrong)
            {
                throw new MutantsException($"chosen.txt: {wrong[0]} has no case {wrong[1]}");
            }
        }
    }

    public Verdict Judge(Mutant mutant)
    {
        long began = Stopwatch.GetTimestamp();
        string path = Path.Combine(_folder, mutant.File);
        string original = File.ReadAllText(path);
        try
        {
            File.WriteAllText(path, mutant.Apply(original));
            (Outcome outcome, string by) = Outcome(mutant);
            var verdict = new Verdict(mutant, outcome, by, Stopwatch.GetElapsedTime(began));
            _settings.Log(verdict);
            return verdict;
        }
        finally
        {
            File.WriteAllText(path, original);
        }
    }

    private (Outcome Outcome, string By) Outcome(Mutant mutant)
    {
        var made = new HashSet<string>();
        foreach (Step step in Plan.For(mutant, _settings.Windows, _settings.Effort))
        {
            if (made.Add(step.Library))
            {
                switch (Make(step.Library, mutant))
                {
                    case Mutants.Outcome.DoesNotCompile:
                        return (Mutants.Outcome.DoesNotCompile, "");
                    case Mutants.Outcome.Same:
                        return (Mutants.Outcome.Same, "");
                    default:
                        break;
                }
            }

            if (Attempt(step) is { } by)
            {
                return (Mutants.Outcome.Caught, by);
            }
        }

        return (Mutants.Outcome.Survived, "");
    }

    /// <summary>Compiles the mutated file into the library; of a header, all files.</summary>
    private Outcome Make(string library, Mutant mutant)
    {
        var objects = new List<string>();
        bool same = true;
        bool header = mutant.File.EndsWith(".h", StringComparison.Ordinal);
        foreach (CompileCommand command in _commands.Where(c => c.Library == library))
        {
            if (command.Source != mutant.File && !header)
            {
                objects.Add(command.Object);
                continue;
            }

            string output = Path.Combine(_libraries, $"{objects.Count}.o");
            CommandResult result = Command.Run(s_toolTime, null, _settings.Build, _environment,
                command.For(_settings.Source, _folder, output), _ => null);
            if (result.ExitCode != 0)
            {
                return Mutants.Outcome.DoesNotCompile;
            }

            same = same && File.ReadAllBytes(output).AsSpan().SequenceEqual(File.ReadAllBytes(command.Object));
            objects.Add(output);
        }

        string[] system = _settings.Windows ? ["-static", "-static-libgcc", "-ladvapi32", "-lntdll"] : ["-pthread"];
        string compiler = _commands[0].Arguments[0];
        string target = Path.Combine(_libraries, LibraryName(library));
        File.Delete(target);
        _ = Command.Tool(s_toolTime, _folder, _environment, [compiler, "-shared", "-o", target, .. objects, .. system]);
        return same ? Mutants.Outcome.Same : Mutants.Outcome.Caught;
    }

    private string LibraryName(string library) => $"libnps_mutants_{library}{(_settings.Windows ? ".dll" : ".so")}";

    /// <summary>Null: it passed; else which test did not, and how.</summary>
    private string? Attempt(Step step)
    {
        string[] command = _settings.Windows
            ? ["wine", Path.Combine(_libraries, step.Program + ".exe"), .. step.Arguments]
            : [Path.Combine(_programs, step.Program), .. step.Arguments];
        string last = "";
        CommandResult result = Command.Run(s_testTime, _settings.Windows ? 0 : step.ProcessorSeconds, _libraries,
            _environment, command, line =>
            {
                last = CaseEnd().Match(line) is { Success: true } match ? match.Groups[1].Value : last;
                return line.StartsWith("FAIL ", StringComparison.Ordinal) ? line : null;
            });
        string what = step.Program;
        if (result.Failure is { } failure && !failure.EndsWith("(helper thread)", StringComparison.Ordinal))
        {
            return CaseEnd().Match(failure) is { Success: true } match
                ? $"{what} {match.Groups[1].Value}"
                : $"{what}: {failure[(failure.IndexOf(": ", StringComparison.Ordinal) + 2)..]}";
        }

        if (result is { ExitCode: 0, TimedOut: false, Failure: null })
        {
            return null;
        }

        string where = step.Arguments is [{ } only] ? $" {only}" : last.Length > 0 ? $", after {last}" : "";
        // A shell and the kernel name a signal differently; SIGXCPU and SIGKILL are our limit on the processor's time.
        int signal = result.ExitCode > 128 ? result.ExitCode - 128 : 0;
        string how = result.Failure != null ? "a thread of it fails" : result.TimedOut || signal is 9 or 24 ? "hangs" : signal != 0 ? "crashes" : $"ends with {result.ExitCode}";
        return $"{what}{where}: {how}";
    }

    private static void Copy(string from, string to)
    {
        _ = Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from).Where(f => Path.GetExtension(f) is ".c" or ".h"))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        foreach (string folder in Directory.EnumerateDirectories(from).Where(f => Path.GetFileName(f) is not ("bin" or "obj")))
        {
            Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }

    [GeneratedRegex(@"^(?:ok|FAIL|skip) +(test_\w+)")]
    private static partial Regex CaseEnd();
}
