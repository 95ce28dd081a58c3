using System.IO.Pipes;
using System.Security.Principal;

namespace NamedPipeShim;

/// <summary>
/// Options of a client end (<c>nps_client_options</c>). What is out of range is refused, naming the option, when it is set
/// if it is negative and when it is used otherwise (contract O3).
/// </summary>
public sealed class NamedPipeClientOptions
{
    private TimeSpan _timeout;
    private int _readAhead = 65_536;
    private int _writeLimit = 65_536;
    private string _serverName = ".";
    private TokenImpersonationLevel _impersonationLevel = TokenImpersonationLevel.Identification;
    private PipeServerOwner _serverOwner;
    private HandleInheritability _inheritability;

    /// <summary>The server's name, short or full; see <see cref="NamedPipeServerOptions.Name"/>.</summary>
    public required string Name { get; set; }

    /// <summary>
    /// Which way bytes flow, seen from this end; default <see cref="PipeDirection.InOut"/>. It must fit the server's.
    /// </summary>
    public PipeDirection Direction { get; set; } = PipeDirection.InOut;

    /// <summary>
    /// How this end reads; default <see cref="PipeMode.Byte"/>, which Windows allows on a message pipe, too (contract R4).
    /// </summary>
    public PipeMode Mode { get; set; }

    /// <summary>
    /// How long opening tries again while the name is not there or busy:
    /// <see cref="TimeSpan.Zero"/> (default) is one try; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>
    /// (contract K2). <see cref="NamedPipe.OpenClient(NamedPipeClientOptions)"/> blocks its thread meanwhile,
    /// <see cref="NamedPipeStream.ConnectAsync(NamedPipeClientOptions,NamedPipeEventLoop?,CancellationToken)"/> none.
    /// Parts of a millisecond are rounded up.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative and not infinite.</exception>
    public TimeSpan Timeout
    {
        get => _timeout;
        set
        {
            if (value < TimeSpan.Zero && value != System.Threading.Timeout.InfiniteTimeSpan)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(value), value, "Timeout must not be negative, but for Timeout.InfiniteTimeSpan.");
            }

            _timeout = value;
        }
    }

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
    /// The machine; <c>.</c> (default) is this one. On Linux another is <see cref="NotSupportedException"/> at use.
    /// </summary>
    /// <exception cref="ArgumentException">The value is null or empty.</exception>
    public string ServerName
    {
        get => _serverName;
        set
        {
            ArgumentException.ThrowIfNullOrEmpty(value, nameof(ServerName));
            _serverName = value;
        }
    }

    /// <summary>
    /// What the server may do in our name; default <see cref="TokenImpersonationLevel.Identification"/>: learn who we
    /// are, not act as us
    /// (contract K3). On Linux no server may act as its client and every one learns who it is: the other levels are
    /// <see cref="NotSupportedException"/> at use.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is <see cref="TokenImpersonationLevel.None"/>, with which
    /// Windows would
    /// let the server act as us, or none of the enumeration's.</exception>
    public TokenImpersonationLevel ImpersonationLevel
    {
        get => _impersonationLevel;
        set
        {
            if (value is < TokenImpersonationLevel.Anonymous or > TokenImpersonationLevel.Delegation)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(value), value, "ImpersonationLevel must be Anonymous, Identification, Impersonation or Delegation.");
            }

            _impersonationLevel = value;
        }
    }

    /// <summary>Whose server it may be; another one is <see cref="NamedPipeError.AccessDenied"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration's.</exception>
    public PipeServerOwner ServerOwner
    {
        get => _serverOwner;
        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)value, (uint)PipeServerOwner.Anyone, nameof(ServerOwner));
            _serverOwner = value;
        }
    }

    /// <summary>Whether programs that this one starts inherit the handle; default
    /// <see cref="HandleInheritability.None"/>.</summary>
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

    internal NamedPipeClientOptions Copy() => (NamedPipeClientOptions)MemberwiseClone();
}
