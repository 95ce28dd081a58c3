using System.Diagnostics.Tracing;

namespace NamedPipeShim.Diagnostics;

/// <summary>The events and counters of "NamedPipeShim", for EventListener, dotnet-trace and dotnet-counters.</summary>
[EventSource(Name = SourceName)]
internal sealed class PipeEventSource : EventSource
{
    public const string SourceName = "NamedPipeShim";

    public static readonly PipeEventSource Log = new();

    // They report by a timer of the framework's, only while a listener has asked for an interval; kept because nobody else does.
    private DiagnosticCounter[]? _counters;

    private PipeEventSource()
    {
    }

    [Event(1, Level = EventLevel.Informational, Message = "Connection {0} of '{1}' is open.")]
    public void ConnectionOpened(long connection, string pipe)
    {
        if (IsEnabled())
        {
            WriteEvent(1, connection, pipe);
        }
    }

    [Event(2, Level = EventLevel.Informational, Message = "Connection {0} is closed.")]
    public void ConnectionClosed(long connection)
    {
        if (IsEnabled())
        {
            WriteEvent(2, connection);
        }
    }

    [Event(3, Level = EventLevel.Warning, Message = "{1} on '{0}': {2}")]
    public void OperationFailed(string pipe, string error, string message)
    {
        if (IsEnabled())
        {
            WriteEvent(3, pipe, error, message);
        }
    }

    [NonEvent]
    public void OperationFailed(string pipe, NamedPipeException error)
    {
        if (IsEnabled())
        {
            OperationFailed(pipe, error.Error.ToString(), error.Message);
        }
    }

    [Event(4, Level = EventLevel.Verbose, Message = "An operation on '{0}' was cancelled.")]
    public void OperationCancelled(string pipe)
    {
        if (IsEnabled(EventLevel.Verbose, EventKeywords.None))
        {
            WriteEvent(4, pipe);
        }
    }

    [Event(5, Level = EventLevel.Informational, Message = "'{0}' is served.")]
    public void ListenerStarted(string pipe)
    {
        if (IsEnabled())
        {
            WriteEvent(5, pipe);
        }
    }

    [Event(6, Level = EventLevel.Informational, Message = "'{0}' is not served any more.")]
    public void ListenerStopped(string pipe)
    {
        if (IsEnabled())
        {
            WriteEvent(6, pipe);
        }
    }

    protected override void OnEventCommand(EventCommandEventArgs command)
    {
        if (command.Command == EventCommand.Enable)
        {
            _counters ??=
            [
                Current("connections-open", "Open connections", () => PipeTelemetry.OpenConnections),
                Current("connections", "Connections in all", () => PipeTelemetry.Connections),
                Rate("bytes-read", "Bytes read", () => PipeTelemetry.BytesRead.Total),
                Rate("bytes-written", "Bytes written", () => PipeTelemetry.BytesWritten.Total),
                Rate("would-blocks", "Would-blocks", () => PipeTelemetry.WouldBlocks.Total),
                Rate("cancellations", "Cancellations", () => PipeTelemetry.Cancellations.Total),
                Rate("errors", "Errors", () => PipeTelemetry.Errors),
            ];
        }
    }

    private PollingCounter Current(string name, string displayName, Func<double> value) =>
        new(name, this, value) { DisplayName = displayName };

    private IncrementingPollingCounter Rate(string name, string displayName, Func<double> total) =>
        new(name, this, total) { DisplayName = displayName, DisplayRateTimeScale = TimeSpan.FromSeconds(1) };
}
