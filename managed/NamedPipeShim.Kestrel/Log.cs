using Microsoft.Extensions.Logging;

namespace NamedPipeShim.Kestrel;

/// <summary>What the transport tells the log: at level Debug what is not the server's fault.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Debug, "Connection {ConnectionId} was accepted on pipe '{PipeName}'.")]
    public static partial void Accepted(ILogger log, string connectionId, string pipeName);

    [LoggerMessage(2, LogLevel.Debug, "Connection {ConnectionId}: the client has closed.")]
    public static partial void ClientClosed(ILogger log, string connectionId);

    [LoggerMessage(3, LogLevel.Debug, "Connection {ConnectionId} broke: {Message}")]
    public static partial void Broke(ILogger log, string connectionId, string message);

    [LoggerMessage(4, LogLevel.Debug, "Connection {ConnectionId} is aborted: {Message}")]
    public static partial void Aborted(ILogger log, string connectionId, string message);

    [LoggerMessage(5, LogLevel.Error, "Connection {ConnectionId}: who was told of its end failed.")]
    public static partial void CallbackFailed(ILogger log, string connectionId, Exception error);
}
