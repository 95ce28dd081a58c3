namespace NamedPipeShim;

/// <summary>
/// An operation on a named pipe failed for a reason outside the program: the peer, the name, or the system.
/// </summary>
/// <remarks>
/// What the program did wrong has other types: <see cref="ArgumentException"/> names the argument or option,
/// <see cref="ObjectDisposedException"/> speaks of a closed pipe or poller, <see cref="InvalidOperationException"/> of a
/// call at the wrong time, <see cref="NotSupportedException"/> of what this system or this kind of pipe cannot do.
/// </remarks>
public class NamedPipeException : IOException
{
    /// <summary>Creates an exception that says nothing.</summary>
    public NamedPipeException()
        : this("An operation on a named pipe failed.", NamedPipeError.IO, 0)
    {
    }

    /// <summary>Creates an exception with a message.</summary>
    /// <param name="message">What went wrong.</param>
    public NamedPipeException(string? message)
        : this(message, NamedPipeError.IO, 0)
    {
    }

    /// <summary>Creates an exception with a message and a cause.</summary>
    /// <param name="message">What went wrong.</param>
    /// <param name="innerException">The cause.</param>
    public NamedPipeException(string? message, Exception? innerException)
        : base(message, innerException)
    {
        Error = NamedPipeError.IO;
    }

    /// <summary>Creates an exception for an error.</summary>
    /// <param name="message">What went wrong.</param>
    /// <param name="error">The kind of error, the same on every system.</param>
    /// <param name="nativeErrorCode">The system's own code, or 0.</param>
    public NamedPipeException(string? message, NamedPipeError error, int nativeErrorCode)
        : base(message)
    {
        Error = error;
        NativeErrorCode = nativeErrorCode;
        if (nativeErrorCode != 0)
        {
            // As in the base class library: an HRESULT of the Windows code, and the bare errno elsewhere.
            HResult = OperatingSystem.IsWindows() ? unchecked((int)0x80070000) | (nativeErrorCode & 0xFFFF) : nativeErrorCode;
        }
    }

    /// <summary>Creates an exception for an error that has a cause.</summary>
    /// <param name="message">What went wrong.</param>
    /// <param name="error">The kind of error, the same on every system.</param>
    /// <param name="innerException">The cause.</param>
    public NamedPipeException(string? message, NamedPipeError error, Exception? innerException)
        : base(message, innerException)
    {
        Error = error;
    }

    /// <summary>The kind of error, the same on every system.</summary>
    public NamedPipeError Error { get; }

    /// <summary>The system's own code (GetLastError or errno), or 0 where there is none.</summary>
    public int NativeErrorCode { get; }
}
