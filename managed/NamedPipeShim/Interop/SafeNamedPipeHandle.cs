using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using NamedPipeShim.Diagnostics;
using NamedPipeShim.Generated;

namespace NamedPipeShim.Interop;

/// <summary>
/// Owns the native object of a <see cref="NamedPipe"/> (an <c>nps_pipe *</c>).
/// </summary>
/// <remarks>
/// Releasing it, which may happen on any thread and never blocks, is <c>nps_pipe_release</c>: a pipe that was not closed
/// is aborted; one that lingers goes on lingering. The native object keeps the memory of its poll alive, so the order in
/// which handles are released does not matter. Every call of this library holds a reference to the handle while it runs.
/// </remarks>
public sealed unsafe partial class SafeNamedPipeHandle : SafeHandle
{
    private readonly Lock _closing = new(); // held by what closes the system's handle, and while that is in use
    private long _connection; // its number, if it counts as one

    /// <summary>Creates an invalid handle, as interop code needs it to receive a native object.</summary>
    public SafeNamedPipeHandle()
        : base(0, ownsHandle: true)
    {
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>What messages call the pipe; null: it has no name.</summary>
    internal string? PipeName { get; set; }

    internal static SafeNamedPipeHandle Create(NamedPipeServerOptions options)
    {
        SafeNamedPipeHandle created = new();
        nps_server_options native = NativeOptions.From(options);
        nps_pipe* pipe = null;
        fixed (byte* name = Utf8Text.Encode(options.Name, nameof(options.Name)))
        fixed (byte* descriptor = Utf8Text.EncodeOrNull(options.SecurityDescriptor, nameof(options.SecurityDescriptor)))
        {
            native.name = (sbyte*)name;
            native.descriptor = (sbyte*)descriptor;
            NativeResult result = NativeMethods.nps_pipe_create(&native, &pipe);
            if (result.IsError)
            {
                throw NativeError.OfOptions(result, options.Name, NativeOptions.OfTheOtherSystem(options));
            }
        }

        created.SetHandle((nint)pipe);
        return created;
    }

    internal static SafeNamedPipeHandle Open(NamedPipeClientOptions options)
    {
        nps_client_options native = NativeOptions.From(options);
        return Open(options, &native, out NativeResult result)
            ?? throw NativeError.OfOptions(result, options.Name, NativeOptions.OfTheOtherSystem(options));
    }

    /// <summary>One try. Null: nobody serves the name, or it is busy.</summary>
    internal static SafeNamedPipeHandle? TryOpen(NamedPipeClientOptions options, out NativeResult result)
    {
        nps_client_options native = NativeOptions.From(options);
        native.timeout_ms = 0;
        SafeNamedPipeHandle? opened = Open(options, &native, out result);
        return opened is not null || result.Is(nps_status.NPS_E_NOT_FOUND) || result.Is(nps_status.NPS_E_PIPE_BUSY)
            ? opened
            : throw NativeError.OfOptions(result, options.Name, NativeOptions.OfTheOtherSystem(options));
    }

    /// <summary>Adopts what <paramref name="source"/> holds. On success that is closed and the result owns the pipe; on
    /// failure nothing has changed.</summary>
    internal static SafeNamedPipeHandle Adopt(SafePipeHandle source, NamedPipeHandleOptions? options)
    {
        if (source.IsInvalid || source.IsClosed)
        {
            throw NativeError.NotAnOpenHandle();
        }

        if (!OperatingSystem.IsLinux())
        {
            return AdoptAndInvalidate(source, options);
        }

        using SafePipeHandle duplicate = Descriptor.Duplicate(source, out int errno);
        if (duplicate.IsInvalid)
        {
            throw errno == Descriptor.NotOpen ? NativeError.NotAnOpenHandle() : new NamedPipeException(
                $"The descriptor cannot be duplicated: {Marshal.GetPInvokeErrorMessage(errno)}",
                NamedPipeError.IO,
                errno);
        }

        SafeNamedPipeHandle pipe = AdoptAndInvalidate(duplicate, options);
        source.Dispose();
        return pipe;
    }

    internal NativeResult Register(SafeNamedPipePollerHandle poller, ulong token, uint interest)
    {
        nps_pipe* pipe = Enter();
        if (!HandleUse.TryEnter(poller, out nint poll))
        {
            Leave();
            NativeError.ThrowClosed(nameof(NamedPipePoller));
        }

        long result = NativeMethods.nps_pipe_register(pipe, (nps_poll*)poll, token, interest);
        poller.Leave();
        Leave();
        return result;
    }

    internal NativeResult Reregister(ulong token, uint interest)
    {
        long result = NativeMethods.nps_pipe_reregister(Enter(), token, interest);
        Leave();
        return result;
    }

    internal NativeResult Deregister()
    {
        long result = NativeMethods.nps_pipe_deregister(Enter());
        Leave();
        return result;
    }

    internal NativeResult Connect()
    {
        long result = NativeMethods.nps_pipe_connect(Enter());
        Leave();
        return result;
    }

    internal NativeResult Disconnect(bool listen)
    {
        long result = NativeMethods.nps_pipe_disconnect(Enter(), listen ? 1 : 0);
        Leave();
        return result;
    }

    internal NativeResult Retire()
    {
        long result = NativeMethods.nps_pipe_retire(Enter());
        Leave();
        return result;
    }

    /// <summary>Retires a pipe that is connected; of one that was closed there is nothing to say.</summary>
    internal void RetireQuietly()
    {
        if (HandleUse.TryEnter(this, out nint pipe))
        {
            _ = NativeMethods.nps_pipe_retire((nps_pipe*)pipe);
            Leave();
        }
    }

    internal NativeResult FlushState(out ulong unsent)
    {
        ulong left = 0;
        long result = NativeMethods.nps_pipe_flush_state(Enter(), &left);
        Leave();
        unsent = left;
        return result;
    }

    /// <summary>Whether accepted bytes are not in the system's hands yet; also of a pipe that was closed and lingers.</summary>
    internal bool HasUnsent()
    {
        if (!HandleUse.TryEnter(this, out nint pipe))
        {
            return false;
        }

        ulong unsent = 0;
        _ = NativeMethods.nps_pipe_flush_state((nps_pipe*)pipe, &unsent);
        Leave();
        return unsent > 0;
    }

    internal NativeResult TakeError(out NativeResult error)
    {
        long taken = 0;
        long result = NativeMethods.nps_pipe_take_error(Enter(), &taken);
        Leave();
        error = taken;
        return result;
    }

    internal NativeResult OSHandle(out nint osHandle)
    {
        nint lent = 0;
        long result = NativeMethods.nps_pipe_os_handle(Enter(), &lent);
        Leave();
        osHandle = lent;
        return result;
    }

    /// <summary>
    /// Uses the system's handle in a short call that does not block. Meanwhile no thread closes the pipe, which would close that
    /// handle: its number could then be another file's. Only the poller's own end can still come between; whoever
    /// calls this sees to that.
    /// </summary>
    internal NativeResult UseOSHandle<T>(Func<nint, T> use, out T? used)
    {
        nps_pipe* pipe = Enter();
        try
        {
            lock (_closing)
            {
                nint lent = 0;
                NativeResult result = NativeMethods.nps_pipe_os_handle(pipe, &lent);
                used = result.IsError ? default : use(lent);
                return result;
            }
        }
        finally
        {
            Leave();
        }
    }

    internal NativeResult Export(out nint osHandle)
    {
        nps_pipe* pipe = Enter();
        nint given = 0;
        long result;
        lock (_closing)
        {
            result = NativeMethods.nps_pipe_export(pipe, &given);
        }

        Leave();
        osHandle = given;
        return result;
    }

    internal NativeResult Close(long lingerMilliseconds)
    {
        nps_pipe* pipe = Enter();
        long result;
        lock (_closing)
        {
            result = NativeMethods.nps_pipe_close(pipe, lingerMilliseconds);
        }

        Leave();
        return result;
    }

    /// <summary>Closes if that was not done; says nothing if it was.</summary>
    internal void CloseQuietly(long lingerMilliseconds)
    {
        if (HandleUse.TryEnter(this, out nint pipe))
        {
            lock (_closing)
            {
                _ = NativeMethods.nps_pipe_close((nps_pipe*)pipe, lingerMilliseconds);
            }

            Leave();
        }
    }

    /// <summary>Aborts if there is something left to abort; says nothing if not.</summary>
    internal void AbortQuietly()
    {
        if (HandleUse.TryEnter(this, out nint pipe))
        {
            lock (_closing)
            {
                _ = NativeMethods.nps_pipe_abort((nps_pipe*)pipe);
            }

            Leave();
        }
    }

    /// <summary>The pipe belongs to a stream from now on: a connection, until it is released, by whomever.</summary>
    internal void CountAsConnection(string? pipeName) => _connection = PipeTelemetry.ConnectionOpened(pipeName);

    /// <summary>The stream was closed, and its pipe lingers: it is released later.</summary>
    internal void CountAsConnectionNoMore()
    {
        long connection = Interlocked.Exchange(ref _connection, 0);
        if (connection != 0)
        {
            PipeTelemetry.ConnectionClosed(connection);
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMethods.nps_pipe_release((nps_pipe*)handle);
        CountAsConnectionNoMore();
        return true;
    }

    private static SafeNamedPipeHandle? Open(
        NamedPipeClientOptions options, nps_client_options* native, out NativeResult result)
    {
        nps_pipe* pipe = null;
        SafeNamedPipeHandle opened = new();
        fixed (byte* name = Utf8Text.Encode(options.Name, nameof(options.Name)))
        fixed (byte* server = Utf8Text.Encode(options.ServerName, nameof(options.ServerName)))
        {
            native->name = (sbyte*)name;
            native->server = (sbyte*)server;
            result = NativeMethods.nps_pipe_open(native, &pipe);
        }

        if (result.IsError)
        {
            opened.Dispose();
            return null;
        }

        opened.SetHandle((nint)pipe);
        return opened;
    }

    private static SafeNamedPipeHandle AdoptAndInvalidate(SafePipeHandle source, NamedPipeHandleOptions? options)
    {
        SafeNamedPipeHandle created = new();
        nps_adopt_options native = NativeOptions.From(options);
        nps_pipe* pipe = null;
        bool added = false;
        source.DangerousAddRef(ref added);
        long result = NativeMethods.nps_pipe_adopt(source.DangerousGetHandle(), &native, &pipe);
        if (result >= 0)
        {
            // Under the reference: so that a Dispose which came meanwhile does not close what the pipe now owns.
            source.SetHandleAsInvalid();
        }

        source.DangerousRelease();
        NativeError.ThrowIfError(result, nameof(NamedPipe));
        created.SetHandle((nint)pipe);
        return created;
    }

    private nps_pipe* Enter() => (nps_pipe*)HandleUse.Enter(this, nameof(NamedPipe), PipeName);

    private void Leave() => HandleUse.Leave(this);
}
