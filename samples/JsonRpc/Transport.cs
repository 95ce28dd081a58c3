namespace RpcSample;

/// <summary>What StreamJsonRpc is given.</summary>
internal enum Transport
{
    /// <summary>The stream, with StreamJsonRpc's default formatter.</summary>
    Stream,

    /// <summary>The stream's view for System.IO.Pipelines, with the formatter that uses System.Text.Json.</summary>
    DuplexPipe,
}
