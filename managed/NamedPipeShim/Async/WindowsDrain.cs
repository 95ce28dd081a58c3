using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace NamedPipeShim.Async;

/// <summary>
/// FlushFileBuffers, which blocks until the peer has read all, on a thread of its own; cancelled by CancelSynchronousIo.
/// </summary>
/// <remarks>The thread works on a duplicate of the handle, so that no other file can come by its number. A duplicate keeps the pipe open:
/// therefore the stream's end cancels, too, and the thread ends before the pipe is anybody's concern.</remarks>
[SupportedOSPlatform("windows")]
internal sealed partial class WindowsDrain
{
    private const uint SameAccess = 2; // DUPLICATE_SAME_ACCESS
    private const int ErrorOperationAborted = 995;
    private const int ErrorBrokenPipe = 109;
    private const int ErrorNoData = 232;
    private const int ErrorPipeNotConnected = 233;
    private const int CancelAgainMilliseconds = 2;
    private const nint CurrentProcess = -1;
    private const nint CurrentThread = -2;
    private const int SmallStack = 128 << 10;

    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SafeFileHandle _pipe;
    private readonly Lock _lock = new();
    private nint _thread; // guarded by _lock: 0 before and after FlushFileBuffers
    private bool _cancelled; // guarded by _lock

    private WindowsDrain(SafeFileHandle pipe) => _pipe = pipe;

    public static async Task RunAsync(StreamClient client, CancellationToken token)
    {
        NamedPipe pipe = client.Pipe;
        if ((pipe.Direction & System.IO.Pipes.PipeDirection.Out) == 0)
        {
            throw StreamErrors.OnlyReads(pipe.Name);
        }

        (nint handle, int duplicating) = client.UseOSHandle(Duplicate);
        if (duplicating != 0)
        {
            throw StreamErrors.NotDuplicated(duplicating, pipe.Name);
        }

        using SafeFileHandle duplicate = new(handle, ownsHandle: true);
        WindowsDrain drain = new(duplicate);
        int error;
        using (token.UnsafeRegister(static drain => ((WindowsDrain)drain!).Cancel(), drain))
        using (client.Closing.UnsafeRegister(static drain => ((WindowsDrain)drain!).Cancel(), drain))
        {
            new Thread(drain.Flush, SmallStack) { IsBackground = true, Name = "NamedPipeShim drain" }.UnsafeStart();
            error = await drain._ended.Task.ConfigureAwait(false);
        }

        if (error == 0)
        {
            return;
        }

        token.ThrowIfCancellationRequested();
        throw client.IsClosedHere || error == ErrorOperationAborted
            ? StreamErrors.Disposed(nameof(NamedPipeStream), pipe.Name)
            : StreamErrors.DrainFailed(
                error is ErrorBrokenPipe or ErrorNoData or ErrorPipeNotConnected ? NamedPipeError.BrokenPipe : NamedPipeError.IO,
                error,
                pipe.Name);
    }

    private void Flush()
    {
        int error = ErrorOperationAborted;
        bool begun;
        nint thread = 0;
        lock (_lock)
        {
            begun = !_cancelled && DuplicateHandle(CurrentProcess, CurrentThread, CurrentProcess, out thread, 0, 0, SameAccess);
            _thread = thread;
        }

        if (begun)
        {
            error = FlushFileBuffers(_pipe) ? 0 : Marshal.GetLastPInvokeError();
            lock (_lock)
            {
                _thread = 0;
                _ = CloseHandle(thread);
            }
        }

        _ended.SetResult(error);
    }

    // The thread may be about to call: so again, until it has ended.
    private void Cancel()
    {
        bool running;
        lock (_lock)
        {
            _cancelled = true;
            running = _thread != 0;
            if (running)
            {
                _ = CancelSynchronousIo(_thread);
            }
        }

        if (running)
        {
            _ = Task.Delay(CancelAgainMilliseconds).ContinueWith(
                static (_, drain) => ((WindowsDrain)drain!).Cancel(), this, TaskScheduler.Default);
        }
    }

    private static (nint Duplicate, int Error) Duplicate(nint handle) =>
        DuplicateHandle(CurrentProcess, handle, CurrentProcess, out nint duplicate, 0, 0, SameAccess)
            ? (duplicate, 0)
            : (0, Marshal.GetLastPInvokeError());

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool FlushFileBuffers(SafeFileHandle file);

    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CancelSynchronousIo(nint thread);

    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CloseHandle(nint handle);

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool DuplicateHandle(
        nint sourceProcess, nint source, nint targetProcess, out nint target, uint access, int inherit, uint options);
}
