using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace NamedPipeShim.Kestrel;

/// <summary>Has Kestrel serve <see cref="NamedPipeEndPoint"/>s by NamedPipeShim.</summary>
/// <remarks>
/// Of several transports that can serve an endpoint Kestrel takes the one that was added last. On Windows it has one of its own for
/// named pipes: so call these after <c>UseKestrel</c>, as a program does that has a <c>WebApplicationBuilder</c>.
/// Endpoints of other kinds stay with their transports.
/// </remarks>
public static class NamedPipeShimTransportExtensions
{
    /// <summary>Adds the transport with its default options.</summary>
    /// <param name="hostBuilder">The host's builder.</param>
    /// <returns>The same builder.</returns>
    public static IWebHostBuilder UseNamedPipeShim(this IWebHostBuilder hostBuilder)
    {
        ArgumentNullException.ThrowIfNull(hostBuilder);
        return hostBuilder.ConfigureServices(services => services.AddNamedPipeShimTransport());
    }

    /// <summary>Adds the transport.</summary>
    /// <param name="hostBuilder">The host's builder.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns>The same builder.</returns>
    public static IWebHostBuilder UseNamedPipeShim(
        this IWebHostBuilder hostBuilder, Action<NamedPipeShimTransportOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(hostBuilder);
        ArgumentNullException.ThrowIfNull(configure);
        return hostBuilder.ConfigureServices(services => services.AddNamedPipeShimTransport().Configure(configure));
    }

    /// <summary>Adds the transport to a collection of services; options are set by <c>Configure</c>.</summary>
    /// <param name="services">The services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddNamedPipeShimTransport(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddOptions()
            .AddSingleton<IConnectionListenerFactory, NamedPipeShimTransportFactory>();
    }
}
