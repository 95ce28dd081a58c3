using System.IO.Pipes;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using NamedPipeShim.Async;
using NamedPipeShim.Generated;
using NamedPipeShim.Interop;

namespace NamedPipeShim;

/// <summary>
/// One end of a named pipe, used by readiness: no call on it blocks, and a <see cref="NamedPipePoller"/> says when to call.
/// </summary>
/// <remarks>
/// <para>
/// Every member may be called from any thread at any time, also while another thread disposes the pipe. Two threads may
/// read and write one pipe at once (contract R5).
/// </para>
/// <para>
/// A pipe's life: create, open or take over a handle; <see cref="Register"/>; a server then calls <see cref="TryConnect"/>;
/// <see cref="TryRead"/> and <see cref="TryWrite(ReadOnlySpan{byte},out int)"/> until they answer
/// <see cref="PipeStatus.WouldBlock"/>;
/// <see cref="Dispose"/>. Before it is registered, connect, read and write answer would-block (contract P0).
/// </para>
/// <para>
/// Statuses that are normal are return values. Exceptions are <see cref="NamedPipeException"/> for what the peer or the
/// system did, and others, listed there, for what the program did wrong.
/// </para>
/// </remarks>
public sealed partial class NamedPipe : IDisposable
{
    private readonly SafeNamedPipeHandle _handle;
    private NamedPipePoller? _poller;
    private bool _hasCompletedWrites;

    private NamedPipe(SafeNamedPipeHandle handle, string? name, bool isServer, PipeDirection direction, PipeMode mode)
    {
        handle.PipeName = name;
        _handle = handle;
        Name = name;
        IsServer = isServer;
        Direction = direction;
        Mode = mode;
    }

    /// <summary>The name as it was given to create or open; null for a pipe made of a handle.</summary>
    public string? Name { get; }

    /// <summary>Whether this is a server's end. On Linux a pipe made of a handle always counts as a client's.</summary>
    public bool IsServer { get; }

    /// <summary>Which way bytes flow, seen from this end.</summary>
    public PipeDirection Direction { get; }

    /// <summary>Whether the pipe carries bytes or messages, as this end reads and writes it (contract R4).</summary>
    public PipeMode Mode { get; }

    /// <summary>The poller that the pipe is registered with, or was last; null before the first register.</summary>
    public NamedPipePoller? Poller => Volatile.Read(ref _poller);

    /// <summary>The native object. It stays the pipe's: do not dispose it.</summary>
    public SafeNamedPipeHandle SafeNamedPipeHandle => _handle;

    /// <summary>
    /// Creates a server instance of a name (<c>nps_pipe_create</c>; CreateNamedPipeW on Windows, a listening Unix domain
    /// socket on Linux). Only the current user may connect, and no remote client, unless the options say otherwise.
    /// </summary>
    /// <param name="options">The name and the rest.</param>
    /// <returns>The instance; it waits for a client from <see cref="TryConnect"/> on.</returns>
    /// <exception cref="ArgumentException">An option is not valid, the name too long, not valid UTF-16, or with a NUL in it;
    /// the parameter name says which option.</exception>
    /// <exception cref="NamedPipeException">Busy (as many instances as allowed are there), access denied (the name is
    /// somebody else's), not a pipe (Linux: a file that is no socket has the name), no handle left, or another
    /// error.</exception>
    /// <exception cref="DllNotFoundException">The native library is missing or does not match.</exception>
    public static NamedPipe CreateServer(NamedPipeServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new NamedPipe(
            SafeNamedPipeHandle.Create(options), options.Name, isServer: true, options.Direction, options.Mode);
    }

    /// <summary>Creates a server instance of a name with the default options.</summary>
    /// <inheritdoc cref="CreateServer(NamedPipeServerOptions)"/>
    /// <param name="name">The name.</param>
    public static NamedPipe CreateServer(string name) => CreateServer(new NamedPipeServerOptions { Name = name });

    /// <summary>
    /// Opens the client end (<c>nps_pipe_open</c>). The server may learn who we are, not act as us (contract K3).
    /// </summary>
    /// <param name="options">The name and the rest; with a <see cref="NamedPipeClientOptions.Timeout"/> this call blocks
    /// its thread for that long at most.</param>
    /// <returns>The connected end.</returns>
    /// <exception cref="ArgumentException">An option is not valid; the parameter name says which.</exception>
    /// <exception cref="NamedPipeException">Not found, busy or access denied, each its own error (contract K1), or
    /// another.</exception>
    /// <exception cref="DllNotFoundException">The native library is missing or does not match.</exception>
    public static NamedPipe OpenClient(NamedPipeClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new NamedPipe(
            SafeNamedPipeHandle.Open(options), options.Name, isServer: false, options.Direction, options.Mode);
    }

    /// <summary>Opens the client end of a name with the default options: one try.</summary>
    /// <inheritdoc cref="OpenClient(NamedPipeClientOptions)"/>
    /// <param name="name">The name.</param>
    public static NamedPipe OpenClient(string name) => OpenClient(new NamedPipeClientOptions { Name = name });

    /// <summary>Opens the client end, as <see cref="OpenClient(NamedPipeClientOptions)"/>; the waiting can be
    /// ended.</summary>
    /// <param name="options">The name and the rest; with a <see cref="NamedPipeClientOptions.Timeout"/> this call blocks
    /// its thread for that long at most, and burns no processor time meanwhile.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The connected end.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <inheritdoc cref="OpenClient(NamedPipeClientOptions)" path="/exception"/>
    public static NamedPipe OpenClient(NamedPipeClientOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        options = options.Copy(); // it may be another thread's, too
        long start = Environment.TickCount64;
        Retry retry = default;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryOpenClient(options, out NamedPipeException? why) is { } pipe)
            {
                return pipe;
            }

            TimeSpan pause = TimeSpan.FromMilliseconds(retry.NextMilliseconds());
            if (options.Timeout != Timeout.InfiniteTimeSpan)
            {
                TimeSpan left = options.Timeout - TimeSpan.FromMilliseconds(Environment.TickCount64 - start);
                if (left <= TimeSpan.Zero)
                {
                    throw why!;
                }

                pause = pause < left ? pause : left;
            }

            cancellationToken.WaitHandle.WaitOne(pause);
        }
    }

    /// <summary>One try, whatever the options' time-out. Null, and why: not found or busy. Throws everything else.</summary>
    internal static NamedPipe? TryOpenClient(NamedPipeClientOptions options, out NamedPipeException? why)
    {
        SafeNamedPipeHandle? handle = SafeNamedPipeHandle.TryOpen(options, out NativeResult result);
        why = handle is null ? NativeError.ToPipeException(result, options.Name) : null;
        return handle is null
            ? null
            : new NamedPipe(handle, options.Name, isServer: false, options.Direction, options.Mode);
    }

    /// <summary>
    /// Makes a pipe of a handle: one opened for overlapped I/O on Windows, a connected Unix domain socket on Linux,
    /// SOCK_STREAM or SOCK_SEQPACKET
    /// (<c>nps_pipe_adopt</c>). It counts as connected.
    /// </summary>
    /// <remarks>
    /// On success the pipe owns it and <paramref name="handle"/>, which must have owned it, is closed; on failure nothing
    /// has
    /// changed. Any stream around the handle is of no use from then on. On Linux the pipe takes a duplicate of the
    /// descriptor before it closes the original, because a SafePipeHandle of System.IO.Pipes shares it with a Socket. On
    /// Windows a handle that System.IO.Pipes opened for asynchronous use is bound to the thread pool for ever: registering
    /// it fails with <see cref="InvalidOperationException"/>.
    /// </remarks>
    /// <param name="handle">The handle.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <returns>The pipe.</returns>
    /// <exception cref="ArgumentException">The handle is not an open one, or an option is not valid.</exception>
    /// <exception cref="NamedPipeException">Not a pipe, not opened for overlapped I/O, or not connected.</exception>
    /// <exception cref="NotSupportedException">Windows: a handle in the mode that does not wait (PIPE_NOWAIT).</exception>
    /// <exception cref="DllNotFoundException">The native library is missing or does not match.</exception>
    public static NamedPipe FromHandle(SafePipeHandle handle, NamedPipeHandleOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handle);
        SafeNamedPipeHandle adopted = SafeNamedPipeHandle.Adopt(handle, options);
        NativeError.ThrowIfError(adopted.Info(out nps_info info), nameof(NamedPipe));
        return new NamedPipe(
            adopted,
            name: null,
            isServer: info.end == (uint)nps_end.NPS_END_SERVER,
            (PipeDirection)info.direction,
            (PipeMode)info.mode);
    }

    /// <summary>
    /// Gives the handle away, for example to a <see cref="NamedPipeClientStream"/>; the pipe is closed, the handle is not
    /// (<c>nps_pipe_export</c>). Only before the first <see cref="Register"/>: Windows cannot unbind a handle from its port.
    /// On Linux the socket blocks from then on, as that stream expects; on Windows the handle is for overlapped I/O.
    /// </summary>
    /// <returns>The handle; the caller closes it.</returns>
    /// <exception cref="InvalidOperationException">The pipe was registered.</exception>
    /// <exception cref="NotSupportedException">Linux: a server without a client has no descriptor of its own.</exception>
    /// <exception cref="ObjectDisposedException">The pipe was closed.</exception>
    public SafePipeHandle ExportHandle()
    {
        SafePipeHandle handle = new();
        Check(_handle.Export(out nint osHandle));
        Marshal.InitHandle(handle, osHandle);
        _handle.Dispose();
        if (OperatingSystem.IsLinux())
        {
            Descriptor.MakeBlocking(osHandle);
        }

        return handle;
    }

    /// <summary>
    /// Lends the system's handle (Windows) or descriptor (Linux) for queries (<c>nps_pipe_os_handle</c>); it is valid while
    /// the pipe is open, and reading or writing it behind the pipe's back breaks the pipe.
    /// </summary>
    /// <returns>The handle.</returns>
    /// <exception cref="NamedPipeException">Linux: a server without a client has none
    /// (<see cref="NamedPipeError.NotConnected"/>).</exception>
    /// <exception cref="ObjectDisposedException">The pipe was closed.</exception>
    public nint DangerousGetOSHandle()
    {
        Check(_handle.OSHandle(out nint osHandle));
        return osHandle;
    }

    /// <summary>
    /// Lends the system's handle (Windows) or descriptor (Linux) without giving it away (<c>nps_pipe_os_handle</c>), for
    /// calls that
    /// take a <see cref="SafePipeHandle"/> and ask something of it. Reading or writing it behind the pipe's back breaks
    /// the pipe.
    /// </summary>
    /// <returns>A handle that owns nothing: disposing it does nothing. It is good while the pipe is open; on Linux a
    /// server's, until it
    /// disconnects. Keep the pipe open while it is used.</returns>
    /// <inheritdoc cref="DangerousGetOSHandle" path="/exception"/>
    public SafePipeHandle LendHandle() => new(DangerousGetOSHandle(), ownsHandle: false);

    /// <summary>As <see cref="SafeNamedPipeHandle.UseOSHandle"/>.</summary>
    internal T UseOSHandle<T>(Func<nint, T> use)
    {
        Check(_handle.UseOSHandle(use, out T? used));
        return used!;
    }

    private void Check(NativeResult result)
    {
        if (result.IsError)
        {
            NativeError.Throw(result, nameof(NamedPipe), Name);
        }
    }

    private PipeStatus StatusOf(NativeResult result)
    {
        Check(result);
        return (PipeStatus)result.Status;
    }
}
