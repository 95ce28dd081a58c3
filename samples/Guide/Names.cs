namespace NamedPipeShim.Samples.Guide;

/// <summary>Names that nobody else has, so that the guide may run twice at once.</summary>
internal static class Names
{
    public static string New(string what) => $"guide-{what}-{Environment.ProcessId}";
}
