namespace NamedPipeShim.Rpc.Tests.Support;

/// <summary>What of a stream StreamJsonRpc is given.</summary>
public enum RpcView
{
    Stream,

    /// <summary>The stream's view for System.IO.Pipelines.</summary>
    DuplexPipe,
}
