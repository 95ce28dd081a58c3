using NamedPipeShim;
using StreamJsonRpc;

namespace RpcSample;

/// <summary>A server and a client that are connected by a pipe, each with an object that the other may call.</summary>
internal sealed class RpcConnection : IAsyncDisposable
{
    private static int s_count;

    private readonly NamedPipeListener _listener;

    private RpcConnection(NamedPipeListener listener, NamedPipeStream serverStream, NamedPipeStream clientStream, Transport transport)
    {
        _listener = listener;
        ServerStream = serverStream;
        Target = new ServerTarget { Client = () => Server! };
        Server = Attach(serverStream, Target, transport);
        Client = Attach(clientStream, new ClientTarget(), transport);
    }

    public NamedPipeStream ServerStream { get; }

    public ServerTarget Target { get; }

    /// <summary>The server's end: it calls the client.</summary>
    public JsonRpc Server { get; }

    /// <summary>The client's end: it calls the server.</summary>
    public JsonRpc Client { get; }

    public static async Task<RpcConnection> NewAsync(Transport transport)
    {
        string name = $"rpc-{Environment.ProcessId}-{++s_count}";
        NamedPipeListener listener = NamedPipeListener.Listen(name);
        NamedPipeStream client = await NamedPipeStream.ConnectAsync(name);
        return new RpcConnection(listener, await listener.AcceptAsync(), client, transport);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose(); // and with it the stream
        Server.Dispose();
        await _listener.DisposeAsync();
    }

    private static JsonRpc Attach(NamedPipeStream stream, object target, Transport transport) =>
        transport == Transport.Stream ? JsonRpc.Attach(stream, target) : AttachToPipe(stream, target);

    private static JsonRpc AttachToPipe(NamedPipeStream stream, object target)
    {
        var rpc = new JsonRpc(new HeaderDelimitedMessageHandler(stream.AsDuplexPipe(), new SystemTextJsonFormatter()), target);
        rpc.StartListening();
        return rpc;
    }
}
