using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Rpc.Tests.Support;

/// <summary>A server and a client that call each other over a pipe, both ends of which are ours.</summary>
internal sealed class RpcPair : IDisposable
{
    private readonly StreamPair _streams;

    private RpcPair(StreamPair streams, RpcView view, RpcFormat format)
    {
        _streams = streams;
        Server = RpcPeer.Over(streams.Server, view, format);
        Client = RpcPeer.Over(streams.Client, view, format);
    }

    public RpcPeer Server { get; }

    public RpcPeer Client { get; }

    public static async Task<RpcPair> NewAsync(RpcView view, RpcFormat format = RpcFormat.Json, NamedPipeEventLoop? loop = null) =>
        new(await StreamPair.NewAsync(loop), view, format);

    public RpcPeer Peer(bool ofServer) => ofServer ? Server : Client;

    public NamedPipeStream Stream(bool ofServer) => _streams.End(ofServer);

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        _streams.Dispose();
    }
}
