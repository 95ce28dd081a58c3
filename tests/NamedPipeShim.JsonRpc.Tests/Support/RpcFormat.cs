namespace NamedPipeShim.Rpc.Tests.Support;

/// <summary>How StreamJsonRpc writes a message, and where its end is: the formatters and handlers that come with it.</summary>
public enum RpcFormat
{
    /// <summary>What <c>JsonRpc.Attach(stream)</c> takes: Newtonsoft.Json, behind a Content-Length header.</summary>
    Json,
    SystemTextJson,

    /// <summary>A line a message.</summary>
    SystemTextJsonLines,

    /// <summary>MessagePack behind its length in binary, and so the next.</summary>
    MessagePack,
    NerdbankMessagePack,
}
