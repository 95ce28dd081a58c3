using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using NamedPipeShim.Generated;

namespace NamedPipeShim.Interop;

/// <summary>The one place where statuses become exceptions.</summary>
internal static class NativeError
{
    /// <summary>Throws the exception for an error status; <paramref name="objectName"/> is whom the call was made on.</summary>
    [DoesNotReturn]
    public static void Throw(NativeResult result, string objectName) => throw ToException(result, objectName);

    public static void ThrowIfError(NativeResult result, string objectName)
    {
        if (result.IsError)
        {
            Throw(result, objectName);
        }
    }

    /// <summary>For create and open: a failure that is told by its kind alone gets the pipe's name.</summary>
    public static void ThrowIfErrorOf(string pipeName, NativeResult result)
    {
        if (result.IsError)
        {
            throw ToExceptionOf(pipeName, result);
        }
    }

    /// <summary>The exception for a failure of create or open.</summary>
    public static Exception ToExceptionOf(string pipeName, NativeResult result)
    {
        Exception error = ToException(result, nameof(NamedPipe));
        return error is NamedPipeException failure
            ? new NamedPipeException($"{failure.Message} Pipe: '{pipeName}'.", failure.Error, failure.NativeErrorCode)
            : error;
    }

    [DoesNotReturn]
    public static void ThrowClosed(string objectName) => throw Closed(objectName);

    public static Exception ToException(NativeResult result, string objectName) => (nps_status)result.Status switch
    {
        nps_status.NPS_E_INVALID_ARGUMENT => ArgumentError((nps_argument)result.Detail),
        nps_status.NPS_E_NAME_TOO_LONG => Invalid(
            nameof(NamedPipeServerOptions.Name),
            $"The pipe's name is too long: its full form may take {result.Detail} "
            + (OperatingSystem.IsWindows() ? "characters." : "bytes.")),
        nps_status.NPS_E_OUT_OF_MEMORY => new InsufficientMemoryException(Text(result)),
        nps_status.NPS_E_CLOSED => Closed(objectName),
        nps_status.NPS_E_NOT_REGISTERED => new InvalidOperationException(
            "The pipe is not registered with a poller; call Register first."),
        nps_status.NPS_E_ALREADY_REGISTERED => new InvalidOperationException(
            "The pipe, or the handle it was made of, is bound already: to a poller, or to another completion port."),
        nps_status.NPS_E_WAIT_BUSY => new InvalidOperationException(
            "Another thread is waiting on this poller; one may wait at a time."),
        nps_status.NPS_E_NOT_SUPPORTED => new NotSupportedException(Text(result)),
        _ => ToPipeException(result),
    };

    /// <summary>The exception for a status that TakeError brought: always one for I/O.</summary>
    public static NamedPipeException ToPipeException(NativeResult result)
    {
        int code = unchecked((int)result.Detail);
        return new NamedPipeException(Text(result), (NamedPipeError)result.Status, code);
    }

    public static ArgumentException NotAnOpenHandle() => Invalid("handle", "This is not an open handle.");

    private static ObjectDisposedException Closed(string objectName) =>
        new(objectName, objectName == nameof(NamedPipe)
            ? "The pipe was closed, or its poller was."
            : "The poller was closed.");

    private static ArgumentException ArgumentError(nps_argument argument) => argument switch
    {
        nps_argument.NPS_ARGUMENT_NAME => Invalid(
            nameof(NamedPipeServerOptions.Name),
            "A pipe's name must not be empty or reserved, nor contain a separator (unless it is a full name)."),
        nps_argument.NPS_ARGUMENT_DIRECTION => OutOfRange(
            nameof(NamedPipeServerOptions.Direction), "In, Out or InOut"),
        nps_argument.NPS_ARGUMENT_MAX_INSTANCES => OutOfRange(
            nameof(NamedPipeServerOptions.MaxInstances), "1 to 254, or NamedPipeServerOptions.UnlimitedInstances"),
        nps_argument.NPS_ARGUMENT_IN_BUFFER_SIZE => OutOfRange(
            nameof(NamedPipeServerOptions.InBufferSize), "0 to 16,777,216"),
        nps_argument.NPS_ARGUMENT_OUT_BUFFER_SIZE => OutOfRange(
            nameof(NamedPipeServerOptions.OutBufferSize), "0 to 16,777,216"),
        nps_argument.NPS_ARGUMENT_READ_AHEAD => OutOfRange(
            nameof(NamedPipeServerOptions.ReadAhead), "0 to 1,048,576"),
        nps_argument.NPS_ARGUMENT_WRITE_LIMIT => OutOfRange(
            nameof(NamedPipeServerOptions.WriteLimit), "1 to 16,777,216"),
        nps_argument.NPS_ARGUMENT_POOL_BUFFERS => OutOfRange(
            nameof(NamedPipePollerOptions.PoolBuffers), "0 to 65,536"),
        nps_argument.NPS_ARGUMENT_POOL_BUFFER_SIZE => OutOfRange(
            nameof(NamedPipePollerOptions.PoolBufferSize), "4,096 to 1,048,576"),
        nps_argument.NPS_ARGUMENT_INTEREST => OutOfRange("interest", "Readable, Writable or both"),
        nps_argument.NPS_ARGUMENT_CAPACITY => Invalid("events", "There must be room for at least one event."),
        nps_argument.NPS_ARGUMENT_HANDLE => NotAnOpenHandle(),
        _ => new ArgumentException($"The native library rejected the argument '{ArgumentName(argument)}'."),
    };

    private static ArgumentException Invalid(string name, string message) => new(message, name);

    private static ArgumentOutOfRangeException OutOfRange(string name, string allowed) =>
        new(name, $"{name} must be {allowed}.");

    private static unsafe string ArgumentName(nps_argument argument) =>
        Marshal.PtrToStringUTF8((nint)NativeMethods.nps_argument_name((uint)argument)) ?? "?";

    private static unsafe string Text(NativeResult result)
    {
        string text = Marshal.PtrToStringUTF8((nint)NativeMethods.nps_status_text(result.Status)) ?? "?";
        int code = unchecked((int)result.Detail);
        return code == 0 ? text : $"{text} (system error {code}: {Marshal.GetPInvokeErrorMessage(code)})";
    }
}
