namespace NamedPipeShim;

/// <summary>Options of a pipe that is made of a handle (<c>nps_adopt_options</c>).</summary>
public sealed class NamedPipeHandleOptions
{
    private int _readAhead = 65_536;
    private int _writeLimit = 65_536;

    /// <summary>Bytes that the library may read ahead; see <see cref="NamedPipeServerOptions.ReadAhead"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative; the upper bound is checked at use.</exception>
    public int ReadAhead
    {
        get => _readAhead;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(ReadAhead));
            _readAhead = value;
        }
    }

    /// <summary>Bytes that one write accepts at most: 1 to 16,777,216; default 65,536.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive; the upper bound is checked at use.</exception>
    public int WriteLimit
    {
        get => _writeLimit;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(WriteLimit));
            _writeLimit = value;
        }
    }
}
