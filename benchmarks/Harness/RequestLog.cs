namespace NamedPipeShim.Benchmarks.Harness;

/// <summary>
/// What Wine's server logs: <c>0024: select( flags=…</c> is a request of thread 24, <c>0024: select() = …</c> its reply.
/// </summary>
internal sealed class RequestLog(string file) : IDisposable
{
    private const int ThreadDigits = 4;

    private readonly StreamReader _reader = new(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
    private readonly HashSet<string> _ignored = [];

    /// <summary>Requests since the last call.</summary>
    public long Count() => Requests().LongCount(thread => !_ignored.Contains(thread));

    /// <summary>From now on, threads that asked before do not count.</summary>
    public void IgnoreThreadsSoFar() => _ignored.UnionWith(Requests());

    public void Dispose() => _reader.Dispose();

    /// <summary>The thread of each new request.</summary>
    private IEnumerable<string> Requests()
    {
        while (_reader.ReadLine() is { } line)
        {
            int colon = line.IndexOf(": ", StringComparison.Ordinal);
            int bracket = line.IndexOf('(', StringComparison.Ordinal);
            if (colon == ThreadDigits && bracket > colon && bracket + 1 < line.Length && line[bracket + 1] != ')'
                && char.IsAsciiLetterLower(line[colon + 2]))
            {
                yield return line[..ThreadDigits];
            }
        }
    }
}
