using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using NamedPipeShim.Generated;

namespace NamedPipeShim.Interop;

/// <summary>The one place where statuses become exceptions.</summary>
internal static class NativeError
{
    private const int LongestNameInAMessage = 260;

    /// <summary>Throws the exception for an error status; <paramref name="objectName"/> is whom the call was made on, and
    /// <paramref name="pipeName"/>, where it is known, stands in every message.</summary>
    [DoesNotReturn]
    public static void Throw(NativeResult result, string objectName, string? pipeName = null) =>
        throw ToException(result, objectName, pipeName);

    public static void ThrowIfError(NativeResult result, string objectName, string? pipeName = null)
    {
        if (result.IsError)
        {
            Throw(result, objectName, pipeName);
        }
    }

    /// <summary>What the native library answers to a vector that is too long.</summary>
    public static NativeResult TooManyBuffers =>
        ((long)nps_status.NPS_E_INVALID_ARGUMENT << 32) | (long)nps_argument.NPS_ARGUMENT_BUFFER_COUNT;

    [DoesNotReturn]
    public static void ThrowClosed(string objectName, string? pipeName = null) => throw Closed(objectName, pipeName);

    public static Exception ToException(NativeResult result, string objectName, string? pipeName = null) =>
        (nps_status)result.Status switch
        {
            nps_status.NPS_E_INVALID_ARGUMENT => ArgumentError((nps_argument)result.Detail, pipeName),
            nps_status.NPS_E_NAME_TOO_LONG => Invalid(
                nameof(NamedPipeServerOptions.Name),
                $"The pipe's name is too long: its full form may take {result.Detail} "
                + (OperatingSystem.IsWindows() ? "characters." : "bytes.") + Of(pipeName)),
            nps_status.NPS_E_OUT_OF_MEMORY => new InsufficientMemoryException(Text(result) + Of(pipeName)),
            nps_status.NPS_E_CLOSED => Closed(objectName, pipeName),
            nps_status.NPS_E_NOT_REGISTERED => new InvalidOperationException(
                "The pipe is not registered with a poller; call Register first." + Of(pipeName)),
            nps_status.NPS_E_ALREADY_REGISTERED => new InvalidOperationException(
                "The pipe, or the handle it was made of, is bound already: to a poller, or to another completion port."
                + Of(pipeName)),
            nps_status.NPS_E_WAIT_BUSY => new InvalidOperationException(
                "Another thread is waiting on this poller; one may wait at a time."),
            nps_status.NPS_E_NOT_SUPPORTED => new NotSupportedException(Text(result) + Of(pipeName)),
            _ => ToPipeException(result, pipeName),
        };

    /// <summary>The exception for a status that TakeError brought: always one for I/O.</summary>
    public static NamedPipeException ToPipeException(NativeResult result, string? pipeName = null)
    {
        int code = unchecked((int)result.Detail);
        return new NamedPipeException(Text(result) + Of(pipeName), (NamedPipeError)result.Status, code);
    }

    /// <summary>As <see cref="ToException"/>, for what was made with options: one that this system does not have is named.</summary>
    public static Exception OfOptions(NativeResult result, string? pipeName, string? optionOfTheOtherSystem) =>
        result.Is(nps_status.NPS_E_NOT_SUPPORTED) && optionOfTheOtherSystem is not null
            ? new NotSupportedException($"{optionOfTheOtherSystem} is not supported on this system.{Of(pipeName)}")
            : ToException(result, nameof(NamedPipe), pipeName);

    public static ArgumentException NotAnOpenHandle() => ArgumentError(nps_argument.NPS_ARGUMENT_HANDLE, null);

    /// <summary>What a message says of the pipe. A name may be of any length, a message should not.</summary>
    public static string Of(string? pipeName) => pipeName switch
    {
        null => string.Empty,
        { Length: > LongestNameInAMessage } => $" Pipe: '{pipeName.AsSpan(0, LongestNameInAMessage)}...'.",
        _ => $" Pipe: '{pipeName}'.",
    };

    private static ObjectDisposedException Closed(string objectName, string? pipeName) =>
        new(objectName, objectName == nameof(NamedPipe)
            ? "The pipe was closed, or its poller was." + Of(pipeName)
            : "The poller was closed.");

    private static ArgumentException ArgumentError(nps_argument argument, string? pipeName)
    {
        (string Name, string Allowed) range = RangeOf(argument);
        return range.Allowed.Length > 0
            ? new ArgumentOutOfRangeException(range.Name, $"{range.Name} must be {range.Allowed}.{Of(pipeName)}")
            : Invalid(range.Name, RefusalOf(argument) + Of(pipeName));
    }

    /// <summary>The parameter or option that is meant, and what it may be if that is a range of values.</summary>
    private static (string Name, string Allowed) RangeOf(nps_argument argument) => argument switch
    {
        nps_argument.NPS_ARGUMENT_NAME => (nameof(NamedPipeServerOptions.Name), string.Empty),
        nps_argument.NPS_ARGUMENT_DIRECTION => (nameof(NamedPipeServerOptions.Direction), "In, Out or InOut"),
        nps_argument.NPS_ARGUMENT_MODE => (nameof(NamedPipeServerOptions.Mode), "Byte or Message"),
        nps_argument.NPS_ARGUMENT_MAX_INSTANCES => (
            nameof(NamedPipeServerOptions.MaxInstances), "1 to 254, or NamedPipeServerOptions.UnlimitedInstances"),
        nps_argument.NPS_ARGUMENT_IN_BUFFER_SIZE => (nameof(NamedPipeServerOptions.InBufferSize), "0 to 16,777,216"),
        nps_argument.NPS_ARGUMENT_OUT_BUFFER_SIZE => (nameof(NamedPipeServerOptions.OutBufferSize), "0 to 16,777,216"),
        nps_argument.NPS_ARGUMENT_READ_AHEAD => (nameof(NamedPipeServerOptions.ReadAhead), "0 to 1,048,576"),
        nps_argument.NPS_ARGUMENT_WRITE_LIMIT => (nameof(NamedPipeServerOptions.WriteLimit), "1 to 16,777,216"),
        nps_argument.NPS_ARGUMENT_POOL_BUFFERS => (nameof(NamedPipePollerOptions.PoolBuffers), "0 to 65,536"),
        nps_argument.NPS_ARGUMENT_POOL_BUFFER_SIZE => (
            nameof(NamedPipePollerOptions.PoolBufferSize), "4,096 to 1,048,576"),
        nps_argument.NPS_ARGUMENT_FILE_MODE => (
            nameof(NamedPipeServerOptions.UnixFileMode), "some of the nine permissions of user, group and others"),
        nps_argument.NPS_ARGUMENT_DESCRIPTOR => (nameof(NamedPipeServerOptions.SecurityDescriptor), string.Empty),
        nps_argument.NPS_ARGUMENT_SERVER => (nameof(NamedPipeClientOptions.ServerName), string.Empty),
        nps_argument.NPS_ARGUMENT_INTEREST => ("interest", "Readable, Writable or both, with or without OnDemand"),
        nps_argument.NPS_ARGUMENT_CAPACITY => ("events", string.Empty),
        nps_argument.NPS_ARGUMENT_HANDLE => ("handle", string.Empty),
        nps_argument.NPS_ARGUMENT_BUFFER_COUNT => ("buffers", string.Empty),
        nps_argument.NPS_ARGUMENT_MESSAGE => ("buffer", string.Empty),
        _ => (ArgumentName(argument), string.Empty),
    };

    private static string RefusalOf(nps_argument argument) => argument switch
    {
        nps_argument.NPS_ARGUMENT_NAME =>
            "A pipe's name must not be empty or reserved, nor contain a separator (unless it is a full name).",
        nps_argument.NPS_ARGUMENT_DESCRIPTOR => "This is not a security descriptor in SDDL.",
        nps_argument.NPS_ARGUMENT_SERVER => "A server's name must not be empty, nor contain a separator.",
        nps_argument.NPS_ARGUMENT_CAPACITY => "There must be room for at least one event.",
        nps_argument.NPS_ARGUMENT_HANDLE => "This is not an open handle.",
        nps_argument.NPS_ARGUMENT_BUFFER_COUNT =>
            $"A message may consist of {NativeMethods.NPS_MAX_BUFFERS} buffers at most.",
        nps_argument.NPS_ARGUMENT_MESSAGE =>
            "The message is longer than this pipe can carry (NamedPipe.GetInfo().MaxMessageSize); nothing was sent.",
        _ => $"The native library rejected the argument '{ArgumentName(argument)}'.",
    };

    private static ArgumentException Invalid(string name, string message) => new(message, name);

    private static unsafe string ArgumentName(nps_argument argument) =>
        Marshal.PtrToStringUTF8((nint)NativeMethods.nps_argument_name((uint)argument)) ?? "?";

    private static unsafe string Text(NativeResult result)
    {
        string text = Marshal.PtrToStringUTF8((nint)NativeMethods.nps_status_text(result.Status)) ?? "?";
        int code = unchecked((int)result.Detail);
        return code == 0 ? text : $"{text} (system error {code}: {Marshal.GetPInvokeErrorMessage(code)})";
    }
}
