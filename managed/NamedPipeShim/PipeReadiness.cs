namespace NamedPipeShim;

/// <summary>What an event says. The bits are those of <c>nps_readiness</c>.</summary>
[Flags]
public enum PipeReadiness
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A read will give data, end of stream or an error.</summary>
    Readable = 1,

    /// <summary>A write will accept bytes or fail; for a server: a client has connected.</summary>
    Writable = 2,

    /// <summary>The peer will send no more; what it sent before can still be read.</summary>
    Closed = 4,

    /// <summary>Something failed in the background; <see cref="NamedPipe.TakeError"/> says what.</summary>
    Error = 8,

    /// <summary>Not a pipe: <see cref="NamedPipePoller.Wake"/> was called, and the token is the one given there.</summary>
    Wake = 16,
}
