using NamedPipeShim.Benchmarks.Contestants;

namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>How this program starts itself as a child.</summary>
internal static class ManagedChild
{
    public const string Argument = "--child";

    public static CommandLine Command(string who)
    {
        CommandLine command = Command(Argument, who);
        return who == SystemIoPipesContestant.WhoInline
            ? command.With(SystemIoPipesContestant.InlineSwitch, "1")
            : command;
    }

    /// <summary>The same with another argument; the environment is inherited.</summary>
    public static CommandLine Command(string argument, string who) =>
        new(Environment.ProcessPath!, [.. Prefix(), argument, who], new Dictionary<string, string>());

    /// <summary>
    /// Started by <c>dotnet benchmarks.dll</c>, the process is dotnet's; started by its own host, it is ours.
    /// </summary>
    private static string[] Prefix() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "dotnet"
            ? [Path.Combine(AppContext.BaseDirectory, "benchmarks.dll")]
            : [];
}
