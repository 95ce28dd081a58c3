using System.Runtime.InteropServices;
using NamedPipeShim.Generated;

namespace NamedPipeShim.Interop;

/// <summary>
/// Owns the native object of a <see cref="NamedPipePoller"/> (an <c>nps_poll *</c>).
/// </summary>
/// <remarks>
/// Releasing it, which may happen on any thread and in any order with the handles of the pipes, is
/// <c>nps_poll_release</c>: it closes the poll first, without lingering, if that was not done. Every call of this
/// library holds a reference to the handle while it runs, so that a call is never cut off from its memory.
/// </remarks>
public sealed unsafe class SafeNamedPipePollerHandle : SafeHandle
{
    /// <summary>Creates an invalid handle, as interop code needs it to receive a native object.</summary>
    public SafeNamedPipePollerHandle()
        : base(0, ownsHandle: true)
    {
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    internal static SafeNamedPipePollerHandle Create(NamedPipePollerOptions? options)
    {
        NativeLibraryCheck.Ensure();
        nps_poll_options native;
        NativeError.ThrowIfError(
            NativeMethods.nps_poll_options_init(&native, (uint)sizeof(nps_poll_options)), nameof(NamedPipePoller));
        if (options is not null)
        {
            native.pool_buffers = (uint)options.PoolBuffers;
            native.pool_buffer_size = (uint)options.PoolBufferSize;
        }

        SafeNamedPipePollerHandle created = new();
        nps_poll* poll = null;
        NativeError.ThrowIfError(NativeMethods.nps_poll_create(&native, &poll), nameof(NamedPipePoller));
        created.SetHandle((nint)poll);
        return created;
    }

    internal NativeResult Wait(Span<PipeEvent> events, long timeoutMilliseconds, out int count)
    {
        nps_poll* poll = Enter();
        uint filled = 0;
        long result;
        fixed (PipeEvent* first = events)
        {
            result = NativeMethods.nps_poll_wait(
                poll, (nps_event*)first, (uint)events.Length, timeoutMilliseconds, &filled);
        }

        Leave();
        count = (int)filled;
        return result;
    }

    internal NativeResult Wake(ulong token)
    {
        long result = NativeMethods.nps_poll_wake(Enter(), token);
        Leave();
        return result;
    }

    /// <summary>Closes the poll, which wakes a waiter and blocks until the system has let go of every buffer.</summary>
    internal void CloseQuietly()
    {
        if (HandleUse.TryEnter(this, out nint poll))
        {
            _ = NativeMethods.nps_poll_close((nps_poll*)poll);
            Leave();
        }
    }

    internal nps_poll* Enter() => (nps_poll*)HandleUse.Enter(this, nameof(NamedPipePoller));

    internal void Leave() => HandleUse.Leave(this);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMethods.nps_poll_release((nps_poll*)handle);
        return true;
    }
}
