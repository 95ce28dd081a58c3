using NamedPipeShim.Interop;

namespace NamedPipeShim;

/// <content>Connecting, reading and writing. Nothing here blocks, and nothing allocates unless it throws.</content>
public sealed partial class NamedPipe
{
    /// <summary>
    /// Server: accepts a client (<c>nps_pipe_connect</c>; contract C1 to C6). On a client end it answers
    /// <see cref="PipeStatus.Ok"/>.
    /// </summary>
    /// <returns><see cref="PipeStatus.Ok"/>: connected, now or before; a client that came and left counts: its bytes can be
    /// read, then comes end of stream. <see cref="PipeStatus.WouldBlock"/>: a writable event will come, or an error event,
    /// after which <see cref="TakeError"/> tells and this may be called again.</returns>
    /// <exception cref="NamedPipeException">The system refused.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PipeStatus TryConnect() => StatusOf(_handle.Connect());

    /// <summary>
    /// Server: ends the connection, or the connecting (<c>nps_pipe_disconnect</c>; contract C7). Unread bytes and errors of
    /// the old connection are gone, readiness is cleared, and <see cref="TryConnect"/> works again.
    /// </summary>
    /// <param name="listen">Whether to listen for the next client in the same step (contract C8).</param>
    /// <returns>With <paramref name="listen"/> what <see cref="TryConnect"/> answers; otherwise
    /// <see cref="PipeStatus.Ok"/>.</returns>
    /// <exception cref="NotSupportedException">A client end: dispose it.</exception>
    /// <exception cref="NamedPipeException">The system refused.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PipeStatus Disconnect(bool listen = false) => StatusOf(_handle.Disconnect(listen));

    /// <summary>
    /// Reads what is there (<c>nps_pipe_read</c>; contract R1 to R5).
    /// </summary>
    /// <param name="buffer">Takes the bytes. An empty one is <see cref="PipeStatus.Ok"/> with 0.</param>
    /// <param name="bytesRead">How many bytes came.</param>
    /// <returns><see cref="PipeStatus.Ok"/>: there were bytes. <see cref="PipeStatus.WouldBlock"/>: nothing now, a readable
    /// event will come. <see cref="PipeStatus.EndOfStream"/>: the peer closed and all was read.
    /// <see cref="PipeStatus.MoreData"/>: a part of a message.</returns>
    /// <exception cref="NotSupportedException">A pipe that only writes.</exception>
    /// <exception cref="NamedPipeException">A server without a client that is not connecting
    /// (<see cref="NamedPipeError.NotConnected"/>), or the system reported an error.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PipeStatus TryRead(Span<byte> buffer, out int bytesRead) => StatusOf(_handle.Read(buffer, out bytesRead));

    /// <summary>
    /// Writes what fits (<c>nps_pipe_write</c>; contract W1 to W6). The bytes were taken over when this returns; what was
    /// accepted is delivered in order unless the peer closes or the pipe is aborted.
    /// </summary>
    /// <param name="buffer">The bytes. An empty one is <see cref="PipeStatus.Ok"/> and does nothing.</param>
    /// <param name="bytesWritten">How many bytes were accepted: offer the rest again.</param>
    /// <returns><see cref="PipeStatus.Ok"/>: some or all bytes were accepted. <see cref="PipeStatus.WouldBlock"/>: none now, a
    /// writable event will come.</returns>
    /// <exception cref="NotSupportedException">A pipe that only reads.</exception>
    /// <exception cref="NamedPipeException">The peer closed (<see cref="NamedPipeError.BrokenPipe"/>, again and again until
    /// disconnect), a server without a client that is not connecting (<see cref="NamedPipeError.NotConnected"/>), or the
    /// system reported another error.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PipeStatus TryWrite(ReadOnlySpan<byte> buffer, out int bytesWritten) =>
        StatusOf(_handle.Write(buffer, out bytesWritten));

    /// <summary>
    /// Bytes that were accepted and are not yet in the system's hands (<c>nps_pipe_flush_state</c>). While it is not 0, a
    /// writable event will follow when they are gone.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    /// <exception cref="NamedPipeException">The system reported an error.</exception>
    public long UnsentBytes
    {
        get
        {
            NativeError.ThrowIfError(_handle.FlushState(out ulong unsent), nameof(NamedPipe));
            return (long)unsent;
        }
    }

    /// <summary>
    /// Takes the error of something that failed in the background, a connect or an accepted write, once
    /// (<c>nps_pipe_take_error</c>; contract C5, W4).
    /// </summary>
    /// <returns>The error, not thrown; null if there is none. It can still be taken after the pipe or its poller was
    /// closed.</returns>
    /// <exception cref="ObjectDisposedException">The pipe was disposed.</exception>
    public NamedPipeException? TakeError()
    {
        NativeError.ThrowIfError(_handle.TakeError(out NativeResult error), nameof(NamedPipe));
        return error.IsError ? NativeError.ToPipeException(error) : null;
    }

    private static PipeStatus StatusOf(NativeResult result)
    {
        if (result.IsError)
        {
            NativeError.Throw(result, nameof(NamedPipe));
        }

        return (PipeStatus)result.Status;
    }
}
