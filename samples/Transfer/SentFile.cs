namespace NamedPipeShim.Samples.Transfer;

/// <summary>A file that arrived and was verified.</summary>
internal sealed record SentFile(string Path, long Length, TimeSpan Elapsed, byte[] Hash);
