using System.Runtime.InteropServices;
using NamedPipeShim.Async;

namespace NamedPipeShim;

/// <summary>
/// A thread that drives any number of <see cref="NamedPipeStream"/>s and <see cref="NamedPipeListener"/>s over one
/// <see cref="NamedPipePoller"/>.
/// </summary>
/// <remarks>
/// <para>
/// <see cref="Default"/> is for programs that do not care; more loops use more cores. What follows an <c>await</c> runs on the
/// thread pool unless <see cref="NamedPipeEventLoopOptions.UnsafeRunContinuationsInline"/> says otherwise, so that no user
/// code can stall the loop; and one pipe is served a bounded amount of work in a turn, so that a flooding one does not starve
/// the others.
/// </para>
/// <para>Every member may be called from any thread.</para>
/// </remarks>
public sealed partial class NamedPipeEventLoop : IDisposable, IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly NamedPipePoller _poller;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly bool _isDefault;

    // Guarded by _lock, but for the loop's thread reading the array that is there.
    private LoopSlot?[] _slots = [];
    private readonly Stack<int> _freeSlots = new();
    private uint _generation;
    private bool _closing;

    // With the number of accepts that wait. An instance that waits for a client is held weakly, and who accepts is known to the
    // listener alone: so the loop is what keeps both alive.
    private readonly Dictionary<NamedPipeListener, int> _accepting = [];

    /// <summary>Creates a loop and starts its thread.</summary>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option of the poller is out of range.</exception>
    /// <exception cref="NamedPipeException">The system has no handle left.</exception>
    /// <exception cref="DllNotFoundException">The native library is missing or does not match.</exception>
    public NamedPipeEventLoop(NamedPipeEventLoopOptions? options = null)
        : this(options, isDefault: false)
    {
    }

    private NamedPipeEventLoop(NamedPipeEventLoopOptions? options, bool isDefault)
    {
        _isDefault = isDefault;
        RunsContinuationsInline = options?.UnsafeRunContinuationsInline ?? false;
        _poller = new NamedPipePoller(options?.Poller);
        _worker = new Worker(this);
        _thread = new Thread(Run)
        {
            Name = options?.Name ?? (isDefault ? "NamedPipeShim default loop" : "NamedPipeShim loop"),
            IsBackground = true,
        };

        WatchForExit();

        // The values that flow with whoever asked for the first pipe are none of the loop's.
        _thread.UnsafeStart();
    }

    /// <summary>The loop that is used where none is named. It is made when first needed, and cannot be disposed.</summary>
    public static NamedPipeEventLoop Default => DefaultLoop.Instance;

    /// <summary>Whether continuations run on the loop's thread;
    /// see <see cref="NamedPipeEventLoopOptions.UnsafeRunContinuationsInline"/>.</summary>
    public bool RunsContinuationsInline { get; }

    internal NamedPipePoller Poller => _poller;

    /// <summary>
    /// Ends the loop: reads, writes and accepts that wait fail with <see cref="ObjectDisposedException"/>, streams that were
    /// disposed before are given the time that is left of their <see cref="NamedPipe.DefaultLinger"/>, and the others are
    /// closed. Blocks until that is done; <see cref="DisposeAsync"/> does not.
    /// </summary>
    /// <exception cref="InvalidOperationException">This is <see cref="Default"/>, or the call comes from inside the loop,
    /// which cannot wait for itself.</exception>
    public void Dispose()
    {
        if (IsCurrentThread)
        {
            throw new InvalidOperationException("A loop cannot wait for its own end: use DisposeAsync, or another thread.");
        }

        BeginEnd();
        _ended.Task.Wait();
    }

    /// <summary>Ends the loop, as <see cref="Dispose"/> does, without blocking.</summary>
    /// <returns>Completes when the last pipe is closed.</returns>
    /// <exception cref="InvalidOperationException">This is <see cref="Default"/>.</exception>
    public ValueTask DisposeAsync()
    {
        BeginEnd();
        return new ValueTask(_ended.Task);
    }

    // ---- for streams and listeners

    /// <summary>Takes a place in the table; its token is for the pipe's registration.</summary>
    /// <exception cref="ObjectDisposedException">The loop was disposed.</exception>
    internal void Attach(LoopClient client)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closing, this);
            if (_freeSlots.Count == 0)
            {
                MakeRoom();
            }

            int index = _freeSlots.Pop();
            client.Slot = new LoopSlot(client, index, ++_generation);
            Volatile.Write(ref _slots[index], client.Slot);
        }
    }

    /// <summary>Gives the place back, once. No event reaches the client that is fetched from now on.</summary>
    internal void Detach(LoopSlot slot)
    {
        lock (_lock)
        {
            if (ReferenceEquals(_slots[slot.Index], slot)) // else it was forgotten, and its place is taken
            {
                _slots[slot.Index] = null;
                _freeSlots.Push(slot.Index);
            }
        }
    }

    /// <summary>An accept begins to wait: its listener stays alive, though its program may know it no more.</summary>
    internal void HoldListener(NamedPipeListener listener)
    {
        lock (_lock)
        {
            _accepting[listener] = _accepting.GetValueOrDefault(listener) + 1;
        }
    }

    /// <summary>An accept waits no more.</summary>
    internal void LetGoOfListener(NamedPipeListener listener)
    {
        lock (_lock)
        {
            if (--CollectionsMarshal.GetValueRefOrNullRef(_accepting, listener) == 0)
            {
                _accepting.Remove(listener);
            }
        }
    }

    // ---- the table

    private LoopClient? Find(nuint token)
    {
        LoopSlot?[] slots = Volatile.Read(ref _slots);
        LoopSlot? slot = Volatile.Read(ref slots[(int)(uint)token]);
        return slot is not null && slot.Token == token ? slot.Client : null;
    }

    // Places of clients that their programs forgot, or new ones. The lock is held.
    private void MakeRoom()
    {
        for (int i = 0; i < _slots.Length; i++)
        {
            if (_slots[i] is { Client: null })
            {
                _slots[i] = null;
                _freeSlots.Push(i);
            }
        }

        if (_freeSlots.Count > _slots.Length / 4)
        {
            return;
        }

        LoopSlot?[] larger = new LoopSlot?[Math.Max(16, 2 * _slots.Length)];
        _slots.CopyTo(larger, 0);
        for (int i = larger.Length - 1; i >= _slots.Length; i--)
        {
            _freeSlots.Push(i);
        }

        Volatile.Write(ref _slots, larger);
    }

    // ---- the end

    private void BeginEnd()
    {
        if (_isDefault)
        {
            throw new InvalidOperationException("The default loop belongs to everybody: it cannot be disposed.");
        }

        lock (_lock)
        {
            if (_closing)
            {
                return;
            }

            _closing = true;
        }

        WakeQuietly();
        TakeBackTheRole();
    }

    private void WakeQuietly()
    {
        try
        {
            _poller.Wake(0);
        }
        catch (ObjectDisposedException)
        {
            // It has ended meanwhile.
        }
    }

    private void End()
    {
        LoopSlot?[] slots;
        NamedPipeListener[] listeners;
        lock (_lock)
        {
            _closing = true; // also where the poller could not go on
            slots = [.. _slots];
            listeners = [.. _accepting.Keys]; // one that could have no instance has no slot
        }

        foreach (LoopSlot? slot in slots)
        {
            slot?.Client?.OnLoopEnded();
        }

        foreach (NamedPipeListener listener in listeners)
        {
            listener.OnLoopEnded();
        }

        PassReady();
        ScheduleWorkerIfReady();
        s_running = null;
        WatchForExitNoMore();
        _poller.Dispose(); // drives what lingers, for as long as it may
        _ended.SetResult();
    }

    private static class DefaultLoop
    {
        public static readonly NamedPipeEventLoop Instance = new(new NamedPipeEventLoopOptions(), isDefault: true);
    }
}
