using NamedPipeShim.Async;
using NamedPipeShim.Interop;

namespace NamedPipeShim;

/// <content>
/// The end of the process. On Windows the library may hold bytes that were accepted and that the system has not taken yet; they would end
/// with the process. So that waits for them, for as long as a pipe that is disposed lingers, while everything else goes on as before.
/// </content>
public sealed partial class NamedPipeEventLoop
{
    private const int FewLingering = 16;
    private const int LookMilliseconds = 1;

    // Of closed streams, those that go on delivering; and such as have come to their end since they were looked at. Guarded by _lock.
    private readonly List<SafeNamedPipeHandle> _lingering = [];
    private int _manyLingering = FewLingering;

    /// <summary>A stream was closed, and its pipe lingers.</summary>
    internal void RememberLingering(SafeNamedPipeHandle pipe)
    {
        lock (_lock)
        {
            if (_lingering.Count == _manyLingering)
            {
                _lingering.RemoveAll(static one => !one.HasUnsent());
                _manyLingering = Math.Max(FewLingering, 2 * _lingering.Count);
            }

            _lingering.Add(pipe);
        }
    }

    private void WatchForExit()
    {
        if (OperatingSystem.IsWindows()) // elsewhere the system has what was accepted
        {
            AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
        }
    }

    private void WatchForExitNoMore()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        lock (_lock)
        {
            _lingering.Clear();
        }
    }

    private void OnProcessExit(object? sender, EventArgs arguments)
    {
        long until = Environment.TickCount64 + (long)NamedPipe.DefaultLinger.TotalMilliseconds;
        while (!IsEnding && HasUnsent() && Environment.TickCount64 < until)
        {
            if (IsCurrentThread)
            {
                DriveUntil(() => !HasUnsent(), Environment.TickCount64 + LookMilliseconds); // a continuation that runs inline ends the process
            }
            else
            {
                Thread.Sleep(LookMilliseconds);
            }
        }
    }

    private bool HasUnsent()
    {
        lock (_lock)
        {
            return _lingering.Exists(static one => one.HasUnsent())
                || Array.Exists(_slots, static slot => slot?.Client is StreamClient { HasUnsent: true });
        }
    }
}
