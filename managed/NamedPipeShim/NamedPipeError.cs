namespace NamedPipeShim;

/// <summary>Why an operation on a pipe failed. The numbers are those of <c>nps_status</c>.</summary>
public enum NamedPipeError
{
    /// <summary>No error.</summary>
    None = 0,

    /// <summary>Nobody serves that name (contract K1).</summary>
    NotFound = -7,

    /// <summary>Open: every instance has a client (Windows), the backlog is full (Linux). Create: as many instances as
    /// allowed are there already.</summary>
    PipeBusy = -8,

    /// <summary>Not allowed; or create: somebody else has the name (contract O4).</summary>
    AccessDenied = -9,

    /// <summary>What is at that name, or what was to be adopted, is not a named pipe.</summary>
    NotAPipe = -11,

    /// <summary>Windows: the handle was not opened for overlapped I/O.</summary>
    NotOverlapped = -12,

    /// <summary>There is no client yet, or none any more; connect first.</summary>
    NotConnected = -13,

    /// <summary>Write: the peer has closed (contract W3).</summary>
    BrokenPipe = -14,

    /// <summary>It took longer than it was given.</summary>
    TimedOut = -15,

    /// <summary>The process or the system has no handle left.</summary>
    TooManyHandles = -16,

    /// <summary>Any other failure of the system; <see cref="NamedPipeException.NativeErrorCode"/> says which.</summary>
    IO = -18,
}
