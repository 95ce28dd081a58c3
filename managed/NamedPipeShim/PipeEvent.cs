using System.Runtime.InteropServices;

namespace NamedPipeShim;

/// <summary>
/// One pipe's readiness, as <see cref="NamedPipePoller.Wait"/> hands it out; all that is ready of one pipe is one event.
/// </summary>
/// <remarks>Laid out as <c>nps_event</c>, so that a wait fills the caller's memory and copies nothing.</remarks>
[StructLayout(LayoutKind.Sequential)]
public readonly struct PipeEvent : IEquatable<PipeEvent>
{
    private readonly ulong _token;
    private readonly uint _readiness;
    private readonly uint _reserved;

    /// <summary>Creates an event, as a test of an event loop may want to.</summary>
    /// <param name="token">The token.</param>
    /// <param name="readiness">What is ready.</param>
    public PipeEvent(nuint token, PipeReadiness readiness)
    {
        _token = token;
        _readiness = (uint)readiness;
        _reserved = 0;
    }

    /// <summary>The token given to register, reregister or wake.</summary>
    public nuint Token => (nuint)_token;

    /// <summary>What is ready.</summary>
    public PipeReadiness Readiness => (PipeReadiness)_readiness;

    /// <summary>Whether a read will give data, end of stream or an error.</summary>
    public bool IsReadable => (Readiness & PipeReadiness.Readable) != 0;

    /// <summary>Whether a write will accept bytes or fail; for a server: whether a client has connected.</summary>
    public bool IsWritable => (Readiness & PipeReadiness.Writable) != 0;

    /// <summary>Whether the peer will send no more; what it sent before can still be read.</summary>
    public bool IsClosed => (Readiness & PipeReadiness.Closed) != 0;

    /// <summary>Whether something failed in the background; <see cref="NamedPipe.TakeError"/> says what.</summary>
    public bool IsError => (Readiness & PipeReadiness.Error) != 0;

    /// <summary>Whether this is no pipe's event but that of <see cref="NamedPipePoller.Wake"/>.</summary>
    public bool IsWake => (Readiness & PipeReadiness.Wake) != 0;

    /// <summary>Whether two events are the same.</summary>
    /// <param name="left">One event.</param>
    /// <param name="right">The other.</param>
    /// <returns>True when token and readiness are equal.</returns>
    public static bool operator ==(PipeEvent left, PipeEvent right) => left.Equals(right);

    /// <summary>Whether two events differ.</summary>
    /// <param name="left">One event.</param>
    /// <param name="right">The other.</param>
    /// <returns>True when token or readiness differ.</returns>
    public static bool operator !=(PipeEvent left, PipeEvent right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(PipeEvent other) => _token == other._token && _readiness == other._readiness;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is PipeEvent other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_token, _readiness);

    /// <summary>Token and readiness, for a log.</summary>
    /// <returns>For example <c>7: Readable, Closed</c>.</returns>
    public override string ToString() => $"{_token}: {Readiness}";
}
