using System.IO.Pipes;
using System.Net;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Kestrel.Tests.Support;

/// <summary>Makes real HTTP clients whose connections are pipes.</summary>
internal static class HttpOverPipe
{
    public static HttpClient New(string name, Version version, ClientKind kind = ClientKind.Ours) =>
        New(NewHandler(name, kind), version);

    public static HttpClient New(SocketsHttpHandler handler, Version version, string scheme = "http") => new(handler)
    {
        BaseAddress = new Uri($"{scheme}://pipe/"),
        DefaultRequestVersion = version,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact, // HTTP/2 without TLS: by prior knowledge
        Timeout = Deadline.Step,
    };

    /// <summary>A handler whose connections are pipes; <paramref name="connected"/> is told of each.</summary>
    public static SocketsHttpHandler NewHandler(
        string name, ClientKind kind = ClientKind.Ours, Action<Stream>? connected = null) => new()
        {
            ConnectCallback = async (_, token) =>
            {
                Stream stream = kind == ClientKind.Ours
                    ? await NamedPipeStream.ConnectAsync(
                        new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }, loop: null, token)
                    : await ConnectTheirsAsync(name, token);
                connected?.Invoke(stream);
                return stream;
            },
        };

    private static async Task<Stream> ConnectTheirsAsync(string name, CancellationToken token)
    {
        NamedPipeClientStream stream = new(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
        await stream.ConnectAsync((int)Deadline.Step.TotalMilliseconds, token);
        return stream;
    }
}
