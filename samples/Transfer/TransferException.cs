namespace NamedPipeShim.Samples.Transfer;

/// <summary>A transfer failed for a reason that is not the system's: the other end, the file, or the protocol.</summary>
internal sealed class TransferException(string message) : IOException(message);
