using NamedPipeShim.Async;

namespace NamedPipeShim;

/// <content>
/// Who drives the poller, and where continuations run.
///
/// One thread at a time drives: waits on the poller, tries the operations that are ready, and puts those that ended into a queue. Their
/// continuations are run by workers of the thread pool, or at once by the loop's thread if it runs them inline.
///
/// A message then costs a hop from the loop's thread to a worker. So the loop's thread offers its role to the workers: one that has
/// nothing left to run takes it and drives, and runs what it found itself, without a hop. It never has the role while user code
/// runs: before that it offers the role again, and any worker may take it, or the loop's thread, which watches: when
/// no worker has driven for a while (user code takes its time, or blocks, or the pool is busy) it takes the role back. A worker that
/// finds nothing gives the role back at once, for it must not sit idle on a thread of the pool.
/// </content>
public sealed partial class NamedPipeEventLoop
{
    private const int EventsPerTurn = 128;

    // Operations that may complete at once on the loop's thread before the turn must go on (inline continuations only).
    private const int InlineBudget = 64;

    // Operations that end in a turn before the workers are told of the first of them.
    private const int ReadyBatch = 8;

    // How long a worker waits on the poller at most, if the pool has nothing else to do.
    private const int WorkerWaitMilliseconds = 1;

    // After this a worker lets other work of the pool come first.
    private const int WorkerShareMilliseconds = 15;

    // How often the loop's thread looks whether the workers drive: so others' pipes wait for user code for twice that at most.
    private const int WatchMilliseconds = 2;

    // Turns in which the role is not offered, once it was of no use.
    private const int LongestPause = 64;

    // Who drives: the loop's thread; nobody, and who takes it may; a worker.
    private const int HeldByThread = 0;
    private const int Offered = 1;
    private const int HeldByWorker = 2;

    private static readonly int s_workerWait = Environment.ProcessorCount > 1 ? WorkerWaitMilliseconds : 0;

    // While a worker runs what follows a large transfer, another one serves its peer. On Linux that gains little for
    // much more processor time (docs/architecture.md).
    private static readonly bool s_bulkAsksForWorker = OperatingSystem.IsWindows() && Environment.ProcessorCount > 1;

    // The loop that this thread drives; of the loop's thread always.
    [ThreadStatic]
    private static NamedPipeEventLoop? s_running;

    private readonly Worker _worker;
    private readonly Lock _readyLock = new();
    private readonly object _gate = new(); // the loop's thread sleeps at it while it has lent its role

    // Operations that ended and whose continuations are still to be run. Guarded by _readyLock.
    private OperationQueue _ready;

    private int _scheduled; // 1: a worker was queued and has not begun
    private int _role; // HeldByThread, Offered or HeldByWorker: only who drives leaves a Held state
    private int _drives; // turns of workers that found something; written by who drives

    // Work that was put off to the loop's next turn. Guarded by _lock.
    private readonly Queue<StreamSide> _deferred = new();
    private bool _hasDeferred; // read without it too

    // Of who drives alone.
    private readonly PipeEvent[] _events = new PipeEvent[EventsPerTurn];
    private int _nextEvent; // or the one that is being handed out
    private int _eventCount;
    private StreamSide? _pumping; // of those that were deferred
    private OperationQueue _turnReady;
    private int _budget;

    // Of the loop's thread alone.
    private int _pause;
    private int _lastPause;

    internal bool IsEnding => Volatile.Read(ref _closing);

    /// <summary>Whether this thread drives the loop.</summary>
    internal bool IsCurrentThread => ReferenceEquals(s_running, this);

    /// <summary>
    /// Whether an operation may complete at once. Not so on the loop's thread when it has had its share of this turn: else a
    /// continuation that always finds data would keep the loop for ever.
    /// </summary>
    internal bool MayCompleteNow()
    {
        if (!RunsContinuationsInline || !IsCurrentThread)
        {
            return true;
        }

        if (_budget == 0)
        {
            return false;
        }

        _budget--;
        return true;
    }

    /// <summary>Has the loop try a side's operations in its next turn, though no event of it will come.</summary>
    internal void Defer(StreamSide side)
    {
        lock (_lock)
        {
            _deferred.Enqueue(side);
            Volatile.Write(ref _hasDeferred, true);
        }

        if (!IsCurrentThread)
        {
            WakeQuietly();
        }
    }

    /// <summary>An operation ended, and is to be completed: at once, or by a worker. By who drives.</summary>
    internal void Complete(StreamOperation operation)
    {
        if (RunsContinuationsInline)
        {
            ExecutionContext? context = ExecutionContext.Capture();
            SynchronizationContext? synchronization = SynchronizationContext.Current;
            operation.Complete();
            CleanUpAfterUserCode(context, synchronization);
            return;
        }

        _turnReady.Append(operation);
        if (_turnReady.Count == ReadyBatch)
        {
            PassReady();
            ScheduleWorkerIfReady();
        }
    }

    /// <summary>
    /// Drives the loop from inside the loop, for a synchronous call of a continuation that runs inline, until
    /// <paramref name="done"/> or the deadline (in <see cref="Environment.TickCount64"/>; negative: none).
    /// </summary>
    internal void DriveUntil(Func<bool> done, long deadline)
    {
        // This call stands in the midst of a turn. What is left of that would wait for this call to end, which may wait for it: so it comes
        // first, and with it what else is to be done for the pipe that this call's continuation is of.
        if (_pumping is { } side)
        {
            Defer(side);
        }

        HandOut();
        while (!done())
        {
            long left = deadline < 0 ? Timeout.Infinite : Math.Max(0, deadline - Environment.TickCount64);
            if (Turn(left) == TurnEnd.LoopEnds || left == 0)
            {
                return;
            }
        }
    }

    /// <summary>A synchronous call was finished, which may be driving the loop itself.</summary>
    internal void WakeIfDrivenFromInside()
    {
        if (RunsContinuationsInline && !IsCurrentThread)
        {
            WakeQuietly();
        }
    }

    /// <summary>Something is about to block, in a worker perhaps: the loop's thread need not wait until it sees that.</summary>
    internal void TakeBackTheRole()
    {
        if (Volatile.Read(ref _role) == Offered)
        {
            lock (_gate)
            {
                Monitor.Pulse(_gate);
            }
        }
    }

    // ---- the loop's thread

    private void Run()
    {
        s_running = this;
        while (Turn(Timeout.Infinite) != TurnEnd.LoopEnds)
        {
            if (!HasReady)
            {
                continue;
            }

            if (_pause > 0)
            {
                _pause--;
                ScheduleWorkerIfReady();
            }
            else
            {
                Lend();
            }
        }

        End();
    }

    // Offers the role, and comes back with it.
    private void Lend()
    {
        int before = _drives;
        Volatile.Write(ref _role, Offered);
        ScheduleWorkerIfReady();
        lock (_gate)
        {
            int seen = before;
            while (Volatile.Read(ref _role) != HeldByThread)
            {
                _ = Monitor.Wait(_gate, WatchMilliseconds);
                int drives = Volatile.Read(ref _drives);
                if (drives == seen)
                {
                    _ = Interlocked.CompareExchange(ref _role, HeldByThread, Offered);
                }

                seen = drives;
            }
        }

        _lastPause = _drives == before ? Math.Clamp(2 * _lastPause, 1, LongestPause) : 0;
        _pause = _lastPause;
    }

    // ---- workers

    private void Work()
    {
        ExecutionContext? context = ExecutionContext.Capture();
        long until = Environment.TickCount64 + WorkerShareMilliseconds;
        _ = Interlocked.Exchange(ref _scheduled, 0); // before looking: what is added from now on gets a worker of its own
        do
        {
            while (TakeReady(out bool more) is { } operation)
            {
                if (more || (s_bulkAsksForWorker && operation.MovedMuch))
                {
                    ScheduleWorker(); // this one may block
                }

                operation.Complete();
                CleanUpAfterUserCode(context, synchronization: null);
                if (Environment.TickCount64 > until)
                {
                    ScheduleWorker();
                    return;
                }
            }
        }
        while (TryDrive());
    }

    // True: there may be something to run.
    private bool TryDrive()
    {
        if (Interlocked.CompareExchange(ref _role, HeldByWorker, Offered) != Offered)
        {
            return false;
        }

        s_running = this;
        TurnEnd end;
        do
        {
            end = Turn(ThreadPool.PendingWorkItemCount == 0 ? s_workerWait : 0);
        }
        while (end == TurnEnd.Events && !HasReady);
        s_running = null;
        if (end == TurnEnd.Events)
        {
            Volatile.Write(ref _drives, _drives + 1);
            Volatile.Write(ref _role, Offered);
            return true;
        }

        ScheduleWorkerIfReady();
        lock (_gate)
        {
            Volatile.Write(ref _role, HeldByThread);
            Monitor.Pulse(_gate);
        }

        return false;
    }

    // What a continuation may leave behind, the next must not find; nor the one inside which it ran.
    private static void CleanUpAfterUserCode(ExecutionContext? context, SynchronizationContext? synchronization)
    {
        if (context is not null && !ReferenceEquals(ExecutionContext.Capture(), context))
        {
            ExecutionContext.Restore(context);
        }

        if (!ReferenceEquals(SynchronizationContext.Current, synchronization))
        {
            SynchronizationContext.SetSynchronizationContext(synchronization);
        }
    }

    private bool HasReady => Volatile.Read(ref _ready.Count) > 0;

    private StreamOperation? TakeReady(out bool more)
    {
        if (!HasReady)
        {
            more = false;
            return null;
        }

        lock (_readyLock)
        {
            StreamOperation? operation = _ready.TakeFirst();
            more = _ready.Count > 0;
            return operation;
        }
    }

    private void PassReady()
    {
        if (_turnReady.Count > 0)
        {
            lock (_readyLock)
            {
                _ready.Append(ref _turnReady);
            }
        }
    }

    private void ScheduleWorkerIfReady()
    {
        if (HasReady)
        {
            ScheduleWorker();
        }
    }

    private void ScheduleWorker()
    {
        if (Volatile.Read(ref _scheduled) == 0 && Interlocked.Exchange(ref _scheduled, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_worker, preferLocal: false);
        }
    }

    // ---- a turn

    private enum TurnEnd
    {
        Nothing,
        Events,
        LoopEnds, // or its poller cannot wait any more
    }

    // By who drives.
    private TurnEnd Turn(long timeoutMilliseconds)
    {
        // The wake of the loop's end may have been another driver's: looked at before the wait too, else the end is slept over.
        int count = 0;
        bool deferred = RunDeferred(out bool more);
        bool ends = Volatile.Read(ref _closing) ||
            _poller.SafeNamedPipePollerHandle.Wait(_events, deferred || more ? 0 : timeoutMilliseconds, out count).IsError;
        if (ends || Volatile.Read(ref _closing))
        {
            PassReady();
            return TurnEnd.LoopEnds;
        }

        _nextEvent = 0;
        _eventCount = count;
        HandOut();
        PassReady();
        return deferred || count > 0 ? TurnEnd.Events : TurnEnd.Nothing;
    }

    // Also from inside itself (DriveUntil): then it goes on, with the event that is being handed out once more, and leaves nothing.
    private void HandOut()
    {
        for (; _nextEvent < _eventCount; _nextEvent++)
        {
            PipeEvent one = _events[_nextEvent];
            if (!one.IsWake)
            {
                _budget = InlineBudget;
                Find(one.Token)?.OnReady(one.Readiness);
            }
        }
    }

    // True: there was some.
    private bool RunDeferred(out bool more)
    {
        more = false;
        if (!Volatile.Read(ref _hasDeferred))
        {
            return false;
        }

        int count;
        lock (_lock)
        {
            count = _deferred.Count;
        }

        // A turn inside this one may take some of them.
        for (; count > 0 && TakeDeferred() is { } side; count--)
        {
            _budget = InlineBudget;
            _pumping = side;
            side.Pump();
            _pumping = null;
        }

        lock (_lock)
        {
            more = _hasDeferred = _deferred.Count > 0;
            return true;
        }
    }

    private StreamSide? TakeDeferred()
    {
        lock (_lock)
        {
            return _deferred.TryDequeue(out StreamSide? side) ? side : null;
        }
    }

    private sealed class Worker(NamedPipeEventLoop loop) : IThreadPoolWorkItem
    {
        public void Execute() => loop.Work();
    }
}
