using System.Runtime.InteropServices;
using NamedPipeShim.Diagnostics;
using NamedPipeShim.Interop;

namespace NamedPipeShim.Async;

/// <summary>The exceptions of streams, connects and listeners that no native status stands behind. Each names the pipe.</summary>
internal static class StreamErrors
{
    public static ObjectDisposedException Disposed(string objectName, string? pipeName) =>
        new(objectName, $"The {objectName} was closed.{NativeError.Of(pipeName)}");

    public static NamedPipeException TimedOut(string what, int milliseconds, string? pipeName) =>
        Counted(pipeName, new NamedPipeException(
            $"The {what} was not finished within {milliseconds} ms.{NativeError.Of(pipeName)}", NamedPipeError.TimedOut, 0));

    public static NamedPipeException NoConnection(double milliseconds, string? pipeName, NamedPipeException why) =>
        new($"No connection within {milliseconds:0} ms.{NativeError.Of(pipeName)}", NamedPipeError.TimedOut, why);

    public static InvalidOperationException NoMessages(string? pipeName) =>
        new($"The stream carries bytes: it has no messages to read.{NativeError.Of(pipeName)}");

    public static NotSupportedException OnlyReads(string? pipeName) =>
        new($"The stream only reads.{NativeError.Of(pipeName)}");

    public static NotSupportedException OnlyWrites(string? pipeName) =>
        new($"The stream only writes.{NativeError.Of(pipeName)}");

    public static NamedPipeException DrainFailed(NamedPipeError error, int code, string? pipeName) =>
        Counted(pipeName, new NamedPipeException(
            $"Not all was read: {Marshal.GetPInvokeErrorMessage(code)}{NativeError.Of(pipeName)}", error, code));

    public static NamedPipeException NotDuplicated(int code, string? pipeName) =>
        Counted(pipeName, new NamedPipeException(
            $"The handle cannot be duplicated: {Marshal.GetPInvokeErrorMessage(code)}{NativeError.Of(pipeName)}", NamedPipeError.IO, code));

    private static NamedPipeException Counted(string? pipeName, NamedPipeException error)
    {
        _ = PipeTelemetry.Failed(pipeName, error);
        return error;
    }
}
