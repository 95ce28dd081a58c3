using System.Globalization;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>What Linux tells of a process from outside.</summary>
internal static class ProcFile
{
    /// <summary>
    /// Private_Dirty of /proc/PID/smaps_rollup, in bytes: what is this process's alone. Null if it is gone.
    /// </summary>
    public static long? PrivateMemory(int processId)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{processId}/smaps_rollup")
                .FirstOrDefault(text => text.StartsWith("Private_Dirty:", StringComparison.Ordinal));
            string[] words = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
            return words.Length > 1 ? long.Parse(words[1], CultureInfo.InvariantCulture) * 1024 : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The process and all that it started.</summary>
    public static IReadOnlyList<int> Tree(int processId)
    {
        List<int> tree = [processId];
        for (int i = 0; i < tree.Count; i++)
        {
            try
            {
                foreach (string task in Directory.GetDirectories($"/proc/{tree[i]}/task"))
                {
                    tree.AddRange(File.ReadAllText(Path.Combine(task, "children"))
                        .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                        .Select(word => int.Parse(word, CultureInfo.InvariantCulture)));
                }
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
        }

        return tree;
    }

    /// <summary>How many descriptors a process may open at most.</summary>
    public static long HardDescriptorLimit()
    {
        string? line = File.ReadLines("/proc/self/limits")
            .FirstOrDefault(text => text.StartsWith("Max open files", StringComparison.Ordinal));
        string[] words = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return words.Length > 4 && long.TryParse(words[4], CultureInfo.InvariantCulture, out long limit)
            ? limit
            : long.MaxValue;
    }
}
