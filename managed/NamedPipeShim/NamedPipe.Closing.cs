using NamedPipeShim.Interop;

namespace NamedPipeShim;

/// <content>The ends that a pipe can come to.</content>
public sealed partial class NamedPipe
{
    /// <summary>
    /// How long a pipe that is disposed goes on delivering, in the background, what
    /// <see cref="TryWrite(ReadOnlySpan{byte},out int)"/> accepted:
    /// 5 seconds. Use <see cref="Close"/> for another time.
    /// </summary>
    public static TimeSpan DefaultLinger { get; } = TimeSpan.FromMilliseconds(DefaultLingerMilliseconds);

    private const long DefaultLingerMilliseconds = 5_000;

    /// <summary>
    /// Closes the pipe, never blocking (<c>nps_pipe_close</c>; contract X1, X2). What
    /// <see cref="TryWrite(ReadOnlySpan{byte},out int)"/> accepted is
    /// still delivered, for <paramref name="linger"/> at most, while somebody waits on the poller or in the poller's
    /// Dispose. No <see cref="NamedPipePoller.Wait"/> that starts after this has returned yields an event of this pipe.
    /// </summary>
    /// <param name="linger">How long (parts of a millisecond are rounded up): zero gives up what cannot be delivered at
    /// once; <see cref="Timeout.InfiniteTimeSpan"/> goes on until the bytes are gone or the peer closes.</param>
    /// <returns>True: all is done. False: it goes on in the background; <see cref="Abort"/> would end it.</returns>
    /// <remarks>Dispose the pipe all the same: it does not end a lingering close, and gives the memory back.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="linger"/> is negative and not infinite.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed before.</exception>
    public bool Close(TimeSpan linger) =>
        StatusOf(_handle.Close(Milliseconds.From(linger, nameof(linger)))) == PipeStatus.Ok;

    /// <summary>
    /// Closes at once; bytes still in the library's hands are lost (<c>nps_pipe_abort</c>). Ends a lingering close too. On a
    /// pipe that is closed or disposed it does nothing.
    /// </summary>
    public void Abort() => _handle.AbortQuietly();

    /// <summary>
    /// Closes the pipe, if that was not done, with <see cref="DefaultLinger"/>, and gives its memory back. Never blocks; a
    /// lingering close goes on in the background. A pipe that is not disposed is aborted when it is collected.
    /// </summary>
    public void Dispose()
    {
        _handle.CloseQuietly(DefaultLingerMilliseconds);
        _handle.Dispose();
    }
}
