namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>How this program starts itself as a child.</summary>
internal static class ManagedChild
{
    public const string Argument = "--child";

    public static CommandLine Command(string who) =>
        new(Environment.ProcessPath!, [.. Prefix(), Argument, who], new Dictionary<string, string>());

    /// <summary>
    /// Started by <c>dotnet benchmarks.dll</c>, the process is dotnet's; started by its own host, it is ours.
    /// </summary>
    private static string[] Prefix() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "dotnet"
            ? [Path.Combine(AppContext.BaseDirectory, "benchmarks.dll")]
            : [];
}
