namespace NamedPipeShim;

/// <summary>Options of a <see cref="NamedPipeListener"/>.</summary>
public sealed class NamedPipeListenerOptions
{
    private int _instancesAhead = 4;

    /// <summary>
    /// Server instances that are kept ready beyond the connections that were handed out: so many clients can connect before
    /// somebody accepts them; default 4. On Windows a client that finds none is told <see cref="NamedPipeError.PipeBusy"/>; on
    /// Linux the system keeps a queue of its own besides.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not 1 to 254.</exception>
    public int InstancesAhead
    {
        get => _instancesAhead;
        set
        {
            if (value is < 1 or > 254)
            {
                throw new ArgumentOutOfRangeException(nameof(value), value, "InstancesAhead must be 1 to 254.");
            }

            _instancesAhead = value;
        }
    }

    /// <summary>The loop that drives the listener and its streams; null: <see cref="NamedPipeEventLoop.Default"/>.</summary>
    public NamedPipeEventLoop? EventLoop { get; set; }
}
