using System.Buffers;
using System.IO.Pipes;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace NamedPipeShim.Kestrel;

/// <summary>Listens on <see cref="NamedPipeEndPoint"/>s. For those who build their own server of connections;
/// with Kestrel <see cref="NamedPipeShimTransportExtensions"/> adds it.</summary>
public sealed class NamedPipeShimTransportFactory : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private const string ThisComputer = ".";

    private readonly NamedPipeShimTransportOptions _options;
    private readonly ILogger _log;
    private readonly IMemoryPoolFactory<byte>? _pools;

    /// <summary>Creates a factory.</summary>
    /// <param name="options">The options; read at each bind.</param>
    /// <param name="loggerFactory">Makes the log, whose category is <c>NamedPipeShim.Kestrel</c>.</param>
    /// <param name="memoryPoolFactory">Makes the pool that a listener's connections share; null:
    /// <see cref="MemoryPool{T}.Shared"/>.</param>
    public NamedPipeShimTransportFactory(
        IOptions<NamedPipeShimTransportOptions> options,
        ILoggerFactory loggerFactory,
        IMemoryPoolFactory<byte>? memoryPoolFactory = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggerFactory);
        _options = options.Value;
        _log = loggerFactory.CreateLogger("NamedPipeShim.Kestrel");
        _pools = memoryPoolFactory;
    }

    /// <summary>Whether an endpoint is a <see cref="NamedPipeEndPoint"/> of this computer.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <returns>True: <see cref="BindAsync"/> takes it.</returns>
    public bool CanBind(EndPoint endpoint) => endpoint is NamedPipeEndPoint { ServerName: ThisComputer };

    /// <summary>Takes the endpoint's name and begins to listen.</summary>
    /// <param name="endpoint">A <see cref="NamedPipeEndPoint"/> of this computer.</param>
    /// <param name="cancellationToken">Not used: it never waits.</param>
    /// <returns>The listener.</returns>
    /// <exception cref="NotSupportedException">Another kind of endpoint, or another computer's.</exception>
    /// <exception cref="AddressInUseException">Somebody else serves the name.</exception>
    /// <exception cref="ArgumentException">An option is not valid, or the pipe would carry messages or go one way
    /// only.</exception>
    /// <exception cref="NamedPipeException">The system refused for another reason.</exception>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        if (!CanBind(endpoint))
        {
            throw new NotSupportedException($"The endpoint is no named pipe of this computer: {endpoint}.");
        }

        NamedPipeEndPoint name = (NamedPipeEndPoint)endpoint;
        NamedPipeServerOptions server = _options.CreateServerOptions(name);
        if (server.Mode != PipeMode.Byte || server.Direction != PipeDirection.InOut)
        {
            throw new ArgumentException("A connection is a byte pipe that goes both ways.", nameof(endpoint));
        }

        try
        {
            NamedPipeListener listener = NamedPipeListener.Listen(
                server,
                new NamedPipeListenerOptions { InstancesAhead = _options.InstancesAhead, EventLoop = _options.EventLoop });
            return new(new PipeConnectionListener(name, listener, _options, _pools?.Create(), _log));
        }
        catch (NamedPipeException error) when (error.Error == NamedPipeError.AccessDenied && server.FirstInstance)
        {
            throw new AddressInUseException(error.Message, error);
        }
    }
}
