using System.IO.Pipes;

namespace NamedPipeShim;

/// <summary>
/// Options of a server instance (<c>nps_server_options</c>). Unless asked otherwise the current user alone may connect,
/// as with
/// <see cref="PipeOptions.CurrentUserOnly"/>. The options are independent of each other (contract O2); what is out
/// of range is refused, naming the option, when it is set if it is negative and when it is used otherwise (contract O3).
/// </summary>
public sealed class NamedPipeServerOptions
{
    /// <summary>The value of <see cref="MaxInstances"/> for "as many as the system gives".</summary>
    public const int UnlimitedInstances = -1;

    private static readonly TimeSpan s_longestDefaultTimeout = TimeSpan.FromMilliseconds(int.MaxValue);

    private int _maxInstances = UnlimitedInstances;
    private int _inBufferSize;
    private int _outBufferSize;
    private int _readAhead = 65_536;
    private int _writeLimit = 65_536;
    private TimeSpan _defaultTimeout;
    private HandleInheritability _inheritability;

    /// <summary>
    /// The pipe's name: short (<c>demo</c>) or full (Windows: <c>\\.\pipe\demo</c>; Linux: an absolute path). A short name
    /// is where System.IO.Pipes has it too.
    /// </summary>
    public required string Name { get; set; }

    /// <summary>Which way bytes flow, seen from this end; default <see cref="PipeDirection.InOut"/>.</summary>
    public PipeDirection Direction { get; set; } = PipeDirection.InOut;

    /// <summary>
    /// Whether the pipe carries bytes or messages; default <see cref="PipeMode.Byte"/>. All instances of a name agree. On
    /// Linux
    /// a message pipe is a SOCK_SEQPACKET socket, at a path of its own: for this library at both ends (contract R4).
    /// </summary>
    public PipeMode Mode { get; set; }

    /// <summary>
    /// Instances of this name at most: 1 to 254, or <see cref="UnlimitedInstances"/> (default). On Windows all instances of
    /// a name give the same number; on Linux those of this process are counted.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of these.</exception>
    public int MaxInstances
    {
        get => _maxInstances;
        set
        {
            if (value is not (UnlimitedInstances or (>= 1 and <= 254)))
            {
                throw new ArgumentOutOfRangeException(
                    nameof(value), value, "MaxInstances must be 1 to 254, or UnlimitedInstances.");
            }

            _maxInstances = value;
        }
    }

    /// <summary>Whether to fail with <see cref="NamedPipeError.AccessDenied"/> if the name exists already; default
    /// false.</summary>
    public bool FirstInstance { get; set; }

    /// <summary>
    /// Bytes that the kernel keeps for the direction towards this end; 0 (default) leaves it to the library (Windows:
    /// 65,536; Linux: the system's own); at most 16,777,216.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative; the upper bound is checked at use.</exception>
    public int InBufferSize
    {
        get => _inBufferSize;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(InBufferSize));
            _inBufferSize = value;
        }
    }

    /// <summary>Bytes that the kernel keeps for the direction away from this end; as <see cref="InBufferSize"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative; the upper bound is checked at use.</exception>
    public int OutBufferSize
    {
        get => _outBufferSize;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(OutBufferSize));
            _outBufferSize = value;
        }
    }

    /// <summary>
    /// Bytes that the library may read ahead for this pipe; default 65,536, at most 1,048,576 and never more than the
    /// poller's buffer size. 0: never; the pipe holds no buffer, and data goes straight into the caller's memory.
    /// </summary>
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
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive; the upper bound is checked at
    /// use.</exception>
    public int WriteLimit
    {
        get => _writeLimit;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(WriteLimit));
            _writeLimit = value;
        }
    }

    /// <summary>
    /// Windows: how long WaitNamedPipe waits if its caller leaves that to the server; <see cref="TimeSpan.Zero"/>
    /// (default) is the
    /// system's 50 ms. Parts of a millisecond are rounded up. Linux has no such thing:
    /// <see cref="NotSupportedException"/> at use if it
    /// is not zero.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative, or more than <see cref="int.MaxValue"/>
    /// ms.</exception>
    public TimeSpan DefaultTimeout
    {
        get => _defaultTimeout;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, nameof(DefaultTimeout));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, s_longestDefaultTimeout, nameof(DefaultTimeout));
            _defaultTimeout = value;
        }
    }

    /// <summary>
    /// Whether programs that this one starts inherit the handle; default <see cref="HandleInheritability.None"/>. On
    /// Linux that
    /// of each connection.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration's.</exception>
    public HandleInheritability Inheritability
    {
        get => _inheritability;
        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)value, (uint)HandleInheritability.Inheritable, nameof(Inheritability));
            _inheritability = value;
        }
    }

    /// <summary>
    /// Whether clients of other machines may connect, too; default false. Linux knows none:
    /// <see cref="NotSupportedException"/> at use.
    /// </summary>
    public bool AllowRemoteClients { get; set; }

    /// <summary>
    /// Whether processes with less privilege are kept out, too; default false: every process of the current user may
    /// connect.
    /// Windows: none of a lower integrity level, so that an elevated server has elevated clients only. Linux makes no such
    /// difference within a user.
    /// </summary>
    public bool CurrentElevationOnly { get; set; }

    /// <summary>
    /// Windows: a security descriptor in SDDL, which says who may connect instead of "the current user"; default null. For a
    /// second instance it must let our own user make one (<c>FA</c>). On Linux <see cref="NotSupportedException"/> at use.
    /// </summary>
    public string? SecurityDescriptor { get; set; }

    /// <summary>
    /// Linux: the permissions of the socket file, which say who may connect instead of "the current user": whoever may
    /// write it. The
    /// nine of user, group and others; default null. On Windows <see cref="NotSupportedException"/> at use.
    /// </summary>
    public UnixFileMode? UnixFileMode { get; set; }

    /// <summary>Linux, beside <see cref="UnixFileMode"/>: the id of the socket file's group; default null: as the system
    /// has it.</summary>
    public uint? UnixGroup { get; set; }

    internal NamedPipeServerOptions Copy() => (NamedPipeServerOptions)MemberwiseClone();
}
