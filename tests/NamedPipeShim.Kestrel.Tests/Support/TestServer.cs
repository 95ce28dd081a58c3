using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Kestrel.Tests.Support;

/// <summary>A Kestrel that serves one pipe, with HTTP/1.1 or with HTTP/2.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private TestServer(WebApplication application, string name, Version version)
    {
        Application = application;
        Name = name;
        Version = version;
    }

    public WebApplication Application { get; }

    public string Name { get; }

    public Version Version { get; }

    public static async Task<TestServer> StartAsync(
        Version version,
        Action<WebApplication> map,
        Action<NamedPipeShimTransportOptions>? configure = null,
        string? name = null,
        Action<WebApplicationBuilder>? build = null,
        Action<ListenOptions>? listen = null)
    {
        name ??= PipeNames.New();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseNamedPipeShim(options => configure?.Invoke(options));
        builder.WebHost.ConfigureKestrel(server => server.Listen(
            new NamedPipeEndPoint(name),
            options =>
            {
                options.Protocols = version.Major == 2 ? HttpProtocols.Http2 : HttpProtocols.Http1;
                listen?.Invoke(options);
            }));
        build?.Invoke(builder);
        WebApplication application = builder.Build();
        map(application);
        await application.StartAsync().InTime();
        return new TestServer(application, name, version);
    }

    public HttpClient NewClient(ClientKind kind = ClientKind.Ours) => HttpOverPipe.New(Name, Version, kind);

    /// <summary>Writes a pattern as a response's body; <paramref name="flushing"/> is told of each flush
    /// whether it was done at once.</summary>
    public static async Task SendPatternAsync(
        HttpContext context, long size, int seed, Action<bool>? flushing = null)
    {
        for (long sent = 0; sent < size;)
        {
            int count = (int)Math.Min(16_384, size - sent);
            Span<byte> bytes = context.Response.BodyWriter.GetSpan(count);
            for (int i = 0; i < count; i++)
            {
                bytes[i] = Pattern.At(sent + i, seed);
            }

            context.Response.BodyWriter.Advance(count);
            sent += count;
            Task flush = context.Response.BodyWriter.FlushAsync(context.RequestAborted).AsTask();
            flushing?.Invoke(flush.IsCompleted);
            await flush;
        }
    }

    /// <summary>Reads a body to its end, and verifies that it is the pattern; returns its length.</summary>
    public static async Task<long> VerifyPatternAsync(Stream body, int seed)
    {
        byte[] buffer = new byte[65_536];
        long total = 0;
        for (int count; (count = await body.ReadAsync(buffer)) > 0; total += count)
        {
            Pattern.Verify(buffer.AsSpan(0, count), seed, total);
        }

        return total;
    }

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource now = new();
        now.Cancel(); // what still runs is aborted
        await Application.StopAsync(now.Token).InTime();
        await Application.DisposeAsync().InTime();
    }
}
