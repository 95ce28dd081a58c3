using NamedPipeShim.Generated;
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
    /// <exception cref="NotSupportedException">The pipe was retired, and its connection has ended.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PipeStatus TryConnect() => StatusOf(_handle.Connect());

    /// <summary>
    /// Server: ends the connection, or the connecting (<c>nps_pipe_disconnect</c>; contract C7). Unread bytes and errors of
    /// the old connection are gone, readiness is cleared, and <see cref="TryConnect"/> works again.
    /// </summary>
    /// <param name="listen">Whether to listen for the next client in the same step (contract C8).</param>
    /// <returns>With <paramref name="listen"/> what <see cref="TryConnect"/> answers; otherwise
    /// <see cref="PipeStatus.Ok"/>.</returns>
    /// <exception cref="NotSupportedException">A client end: dispose it. Or with <paramref name="listen"/> a pipe that was
    /// retired; its connection has ended all the same.</exception>
    /// <exception cref="NamedPipeException">The system refused.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PipeStatus Disconnect(bool listen = false)
    {
        PipeStatus status = StatusOf(_handle.Disconnect(listen));
        Volatile.Write(ref _hasCompletedWrites, false);
        return status;
    }

    /// <summary>
    /// Server with a client: says that this instance will not listen again (<c>nps_pipe_retire</c>; contract C10). The
    /// connection goes on; said twice, it does nothing.
    /// </summary>
    /// <remarks>
    /// The instance counts for <see cref="NamedPipeServerOptions.MaxInstances"/> until it is disposed. On Linux the name is given
    /// up when the last instance that was not retired is disposed or retired: a client that nobody has accepted sees the
    /// end, one that comes later is told <see cref="NamedPipeError.NotFound"/>, and the name can be taken anew. On Windows, where
    /// an instance that has a client does not listen in any case, the name is taken while an instance lives, and a client is told
    /// <see cref="NamedPipeError.PipeBusy"/>.
    /// </remarks>
    /// <exception cref="NotSupportedException">A client end.</exception>
    /// <exception cref="NamedPipeException">There is no client (<see cref="NamedPipeError.NotConnected"/>): dispose the
    /// pipe.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public void Retire() => Check(_handle.Retire());

    /// <summary>Retires a pipe that is connected; of one that was closed there is nothing to say.</summary>
    internal void RetireQuietly() => _handle.RetireQuietly();

    /// <summary>
    /// Reads what is there (<c>nps_pipe_read</c>; contract R1 to R5).
    /// </summary>
    /// <param name="buffer">Takes the bytes. An empty one is <see cref="PipeStatus.Ok"/> with 0; on a message
    /// pipe it tells whether a message is there (<see cref="PipeStatus.MoreData"/>), and takes an empty one.</param>
    /// <param name="bytesRead">How many bytes came.</param>
    /// <returns><see cref="PipeStatus.Ok"/>: there were bytes; of a message pipe: the message, or the last part of one,
    /// and with 0 bytes an
    /// empty message. <see cref="PipeStatus.WouldBlock"/>: nothing now, a readable
    /// event will come. <see cref="PipeStatus.EndOfStream"/>: the peer closed and all was read.
    /// <see cref="PipeStatus.MoreData"/>: a part of a message; the rest comes with the next reads.</returns>
    /// <exception cref="NotSupportedException">A pipe that only writes.</exception>
    /// <exception cref="NamedPipeException">A server without a client that is not connecting
    /// (<see cref="NamedPipeError.NotConnected"/>), or the system reported an error.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PipeStatus TryRead(Span<byte> buffer, out int bytesRead) => StatusOf(_handle.Read(buffer, out bytesRead));

    /// <summary>
    /// Writes what fits (<c>nps_pipe_write</c>; contract W1 to W6). The bytes were taken over when this returns; what was
    /// accepted is delivered in order unless the peer closes or the pipe is aborted.
    /// </summary>
    /// <param name="buffer">The bytes. An empty one is <see cref="PipeStatus.Ok"/> and does nothing on a byte pipe; on a
    /// message pipe it is
    /// an empty message (contract W6). A message is accepted whole or not at all.</param>
    /// <param name="bytesWritten">How many bytes were accepted: offer the rest again.</param>
    /// <returns><see cref="PipeStatus.Ok"/>: some or all bytes were accepted. <see cref="PipeStatus.WouldBlock"/>: none
    /// now, a
    /// writable event will come.</returns>
    /// <exception cref="ArgumentException">A message longer than <see cref="PipeInfo.MaxMessageSize"/>; nothing was
    /// sent.</exception>
    /// <exception cref="InvalidOperationException"><see cref="TryCompleteWrites"/> was called.</exception>
    /// <exception cref="NotSupportedException">A pipe that only reads.</exception>
    /// <exception cref="NamedPipeException">The peer closed (<see cref="NamedPipeError.BrokenPipe"/>, again and again until
    /// disconnect), a server without a client that is not connecting (<see cref="NamedPipeError.NotConnected"/>), or the
    /// system reported another error.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PipeStatus TryWrite(ReadOnlySpan<byte> buffer, out int bytesWritten) =>
        WriteStatusOf(_handle.Write(buffer, out bytesWritten));

    /// <summary>
    /// Says that this end will write no more; reading goes on (<c>nps_pipe_shutdown</c>; contract W7).
    /// </summary>
    /// <returns><see cref="PipeStatus.Ok"/>: said; writes throw <see cref="InvalidOperationException"/> from now on, until
    /// disconnect. Linux: the peer reads what was written, then end of stream. A message pipe on Windows: the peer gets
    /// an empty
    /// message, which it must know to be the end. <see cref="PipeStatus.WouldBlock"/>: a write is under way (Windows); call
    /// again after the writable event.</returns>
    /// <exception cref="NotSupportedException">A byte pipe on Windows; a pipe that only reads.</exception>
    /// <exception cref="InvalidOperationException">It was said before.</exception>
    /// <exception cref="NamedPipeException">Nobody is at the other end (<see cref="NamedPipeError.NotConnected"/>), or
    /// another
    /// error.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public PipeStatus TryCompleteWrites()
    {
        PipeStatus status = WriteStatusOf(_handle.Shutdown());
        if (status == PipeStatus.Ok)
        {
            Volatile.Write(ref _hasCompletedWrites, true);
        }

        return status;
    }

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
            Check(_handle.FlushState(out ulong unsent));
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
        Check(_handle.TakeError(out NativeResult error));
        return error.IsError ? NativeError.ToPipeException(error, Name) : null;
    }

    /// <summary>The native library calls an end that was said to write no more closed; this tells it from a closed
    /// pipe.</summary>
    private PipeStatus WriteStatusOf(NativeResult result)
    {
        if (result.Is(nps_status.NPS_E_CLOSED)
            && Volatile.Read(ref _hasCompletedWrites)
            && !_handle.Info(out _).IsError)
        {
            throw new InvalidOperationException("TryCompleteWrites has said that this end writes no more." + NativeError.Of(Name));
        }

        return StatusOf(result);
    }
}
