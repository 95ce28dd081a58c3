using System.Runtime.CompilerServices;
using System.Threading.Channels;
using NamedPipeShim.Async;
using NamedPipeShim.Diagnostics;

namespace NamedPipeShim;

/// <summary>
/// Serves a name: accepts one client after the other, each as a <see cref="NamedPipeStream"/>.
/// </summary>
/// <remarks>
/// The name is there from <see cref="Listen(NamedPipeServerOptions,NamedPipeListenerOptions?)"/> to the end: the next instance
/// exists before a connection is handed out. A client that connects and vanishes is handed out all the same, and its stream
/// ends; no client ends the listener. Every member may be called from any thread.
/// </remarks>
public sealed class NamedPipeListener : IDisposable, IAsyncDisposable
{
    private readonly NamedPipeServerOptions _options;
    private readonly NamedPipeEventLoop _loop;
    private readonly Channel<NamedPipe> _accepted = Channel.CreateUnbounded<NamedPipe>();
    private readonly int _instancesAhead;
    private readonly bool _isLimited; // the system may refuse the next instance
    private readonly Lock _lock = new();
    private readonly Lock _adding = new(); // taken before _lock: when Stop returns, nobody is about to make an instance
    private readonly Lock _retiring = new(); // taken before _lock: when Stop returns, nobody is about to retire an instance

    // Guarded by _lock. Those that wait and those in _accepted are _instancesAhead together, unless the system refuses more.
    private readonly List<ListenerInstance> _waiting = [];
    // Those that had a client when they were last looked at, and have not been retired: they keep a share in the name. Weak: a
    // stream that its program forgot is collected.
    private readonly List<WeakReference<NamedPipe>> _keepers = [];
    private bool _stopped;
    private bool _refillOwed; // a refill failed and will be tried again
    private Retry _retry;

    private NamedPipeListener(NamedPipeServerOptions options, NamedPipeListenerOptions listenerOptions)
    {
        _options = options;
        _loop = listenerOptions.EventLoop ?? NamedPipeEventLoop.Default;
        _isLimited = options.MaxInstances != NamedPipeServerOptions.UnlimitedInstances;
        _instancesAhead = _isLimited
            ? Math.Min(listenerOptions.InstancesAhead, options.MaxInstances)
            : listenerOptions.InstancesAhead;
    }

    /// <summary>The name that is served.</summary>
    public string Name => _options.Name;

    /// <summary>Clients that have connected and wait to be accepted.</summary>
    internal int ConnectedCount => _accepted.Reader.Count;

    /// <summary>Serves a name with the default options.</summary>
    /// <inheritdoc cref="Listen(NamedPipeServerOptions,NamedPipeListenerOptions?)"/>
    /// <param name="name">The name.</param>
    public static NamedPipeListener Listen(string name) => Listen(new NamedPipeServerOptions { Name = name });

    /// <summary>Takes the name and begins to listen: clients can connect from now on.</summary>
    /// <param name="options">The name and the rest; read now, later changes do nothing.</param>
    /// <param name="listenerOptions">What concerns the listener alone; null: the defaults.</param>
    /// <returns>The listener.</returns>
    /// <exception cref="ArgumentException">An option is not valid; the parameter name says which.</exception>
    /// <exception cref="NamedPipeException">As for <see cref="NamedPipe.CreateServer(NamedPipeServerOptions)"/>.</exception>
    /// <exception cref="ObjectDisposedException">The loop was disposed.</exception>
    public static NamedPipeListener Listen(NamedPipeServerOptions options, NamedPipeListenerOptions? listenerOptions = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        NamedPipeServerOptions own = options.Copy();
        NamedPipeListener listener = new(own, listenerOptions ?? new NamedPipeListenerOptions());
        listener.Add();
        own.FirstInstance = false; // the name is ours now
        PipeEventSource.Log.ListenerStarted(own.Name);
        listener.Refill();
        return listener;
    }

    /// <summary>Waits for the next client.</summary>
    /// <param name="cancellationToken">Ends the wait; no client is lost by it.</param>
    /// <returns>The connection; the caller disposes it.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The listener was stopped or disposed, or its loop was, before or
    /// meanwhile.</exception>
    public async ValueTask<NamedPipeStream> AcceptAsync(CancellationToken cancellationToken = default)
    {
        NamedPipe? pipe;
        do
        {
            if (!await HasConnectedAsync(cancellationToken).ConfigureAwait(false))
            {
                throw StreamErrors.Disposed(nameof(NamedPipeListener), Name);
            }
        }
        while (!_accepted.Reader.TryRead(out pipe)); // another accept may have been quicker

        Refill(); // first, so that no client finds the name missing
        RetireConnected();
        try
        {
            return new NamedPipeStream(pipe, _loop);
        }
        catch
        {
            pipe.Dispose();
            throw;
        }
    }

    /// <summary>All clients, until the listener is stopped or disposed: then the sequence ends.</summary>
    /// <param name="cancellationToken">Ends it with an <see cref="OperationCanceledException"/>.</param>
    /// <returns>The connections; who enumerates disposes them.</returns>
    public async IAsyncEnumerable<NamedPipeStream> AcceptAllAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            NamedPipeStream stream;
            try
            {
                stream = await AcceptAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                yield break;
            }

            yield return stream;
        }
    }

    /// <summary>Ends the waiting for clients. Those that have connected can still be accepted; then every accept fails with
    /// <see cref="ObjectDisposedException"/>. Never blocks; a second call does nothing.</summary>
    /// <remarks>On Linux the name is free at once, whatever streams live: a client that comes now is told
    /// <see cref="NamedPipeError.NotFound"/>, one that the system had queued sees the end. On Windows the name is free when
    /// the last accepted stream has ended; until then a client is told <see cref="NamedPipeError.PipeBusy"/>.</remarks>
    public void Stop()
    {
        ListenerInstance[] waiting;
        lock (_lock)
        {
            if (_stopped)
            {
                return;
            }

            _stopped = true;
            waiting = [.. _waiting];
            _waiting.Clear();
        }

        lock (_adding)
        {
            // Who makes an instance now finds that it is not wanted, and has closed it.
        }

        foreach (ListenerInstance instance in waiting)
        {
            instance.Close();
        }

        RetireConnected();
        _accepted.Writer.TryComplete();
        PipeEventSource.Log.ListenerStopped(Name);
    }

    /// <summary>Stops, and ends the connections that nobody has accepted. Those that were accepted are their owners'. Never
    /// blocks; a second call does nothing.</summary>
    public void Dispose()
    {
        Stop();
        while (_accepted.Reader.TryRead(out NamedPipe? pipe))
        {
            pipe.Abort();
            pipe.Dispose();
        }
    }

    /// <summary>As <see cref="Dispose"/>.</summary>
    /// <returns>A completed task.</returns>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }

    internal void OnConnected(ListenerInstance instance)
    {
        bool kept;
        lock (_lock)
        {
            kept = _waiting.Remove(instance) && _accepted.Writer.TryWrite(instance.Pipe);
            if (kept)
            {
                _keepers.RemoveAll(HasEnded);
                _keepers.Add(new WeakReference<NamedPipe>(instance.Pipe));
            }
        }

        if (!kept)
        {
            instance.Pipe.Abort();
            instance.Pipe.Dispose();
        }
    }

    internal void OnLoopEnded() => Dispose();

    /// <summary>A failure that is tried again: nobody is told of it but who listens to the library's events.</summary>
    internal void ToldOf(Exception error)
    {
        if (error is NamedPipeException failure)
        {
            _ = PipeTelemetry.Failed(Name, failure);
        }
    }

    private static bool HasEnded(WeakReference<NamedPipe> keeper) =>
        !keeper.TryGetTarget(out NamedPipe? pipe) || pipe.SafeNamedPipeHandle.IsClosed;

    // So that the name ends with the listener, not with its streams (contract C10). While it runs another instance must hold the
    // name: one that waits for a client does. Where the number is limited, none may wait for as long as the streams live, and
    // each of them may end first: there all are kept, which are 254 at most.
    private void RetireConnected()
    {
        lock (_retiring)
        {
            WeakReference<NamedPipe>[] keepers;
            lock (_lock)
            {
                if (!_stopped && (_isLimited || _waiting.Count == 0))
                {
                    return;
                }

                keepers = [.. _keepers];
                _keepers.Clear();
            }

            foreach (WeakReference<NamedPipe> keeper in keepers)
            {
                if (keeper.TryGetTarget(out NamedPipe? pipe))
                {
                    pipe.RetireQuietly();
                }
            }
        }
    }

    // Apart from the accept, since a channel remembers whom it woke last: that would be a task with a stream, which could then not be
    // collected when its program forgets it.
    private async ValueTask<bool> HasConnectedAsync(CancellationToken cancellationToken)
    {
        ValueTask<bool> connected = _accepted.Reader.WaitToReadAsync(cancellationToken);
        bool waits = !connected.IsCompleted;
        if (waits)
        {
            _loop.HoldListener(this);
        }

        try
        {
            return await connected.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            PipeTelemetry.Cancelled(Name);
            throw;
        }
        finally
        {
            if (waits)
            {
                _loop.LetGoOfListener(this);
            }
        }
    }

    // As many as there should be. What fails is tried again later: meanwhile there are fewer.
    private void Refill()
    {
        try
        {
            while (AddIfNeeded())
            {
            }

            lock (_lock)
            {
                _retry = default;
            }
        }
        catch (NamedPipeException error) when (_isLimited && error.Error == NamedPipeError.PipeBusy)
        {
            RefillLater(); // as many clients as were asked for: no failure
        }
        catch (Exception error) when (error is IOException or OutOfMemoryException)
        {
            ToldOf(error);
            RefillLater();
        }
        catch (ObjectDisposedException)
        {
            Dispose(); // the loop has ended, and knows of no instance of ours to tell us by
        }
    }

    private bool AddIfNeeded()
    {
        lock (_adding)
        {
            bool needed = NeedsMore();
            if (needed)
            {
                Add();
            }

            return needed;
        }
    }

    private bool NeedsMore()
    {
        lock (_lock)
        {
            return !_stopped && _waiting.Count + _accepted.Reader.Count < _instancesAhead;
        }
    }

    private void Add()
    {
        NamedPipe pipe = NamedPipe.CreateServer(_options);
        ListenerInstance instance;
        try
        {
            instance = new ListenerInstance(this, _loop, pipe);
        }
        catch
        {
            pipe.Dispose();
            throw;
        }

        bool kept;
        lock (_lock)
        {
            kept = !_stopped;
            if (kept)
            {
                _waiting.Add(instance); // it keeps the instance alive, too
            }
        }

        if (kept)
        {
            instance.Listen();
        }
        else
        {
            instance.Close();
        }
    }

    private void RefillLater()
    {
        int milliseconds;
        lock (_lock)
        {
            if (_refillOwed || _stopped)
            {
                return;
            }

            _refillOwed = true;
            milliseconds = _retry.NextMilliseconds();
        }

        _ = RefillAfter(milliseconds);
    }

    private async Task RefillAfter(int milliseconds)
    {
        await Task.Delay(milliseconds).ConfigureAwait(false);
        lock (_lock)
        {
            _refillOwed = false;
        }

        Refill();
    }
}
