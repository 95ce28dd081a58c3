using System.Diagnostics.Metrics;

namespace NamedPipeShim.Diagnostics;

/// <summary>
/// What streams, connects and listeners tell of themselves: the meter "NamedPipeShim", and the totals that
/// <see cref="PipeEventSource"/> shows, too.
/// </summary>
internal static class PipeTelemetry
{
    private static readonly Meter s_meter = new(PipeEventSource.SourceName, typeof(PipeTelemetry).Assembly.GetName().Version?.ToString(3));

    private static readonly Counter<long> s_errors = s_meter.CreateCounter<long>(
        "namedpipe.errors", "{error}", "Operations that failed; error.type tells as what.");

    private static long s_connections; // ever
    private static long s_openConnections;
    private static long s_errorTotal;

    static PipeTelemetry()
    {
        s_meter.CreateObservableUpDownCounter(
            "namedpipe.connections.open", () => OpenConnections, "{connection}", "Streams that are open now.");
        s_meter.CreateObservableCounter(
            "namedpipe.connections", () => Connections, "{connection}", "Streams that were made.");
    }

    public static PipeCounter BytesRead { get; } = new(s_meter, "namedpipe.bytes_read", "By", "Bytes that streams have read.");

    public static PipeCounter BytesWritten { get; } =
        new(s_meter, "namedpipe.bytes_written", "By", "Bytes of streams that were accepted.");

    public static PipeCounter WouldBlocks { get; } =
        new(s_meter, "namedpipe.would_blocks", "{call}", "Reads and writes that found the pipe empty or full.");

    public static PipeCounter Cancellations { get; } =
        new(s_meter, "namedpipe.cancellations", "{operation}", "Operations that a token ended while they waited.");

    public static long OpenConnections => Interlocked.Read(ref s_openConnections);

    public static long Connections => Interlocked.Read(ref s_connections);

    public static long Errors => Interlocked.Read(ref s_errorTotal);

    /// <summary>Counted always: who begins to listen later must find the right number.</summary>
    /// <returns>The connection's number, from 1.</returns>
    public static long ConnectionOpened(string? pipeName)
    {
        Interlocked.Increment(ref s_openConnections);
        long connection = Interlocked.Increment(ref s_connections);
        PipeEventSource.Log.ConnectionOpened(connection, pipeName ?? string.Empty);
        return connection;
    }

    /// <summary>Never throws: a finaliser calls it, too.</summary>
    public static void ConnectionClosed(long connection)
    {
        Interlocked.Decrement(ref s_openConnections);
        PipeEventSource.Log.ConnectionClosed(connection);
    }

    public static void Cancelled(string? pipeName)
    {
        Cancellations.Add(1);
        PipeEventSource.Log.OperationCancelled(pipeName ?? string.Empty);
    }

    /// <summary>For exception filters too.</summary>
    /// <returns>False.</returns>
    public static bool Failed(string? pipeName, NamedPipeException error)
    {
        Interlocked.Increment(ref s_errorTotal);
        if (s_errors.Enabled)
        {
            Count(error.Error);
        }

        PipeEventSource.Log.OperationFailed(pipeName ?? string.Empty, error);
        return false;
    }

    // Who listens is called at once, on a loop's thread perhaps: what that throws is not the pipe's failure, nor the loop's.
    private static void Count(NamedPipeError error)
    {
        try
        {
            s_errors.Add(1, new KeyValuePair<string, object?>("error.type", error.ToString()));
        }
        catch (Exception)
        {
            // There is nobody to tell.
        }
    }
}
