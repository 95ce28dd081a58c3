using Microsoft.Win32.SafeHandles;

namespace NamedPipeShim;

/// <content>The other end, and the handle underneath.</content>
public sealed partial class NamedPipeStream
{
    /// <summary>Who is at the other end. It is asked for each time: on Windows a server learns its client's user with the first
    /// read.</summary>
    /// <exception cref="NamedPipeException">The system does not tell.</exception>
    /// <exception cref="ObjectDisposedException">The stream was closed.</exception>
    public PeerIdentity Peer => Pipe.GetPeer();

    /// <summary>The system's handle, lent: disposing it closes nothing. It is valid while the stream is open, and reading or writing it
    /// behind the stream's back breaks the stream. A handle can only be given away before there is a stream:
    /// <see cref="NamedPipe.ExportHandle"/>.</summary>
    /// <exception cref="ObjectDisposedException">The stream was closed.</exception>
    public SafePipeHandle SafePipeHandle => new(Pipe.DangerousGetOSHandle(), ownsHandle: false);

    /// <summary>Makes a stream of the handle of a connected pipe, for example one of System.IO.Pipes. The stream owns it from then on, as
    /// <see cref="NamedPipe.FromHandle"/> says; on failure nothing has changed, but where it says so.</summary>
    /// <param name="handle">The handle.</param>
    /// <param name="options">Options of the pipe, or null for the defaults.</param>
    /// <param name="loop">The loop; null: <see cref="NamedPipeEventLoop.Default"/>.</param>
    /// <returns>The stream.</returns>
    /// <exception cref="InvalidOperationException">Windows: the handle is bound to another completion port for ever, as one that
    /// System.IO.Pipes opened for asynchronous use; it was closed.</exception>
    /// <exception cref="ObjectDisposedException">The loop was disposed; the handle was closed.</exception>
    /// <inheritdoc cref="NamedPipe.FromHandle" path="/exception"/>
    public static NamedPipeStream FromHandle(
        SafePipeHandle handle, NamedPipeHandleOptions? options = null, NamedPipeEventLoop? loop = null) =>
        Own(NamedPipe.FromHandle(handle, options), loop);
}
