namespace NamedPipeShim;

/// <summary>What a read of a message brought (contract R4).</summary>
/// <param name="Count">Bytes that were read, all of one message.</param>
/// <param name="EndOfMessage">Whether they end the message; with <paramref name="Count"/> 0 it was an empty one. If not, the rest
/// comes with the next reads.</param>
/// <param name="EndOfStream">Whether there is no more message: the peer closed, and all that it had sent was read.</param>
public readonly record struct PipeReadResult(int Count, bool EndOfMessage, bool EndOfStream);
