using NamedPipeShim.Diagnostics;

namespace NamedPipeShim.Async;

/// <summary>The exceptions of streams, connects and listeners that no native status stands behind. Each names the pipe.</summary>
internal static class StreamErrors
{
    public static ObjectDisposedException Disposed(string objectName, string? pipeName) =>
        new(objectName, $"The {objectName} was closed.{Of(pipeName)}");

    public static NamedPipeException TimedOut(string what, int milliseconds, string? pipeName) =>
        Counted(pipeName, new NamedPipeException(
            $"The {what} was not finished within {milliseconds} ms.{Of(pipeName)}", NamedPipeError.TimedOut, 0));

    public static NamedPipeException NoConnection(double milliseconds, string? pipeName, NamedPipeException why) =>
        new($"No connection within {milliseconds:0} ms.{Of(pipeName)}", NamedPipeError.TimedOut, why);

    private static NamedPipeException Counted(string? pipeName, NamedPipeException error)
    {
        _ = PipeTelemetry.Failed(pipeName, error);
        return error;
    }

    private static string Of(string? pipeName) => pipeName is null ? string.Empty : $" Pipe: '{pipeName}'.";
}
