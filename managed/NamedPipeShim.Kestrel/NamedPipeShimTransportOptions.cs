using Microsoft.AspNetCore.Connections;

namespace NamedPipeShim.Kestrel;

/// <summary>Options of the transport that <see cref="NamedPipeShimTransportExtensions"/> adds.</summary>
public sealed class NamedPipeShimTransportOptions
{
    private long _maxReadBufferSize = 1 << 20;
    private long _maxWriteBufferSize = 1 << 16;
    private TimeSpan _closeDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>The loop that drives the listeners and their connections; null (default):
    /// <see cref="NamedPipeEventLoop.Default"/>. Whoever made it disposes it, after the server has stopped.</summary>
    public NamedPipeEventLoop? EventLoop { get; set; }

    /// <summary>Server instances that are kept ready for clients, as
    /// <see cref="NamedPipeListenerOptions.InstancesAhead"/>: 1 to 254; default 4.</summary>
    public int InstancesAhead { get; set; } = new NamedPipeListenerOptions().InstancesAhead;

    /// <summary>Bytes of a connection that are received and not yet consumed by the application, at most: then nothing is read
    /// until it has consumed half of them, and the pipe's own buffers make the client wait. 0: no limit; default 1 MiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long MaxReadBufferSize
    {
        get => _maxReadBufferSize;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _maxReadBufferSize = value;
        }
    }

    /// <summary>Bytes of a connection that the application has written and the pipe has not yet taken, at most: then its flush
    /// waits until half of them are gone. 0: no limit; default 64 KiB.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long MaxWriteBufferSize
    {
        get => _maxWriteBufferSize;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _maxWriteBufferSize = value;
        }
    }

    /// <summary>Whether a connection waits for data before it takes a buffer from the pool, so that idle ones hold none; default true. As
    /// <c>SocketTransportOptions.WaitForDataBeforeAllocatingBuffer</c> of ASP.NET Core. False: less work for each of the bytes that
    /// come, a copy of which is saved, and a buffer for each idle connection.</summary>
    public bool WaitForDataBeforeAllocatingBuffer { get; set; } = true;

    /// <summary>How long a connection that the server has finished stays open for the client to close it first; default 200
    /// ms.</summary>
    /// <remarks>A pipe that is closed fails the client's next write, and many clients then give up what they have not read
    /// yet: an HTTP/2 client writes while it reads. <see cref="TimeSpan.Zero"/>: not at all, for protocols in which the
    /// close is what the client waits for.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public TimeSpan CloseDelay
    {
        get => _closeDelay;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            _closeDelay = value;
        }
    }

    /// <summary>Gives the options of the server instances of an endpoint: who may connect, buffer sizes and the rest. Called
    /// once for each bind; <see cref="CreateDefaultServerOptions"/> is the default, and a good beginning for a method
    /// of one's own.</summary>
    public Func<NamedPipeEndPoint, NamedPipeServerOptions> CreateServerOptions { get; set; } = CreateDefaultServerOptions;

    /// <summary>The library's default options, under the endpoint's name; the name must not be served by anybody else.</summary>
    /// <param name="endPoint">The endpoint.</param>
    /// <returns>New options.</returns>
    public static NamedPipeServerOptions CreateDefaultServerOptions(NamedPipeEndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return new NamedPipeServerOptions { Name = endPoint.PipeName, FirstInstance = true };
    }
}
