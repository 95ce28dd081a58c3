using System.Text;
using System.Text.Json;

namespace NamedPipeShim.Mutants;

/// <summary>How one file of one library is compiled, as CMake wrote it down.</summary>
internal sealed record CompileCommand(string Library, string Source, string Object, IReadOnlyList<string> Arguments)
{
    /// <summary>The commands of the libraries `nps_mutants_…`; sources relative to the top of the repository.</summary>
    public static IReadOnlyList<CompileCommand> Load(string build, string source)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(Path.Combine(build, "compile_commands.json")));
        var commands = new List<CompileCommand>();
        foreach (JsonElement entry in document.RootElement.EnumerateArray())
        {
            string[] arguments = [.. Split(entry.GetProperty("command").GetString()!)];
            string output = arguments[Array.IndexOf(arguments, "-o") + 1];
            string? folder = output.Split('/').FirstOrDefault(part => part.StartsWith("nps_mutants_", StringComparison.Ordinal));
            if (folder != null)
            {
                string file = Path.GetRelativePath(source, entry.GetProperty("file").GetString()!);
                string library = folder["nps_mutants_".Length..^".dir".Length];
                commands.Add(new CompileCommand(library, file, Path.Combine(build, output), arguments));
            }
        }

        return commands;
    }

    /// <summary>The same for a copy of the sources, into another object file.</summary>
    public string[] For(string source, string copy, string output)
    {
        string[] changed = [.. Arguments.Select(a => a.Replace(source + "/native/", copy + "/native/", StringComparison.Ordinal))];
        changed[Array.IndexOf(changed, "-o") + 1] = output;
        return changed;
    }

    private static IEnumerable<string> Split(string command)
    {
        var word = new StringBuilder();
        bool quoted = false, any = false;
        for (int i = 0; i < command.Length; i++)
        {
            char c = command[i];
            if (c == '\\' && i + 1 < command.Length)
            {
                _ = word.Append(command[++i]);
                any = true;
            }
            else if (c == '"')
            {
                quoted = !quoted;
                any = true;
            }
            else if (c == ' ' && !quoted)
            {
                if (any)
                {
                    yield return word.ToString();
                }

                _ = word.Clear();
                any = false;
            }
            else
            {
                _ = word.Append(c);
                any = true;
            }
        }

        if (any)
        {
            yield return word.ToString();
        }
    }
}
