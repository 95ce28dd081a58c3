namespace NamedPipeShim;

/// <summary>
/// Who is at the other end of a pipe (contract I1). What is not known is null. Decide by the user, never by the process: its id may
/// be another program's by the time it is looked at, and a process may hand its end to another.
/// </summary>
/// <remarks>More may be told in later versions.</remarks>
public readonly record struct PeerIdentity
{
    /// <summary>The process that opened the client end, or that made the server; null if it has no id here (Linux: another pid
    /// namespace).</summary>
    public int? ProcessId { get; init; }

    /// <summary>A SID (<c>S-1-5-21-...</c>) on Windows, a user id in decimal on Linux. Null on a Windows server that has not read from
    /// its client yet, and of a client that stays anonymous.</summary>
    public string? UserId { get; init; }

    /// <summary>The user's name, where finding it asks no other machine: our own user's, and root's.</summary>
    public string? UserName { get; init; }
}
