namespace NamedPipeShim.Samples.Transfer;

/// <summary>How one transfer ended, as the receiver sees it.</summary>
/// <param name="Name">The file's name, fit to be shown; null if it never came.</param>
/// <param name="Length">How many bytes were received and, if it is verified, all there are.</param>
/// <param name="Elapsed">From the connection to the end.</param>
/// <param name="Hash">SHA-256 of the data; empty if they did not all come.</param>
/// <param name="Problem">What went wrong; null: the file was verified.</param>
internal sealed record ReceivedTransfer(string? Name, long Length, TimeSpan Elapsed, byte[] Hash, string? Problem);
