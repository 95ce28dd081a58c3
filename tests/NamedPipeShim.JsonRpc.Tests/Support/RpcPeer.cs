using System.IO.Pipelines;
using PolyType.ReflectionProvider;
using StreamJsonRpc;

namespace NamedPipeShim.Rpc.Tests.Support;

/// <summary>One end of a connection: it calls the other, and has it call.</summary>
internal sealed class RpcPeer : IDisposable
{
    private RpcPeer(IJsonRpcMessageHandler handler)
    {
        Rpc = new JsonRpc(handler) { CancelLocallyInvokedMethodsWhenConnectionIsClosed = true };
        There = Rpc.Attach<IRpcPeer>();
        Here = new RpcTarget { Caller = There };
        Rpc.AddLocalRpcTarget<IRpcPeer>(Here, null);
        Rpc.StartListening();
    }

    public JsonRpc Rpc { get; }

    /// <summary>Calls the other end.</summary>
    public IRpcPeer There { get; }

    /// <summary>What the other end calls.</summary>
    public RpcTarget Here { get; }

    /// <summary>Takes the stream over: it is closed with the peer.</summary>
    public static RpcPeer Over(NamedPipeStream stream, RpcView view, RpcFormat format = RpcFormat.Json) =>
        view == RpcView.Stream ? Over(stream, format) : new RpcPeer(HandlerOf(stream.AsDuplexPipe(), format));

    public static RpcPeer Over(Stream stream, RpcFormat format = RpcFormat.Json) => new(HandlerOf(stream, format));

    /// <summary>The connection is gone, and no call that came through it goes on. Why it is gone is not looked at.</summary>
    public async Task HasEndedAsync()
    {
        await Rpc.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Rpc.DispatchCompletion;
    }

    public void Dispose() => Rpc.Dispose();

    private static IJsonRpcMessageHandler HandlerOf(Stream stream, RpcFormat format) => FormatterOf(format) switch
    {
        IJsonRpcMessageTextFormatter text when format == RpcFormat.SystemTextJsonLines =>
            new NewLineDelimitedMessageHandler(stream, stream, text),
        IJsonRpcMessageTextFormatter text => new HeaderDelimitedMessageHandler(stream, text),
        IJsonRpcMessageFormatter binary => new LengthHeaderMessageHandler(stream, stream, binary),
    };

    private static IJsonRpcMessageHandler HandlerOf(IDuplexPipe pipe, RpcFormat format) => FormatterOf(format) switch
    {
        IJsonRpcMessageTextFormatter text when format == RpcFormat.SystemTextJsonLines =>
            new NewLineDelimitedMessageHandler(pipe, text),
        IJsonRpcMessageTextFormatter text => new HeaderDelimitedMessageHandler(pipe, text),
        IJsonRpcMessageFormatter binary => new LengthHeaderMessageHandler(pipe, binary),
    };

    private static IJsonRpcMessageFormatter FormatterOf(RpcFormat format) => format switch
    {
        RpcFormat.Json => new JsonMessageFormatter(),
        RpcFormat.SystemTextJson or RpcFormat.SystemTextJsonLines => new SystemTextJsonFormatter(),
        RpcFormat.MessagePack => new MessagePackFormatter(),
        RpcFormat.NerdbankMessagePack =>
            new NerdbankMessagePackFormatter { TypeShapeProvider = ReflectionTypeShapeProvider.Default },
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };
}
