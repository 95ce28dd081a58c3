using NamedPipeShim.Interop;

namespace NamedPipeShim;

/// <summary>
/// Tells which of many pipes can be read or written now: one for each loop (thread).
/// </summary>
/// <remarks>
/// <para>
/// One thread at a time may be inside <see cref="Wait"/>; everything else may be called from any thread at any time, also
/// <see cref="Dispose"/> while another thread waits. The library creates no thread and calls nothing back.
/// </para>
/// <para>
/// Events are edges: "became readable". A direction is armed when a pipe is registered and by a call that answered
/// would-block or moved fewer bytes than it was offered; becoming ready disarms it and yields one event. So read until
/// would-block, or until a read gives fewer bytes than its buffer holds, then wait (contract P2). A needless event may
/// come; a missing one never.
/// </para>
/// </remarks>
public sealed class NamedPipePoller : IDisposable
{
    private readonly SafeNamedPipePollerHandle _handle;

    /// <summary>Creates a poller (<c>nps_poll_create</c>: a completion port on Windows, an epoll descriptor on Linux).</summary>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range; the parameter name says which.</exception>
    /// <exception cref="NamedPipeException">The system has no handle left.</exception>
    /// <exception cref="DllNotFoundException">The native library is missing or does not match.</exception>
    public NamedPipePoller(NamedPipePollerOptions? options = null)
    {
        _handle = SafeNamedPipePollerHandle.Create(options);
    }

    /// <summary>The native object. It stays the poller's: do not dispose it.</summary>
    public SafeNamedPipePollerHandle SafeNamedPipePollerHandle => _handle;

    /// <summary>
    /// Waits until there is an event, the time has passed, or another thread wakes or disposes the poller
    /// (<c>nps_poll_wait</c>; contract P1). Lingering closes are driven by this call. Allocates nothing.
    /// </summary>
    /// <param name="events">Takes the events, one for each pipe; there must be room for at least one.</param>
    /// <param name="timeout">How long, in whole milliseconds (parts are rounded up): <see cref="TimeSpan.Zero"/> looks once,
    /// <see cref="Timeout.InfiniteTimeSpan"/> waits without an end.</param>
    /// <returns>How many events there are; 0 after the time has passed.</returns>
    /// <exception cref="ArgumentException"><paramref name="events"/> is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite.</exception>
    /// <exception cref="InvalidOperationException">Another thread is waiting on this poller (contract P4).</exception>
    /// <exception cref="ObjectDisposedException">The poller was disposed, before or meanwhile.</exception>
    public int Wait(Span<PipeEvent> events, TimeSpan timeout)
    {
        // The native library refuses it too, but could call it a null pointer: an empty span has no address.
        if (events.IsEmpty)
        {
            throw new ArgumentException("There must be room for at least one event.", nameof(events));
        }

        NativeResult result = _handle.Wait(events, Milliseconds.From(timeout, nameof(timeout)), out int count);
        if (result.IsError)
        {
            NativeError.Throw(result, nameof(NamedPipePoller));
        }

        return count;
    }

    /// <summary>
    /// Makes the wait that is running, or the next one, yield one event with <see cref="PipeReadiness.Wake"/>
    /// (<c>nps_poll_wake</c>; contract P3). Wakes that come before the event is handed out are one: the last token counts.
    /// </summary>
    /// <param name="token">The event's token.</param>
    /// <exception cref="ObjectDisposedException">The poller was disposed.</exception>
    public void Wake(nuint token) => NativeError.ThrowIfError(_handle.Wake(token), nameof(NamedPipePoller));

    /// <summary>
    /// Closes the poller and every pipe that is bound to it (<c>nps_poll_close</c>; contract P7). A thread in
    /// <see cref="Wait"/> leaves it with <see cref="ObjectDisposedException"/>.
    /// </summary>
    /// <remarks>
    /// Blocks until the system has let go of every buffer. Lingering closes are carried to their end or their time limit
    /// first: dispose the pipes whose last bytes are to arrive, then the poller; <see cref="NamedPipe.Abort"/> the others.
    /// </remarks>
    public void Dispose()
    {
        _handle.CloseQuietly();
        _handle.Dispose();
    }
}
