namespace NamedPipeShim;

/// <content>Which poller reports on the pipe, and how.</content>
public sealed partial class NamedPipe
{
    /// <summary>
    /// Binds the pipe to a poller and starts it (<c>nps_pipe_register</c>; contract P5, P9). A pipe that is connected starts
    /// reading and yields writable. After <see cref="Deregister"/> it can be registered again, with the same poller.
    /// </summary>
    /// <param name="poller">The poller.</param>
    /// <param name="token">Comes with every event of this pipe.</param>
    /// <param name="interest">Readable, writable or both.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="interest"/> is none of these.</exception>
    /// <exception cref="InvalidOperationException">It is registered already, was registered with another poller, or its
    /// handle is bound to another completion port.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or the poller was closed.</exception>
    public void Register(NamedPipePoller poller, nuint token, PipeInterest interest)
    {
        ArgumentNullException.ThrowIfNull(poller);
        Check(_handle.Register(poller.SafeNamedPipePollerHandle, token, (uint)interest));
        Volatile.Write(ref _poller, poller);
    }

    /// <summary>
    /// Changes token and interest, and reports anew what is ready now (<c>nps_pipe_reregister</c>; contract P6).
    /// </summary>
    /// <param name="token">Comes with every event of this pipe from now on.</param>
    /// <param name="interest">Readable, writable or both.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="interest"/> is none of these.</exception>
    /// <exception cref="InvalidOperationException">The pipe is not registered.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public void Reregister(nuint token, PipeInterest interest) =>
        Check(_handle.Reregister(token, (uint)interest));

    /// <summary>
    /// Ends the reports: no <see cref="NamedPipePoller.Wait"/> that starts after this has returned yields an event of this
    /// pipe (<c>nps_pipe_deregister</c>). Reading and writing go on working.
    /// </summary>
    /// <exception cref="InvalidOperationException">The pipe is not registered.</exception>
    /// <exception cref="ObjectDisposedException">The pipe or its poller was closed.</exception>
    public void Deregister() => Check(_handle.Deregister());
}
