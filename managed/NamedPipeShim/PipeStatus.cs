namespace NamedPipeShim;

/// <summary>What a call that never blocks answers when nothing went wrong. The numbers are those of <c>nps_status</c>.</summary>
public enum PipeStatus
{
    /// <summary>It was done.</summary>
    Ok = 0,

    /// <summary>Not now; an event will say when to try again.</summary>
    WouldBlock = 1,

    /// <summary>The peer has closed and all that it sent was read. Stays so until disconnect or close (contract R3).</summary>
    EndOfStream = 2,

    /// <summary>Message mode: this was a part of a message, the rest follows (contract R4).</summary>
    MoreData = 3,
}
