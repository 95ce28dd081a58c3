using NamedPipeShim.Generated;
using NamedPipeShim.Interop;

namespace NamedPipeShim;

/// <content>What is known of the pipe and its peer. None of these calls waits for anything, or arms an event.</content>
public sealed partial class NamedPipe
{
    /// <summary>Direction, mode, buffer sizes and instances, as far as the system tells (<c>nps_pipe_info</c>; contract
    /// F1).</summary>
    /// <returns>What is known now.</returns>
    /// <exception cref="NamedPipeException">The system reported an error.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PipeInfo GetInfo()
    {
        Check(_handle.Info(out nps_info info));
        return new PipeInfo(info);
    }

    /// <summary>
    /// Looks at what a read would give now, without taking it (<c>nps_pipe_peek</c>; contract F1).
    /// </summary>
    /// <param name="buffer">Takes a copy of the first bytes; it may be empty.</param>
    /// <param name="bytesPeeked">How many were copied.</param>
    /// <param name="bytesAvailable">Bytes that can be read now, as far as is known; of a message pipe those of the next
    /// message,
    /// or of what is left of it.</param>
    /// <returns><see cref="PipeStatus.Ok"/>: there is something, if only an empty message (which Windows does not always
    /// show). <see cref="PipeStatus.WouldBlock"/>: nothing is there as far as is known, and no event is promised.
    /// <see cref="PipeStatus.EndOfStream"/>: the peer closed and all was read.</returns>
    /// <inheritdoc cref="TryRead" path="/exception"/>
    public PipeStatus TryPeek(Span<byte> buffer, out int bytesPeeked, out long bytesAvailable) =>
        StatusOf(_handle.Peek(buffer, out bytesPeeked, out bytesAvailable));

    /// <summary>Bytes that can be read now, as <see cref="TryPeek"/> tells; 0 at the end of the stream, too.</summary>
    /// <inheritdoc cref="TryRead" path="/exception"/>
    public long BytesAvailable
    {
        get
        {
            TryPeek([], out _, out long available);
            return available;
        }
    }

    /// <summary>
    /// Asks whether the peer has read all that was written (<c>nps_pipe_drain_state</c>; contract W8).
    /// </summary>
    /// <param name="unread">How much is left, in the system's memory for it, which is more than its bytes.</param>
    /// <returns><see cref="PipeStatus.Ok"/>: it has. <see cref="PipeStatus.WouldBlock"/>: not yet, and no event will say
    /// when.</returns>
    /// <exception cref="NotSupportedException">Windows, which cannot tell without blocking; a pipe that only
    /// reads.</exception>
    /// <exception cref="NamedPipeException">The peer closed without reading all
    /// (<see cref="NamedPipeError.BrokenPipe"/>), there is
    /// none (<see cref="NamedPipeError.NotConnected"/>), or another error.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PipeStatus GetDrainState(out long unread) => StatusOf(_handle.DrainState(out unread));

    /// <summary>
    /// The peer's process: the one that opened the client end, or that made the server (<c>nps_pipe_peer_process</c>;
    /// contract I1). It may have ended since, or have handed its end to another.
    /// </summary>
    /// <returns>Its id; null if it has none here (Linux: another pid namespace).</returns>
    /// <exception cref="NamedPipeException">Nobody is at the other end (<see cref="NamedPipeError.NotConnected"/>), or
    /// another
    /// error.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public int? GetPeerProcessId()
    {
        Check(_handle.PeerProcess(out uint process));
        return process == 0 ? null : unchecked((int)process);
    }

    /// <summary>
    /// The peer's user (<c>nps_pipe_peer_user</c>; contract I1): on Windows a SID (<c>S-1-5-21-...</c>), on Linux a user
    /// id in
    /// decimal, of the user that the peer ran as when it connected or began to listen.
    /// </summary>
    /// <param name="userId">The user; null unless <see cref="PipeStatus.Ok"/>.</param>
    /// <returns><see cref="PipeStatus.Ok"/>; or <see cref="PipeStatus.WouldBlock"/>: a server on Windows knows its
    /// client's user
    /// once it has read from it, and readable is the event.</returns>
    /// <exception cref="NamedPipeException">Nobody is at the other end (<see cref="NamedPipeError.NotConnected"/>), the
    /// client stays
    /// anonymous (<see cref="NamedPipeError.AccessDenied"/>), or another error.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PipeStatus TryGetPeerUser(out string? userId) => StatusOf(_handle.PeerUser(out userId));

    /// <summary>
    /// Who is at the other end: what <see cref="GetPeerProcessId"/> and <see cref="TryGetPeerUser"/> know now, and null
    /// for what they do
    /// not (contract I1).
    /// </summary>
    /// <returns>The peer.</returns>
    /// <exception cref="NamedPipeException">Nobody is at the other end (<see cref="NamedPipeError.NotConnected"/>), or
    /// another
    /// error.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PeerIdentity GetPeer()
    {
        int? process = GetPeerProcessId();
        NativeResult result = _handle.PeerUser(out string? user);
        if (!result.Is(nps_status.NPS_E_ACCESS_DENIED))
        {
            Check(result);
        }

        return new PeerIdentity { ProcessId = process, UserId = user, UserName = user is null ? null : UserNames.Of(user) };
    }
}
