using System.Threading.Tasks.Sources;
using NamedPipeShim.Diagnostics;

namespace NamedPipeShim.Async;

/// <summary>
/// One read, write or flush that has to wait. Reused: a side has one in hand, and makes more only while several wait.
/// </summary>
/// <remarks>
/// Whoever takes an operation out of its side's queue, under the side's lock, finishes it: the loop's thread, a cancellation, a
/// dispose, or a time-out. So it is finished once. The registration with a cancellation token is made after the operation was
/// queued and may be overtaken by its end: <see cref="_phase"/> decides who of the two signals. The registration is
/// disposed outside the side's lock, which its callback takes, and before the operation can be used again.
/// </remarks>
internal sealed class StreamOperation(StreamSide side)
    : IValueTaskSource<int>, IValueTaskSource<PipeReadResult>, IValueTaskSource
{
    private const int Registered = 1;
    private const int Finished = 2;

    // Whoever moves as much is in the midst of a stream, and so is its peer.
    private const int BulkBytes = 32_768;

    private readonly StreamSide _side = side;
    private ManualResetValueTaskSourceCore<int> _core;
    private StreamTransfer _transfer;
    private CancellationTokenRegistration _registration;
    private int _phase;
    private int _result;
    private Exception? _error;
    private TaskCompletionSource? _waiter; // of a synchronous call: nobody awaits

    /// <summary>The next in the side's queue. Guarded by the side's lock, like all that follows.</summary>
    public StreamOperation? Next { get; set; }

    /// <summary>The one before it in the side's queue.</summary>
    public StreamOperation? Previous { get; set; }

    /// <summary>Whether it is in the side's queue.</summary>
    public bool Waits { get; set; }

    /// <summary>Of a write: how many bytes were left when it was queued.</summary>
    public long BytesToWrite { get; set; }

    /// <summary>After the end: whether it moved so many bytes that others can be served meanwhile.</summary>
    public bool MovedMuch => Math.Max(_result, BytesToWrite) >= BulkBytes;

    /// <summary>What is left to do. Its memory is let go of at the end.</summary>
    public ref StreamTransfer Transfer => ref _transfer;

    /// <summary>Begins to wait for the end. Called once, by who queued it, with no lock held.</summary>
    public ValueTask<int> Start(CancellationToken token)
    {
        ValueTask<int> task = new(this, _core.Version); // first: the end may come at any time
        Arm(token);
        return task;
    }

    /// <summary>As <see cref="Start"/>, for operations without a result.</summary>
    public ValueTask StartWithoutResult(CancellationToken token)
    {
        ValueTask task = new(this, _core.Version);
        Arm(token);
        return task;
    }

    /// <summary>As <see cref="Start"/>, for reads of messages.</summary>
    public ValueTask<PipeReadResult> StartMessage(CancellationToken token)
    {
        ValueTask<PipeReadResult> task = new(this, _core.Version);
        Arm(token);
        return task;
    }

    /// <summary>
    /// Blocks until the end, or until the time is over: then with <paramref name="timedOut"/>. Called once, by who queued it,
    /// with no lock held; gives the operation back.
    /// </summary>
    public int Wait(int timeoutMilliseconds, Func<Exception> timedOut)
    {
        _waiter = new TaskCompletionSource();
        Arm(CancellationToken.None);
        bool signalled = false;
        ThreadInterruptedException? interrupted = null;
        try
        {
            signalled = WaitForSignal(timeoutMilliseconds);
        }
        catch (ThreadInterruptedException interruption)
        {
            interrupted = interruption;
        }

        if (!signalled && _side.Remove(this))
        {
            Finish(0, interrupted
                ?? (_side.Loop.IsEnding ? new ObjectDisposedException(nameof(NamedPipeEventLoop)) : timedOut()));
        }

        while (!_waiter.Task.IsCompleted) // it is in somebody's hands, who finishes it now
        {
            try
            {
                _waiter.Task.Wait();
            }
            catch (ThreadInterruptedException interruption)
            {
                interrupted = interruption;
            }
        }

        int result = _result;
        Exception? error = _error;
        Reset();
        _side.GiveBack(this);
        if (interrupted is not null && !ReferenceEquals(interrupted, error))
        {
            Thread.CurrentThread.Interrupt(); // it came too late for this call: the thread's next wait is told
        }

        return error is null ? result : throw error;
    }

    /// <summary>The end. Called once, by who took it out of the queue, with no lock held.</summary>
    public void Finish(int result, Exception? error)
    {
        _result = result;
        _error = error;
        if ((Interlocked.Or(ref _phase, Finished) & Registered) != 0)
        {
            Signal();
        }
    }

    /// <summary>Tells who awaits, whose continuation runs at once, in this call. Once, after the end, with no lock held.</summary>
    public void Complete()
    {
        if (_error is null)
        {
            _core.SetResult(_result);
        }
        else
        {
            _core.SetException(_error);
        }
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        // Throws for a token of an earlier use. What is under way must not be taken back by who asks too early.
        if (_core.GetStatus(token) == ValueTaskSourceStatus.Pending)
        {
            throw new InvalidOperationException("The operation has not ended: await it.");
        }

        try
        {
            return _core.GetResult(token);
        }
        finally
        {
            Reset();
            _side.GiveBack(this);
        }
    }

    PipeReadResult IValueTaskSource<PipeReadResult>.GetResult(short token) =>
        StreamTransfer.MessageOf(((IValueTaskSource<int>)this).GetResult(token));

    void IValueTaskSource.GetResult(short token) => ((IValueTaskSource<int>)this).GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _core.GetStatus(token);

    ValueTaskSourceStatus IValueTaskSource<PipeReadResult>.GetStatus(short token) => _core.GetStatus(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource<PipeReadResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Arm(CancellationToken token)
    {
        if (token.CanBeCanceled)
        {
            // May call back at once, on this thread.
            _registration = token.UnsafeRegister(
                static (operation, token) => ((StreamOperation)operation!).Cancel(token), this);
        }

        if ((Interlocked.Or(ref _phase, Registered) & Finished) != 0)
        {
            Signal();
        }
    }

    private bool WaitForSignal(int timeoutMilliseconds)
    {
        Task signal = _waiter!.Task;
        if (_side.Loop.IsCurrentThread)
        {
            long deadline = timeoutMilliseconds < 0 ? -1 : Environment.TickCount64 + timeoutMilliseconds;
            _side.Loop.DriveUntil(() => signal.IsCompleted, deadline);
            return signal.IsCompleted;
        }

        // Not a monitor: a task's wait lets the thread pool know, which puts another thread in the place of this one.
        _side.Loop.TakeBackTheRole();
        return signal.Wait(timeoutMilliseconds);
    }

    private void Cancel(CancellationToken token)
    {
        if (_side.Remove(this))
        {
            PipeTelemetry.Cancelled(_side.PipeName);
            Finish(0, new OperationCanceledException(token));
        }
    }

    private void Signal()
    {
        _registration.Dispose(); // waits for a callback that runs: it takes the side's lock, and finds nothing to do
        if (_waiter is { } waiter)
        {
            waiter.SetResult();
            _side.Loop.WakeIfDrivenFromInside();
            return;
        }

        if (_side.Loop.IsCurrentThread)
        {
            _side.Loop.Complete(this); // which calls Complete, or has a worker do so
            return;
        }

        _core.RunContinuationsAsynchronously = true;
        Complete();
    }

    private void Reset()
    {
        _core.Reset();
        _core.RunContinuationsAsynchronously = false;
        _registration = default;
        _phase = 0;
        _error = null;
        _waiter = null;
        _transfer = default;
    }
}
