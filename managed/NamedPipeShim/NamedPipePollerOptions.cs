namespace NamedPipeShim;

/// <summary>Options of a <see cref="NamedPipePoller"/> (<c>nps_poll_options</c>).</summary>
public sealed class NamedPipePollerOptions
{
    private int _poolBuffers = 256;
    private int _poolBufferSize = 65_536;

    /// <summary>
    /// Read-ahead buffers at most, shared by all pipes of the poller and made when first needed: 0 (pipes only probe) to
    /// 65,536; default 256. Linux reads into the caller's memory and needs none.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative; the upper bound is checked at use.</exception>
    public int PoolBuffers
    {
        get => _poolBuffers;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(PoolBuffers));
            _poolBuffers = value;
        }
    }

    /// <summary>Bytes of each of those buffers: 4,096 to 1,048,576; default 65,536.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative; the bounds are checked at use.</exception>
    public int PoolBufferSize
    {
        get => _poolBufferSize;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(PoolBufferSize));
            _poolBufferSize = value;
        }
    }
}
