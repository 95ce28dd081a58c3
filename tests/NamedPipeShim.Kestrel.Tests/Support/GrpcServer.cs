using System.Net;
using Grpc.AspNetCore.Server;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using NamedPipeShim.Kestrel.Tests.Calls;

namespace NamedPipeShim.Kestrel.Tests.Support;

/// <summary>A Kestrel that serves the tests' calls on a pipe, and makes real gRPC clients of it.</summary>
internal sealed class GrpcServer : IAsyncDisposable
{
    private readonly TestServer _server;

    private GrpcServer(TestServer server, TesterService service)
    {
        _server = server;
        Service = service;
    }

    public TesterService Service { get; }

    public WebApplication Application => _server.Application;

    public string Name => _server.Name;

    public static async Task<GrpcServer> StartAsync(
        Action<GrpcServiceOptions>? configure = null, string? name = null, Action<ListenOptions>? listen = null)
    {
        TesterService service = new();
        TestServer server = await TestServer.StartAsync(
            HttpVersion.Version20,
            application => application.MapGrpcService<TesterService>(),
            name: name,
            build: builder =>
            {
                builder.Services.AddSingleton(service);
                builder.Services.AddGrpc(options => configure?.Invoke(options));
            },
            listen: listen);
        return new GrpcServer(server, service);
    }

    public GrpcChannel NewChannel(
        ClientKind kind = ClientKind.Ours, Action<GrpcChannelOptions>? configure = null, Action<Stream>? connected = null) =>
        NewChannel("http", HttpOverPipe.NewHandler(Name, kind, connected), configure);

    public static GrpcChannel NewChannel(
        string scheme, SocketsHttpHandler handler, Action<GrpcChannelOptions>? configure = null)
    {
        GrpcChannelOptions options = new() { HttpHandler = handler, DisposeHttpClient = true };
        configure?.Invoke(options);
        return GrpcChannel.ForAddress($"{scheme}://pipe", options);
    }

    public static Tester.TesterClient ClientOf(GrpcChannel channel) => new(channel);

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
