using System.IO.Pipes;
using System.Net;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Kestrel.Tests.Support;

/// <summary>Makes real HTTP clients whose connections are pipes.</summary>
internal static class HttpOverPipe
{
    public static HttpClient New(string name, Version version, ClientKind kind = ClientKind.Ours)
    {
        SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (_, token) => kind == ClientKind.Ours
                ? await NamedPipeStream.ConnectAsync(
                    new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }, loop: null, token)
                : await ConnectTheirsAsync(name, token),
        };
        return new HttpClient(handler)
        {
            BaseAddress = new Uri("http://pipe/"),
            DefaultRequestVersion = version,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact, // HTTP/2 by prior knowledge
            Timeout = Deadline.Step,
        };
    }

    private static async Task<Stream> ConnectTheirsAsync(string name, CancellationToken token)
    {
        NamedPipeClientStream stream = new(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
        await stream.ConnectAsync((int)Deadline.Step.TotalMilliseconds, token);
        return stream;
    }
}
