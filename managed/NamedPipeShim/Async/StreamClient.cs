using System.IO.Pipes;

namespace NamedPipeShim.Async;

/// <summary>What a stream and its event loop share: the pipe, its two sides, and the stream's end.</summary>
internal sealed class StreamClient : LoopClient
{
    private readonly Lock _lock = new();
    private NamedPipeException? _backgroundError; // guarded by _lock
    private bool _closed; // guarded by _lock
    private volatile bool _peerClosed;
    private CancellationTokenSource? _closing; // guarded by _lock; made when first asked for

    /// <summary>Registers the pipe with the loop's poller, or anew if it is registered there already.</summary>
    public StreamClient(NamedPipe pipe, NamedPipeEventLoop loop)
    {
        Pipe = pipe;
        Loop = loop;
        Reader = new StreamReaderSide(pipe, loop, this);
        Writer = new StreamWriterSide(pipe, loop, this);
        pipe.SafeNamedPipeHandle.CountAsConnection(pipe.Name); // first: once it is attached the loop may end it
        try
        {
            loop.Attach(this);
            Register();
        }
        catch
        {
            pipe.SafeNamedPipeHandle.CountAsConnectionNoMore();
            throw;
        }
    }

    public NamedPipe Pipe { get; }

    public NamedPipeEventLoop Loop { get; }

    public StreamReaderSide Reader { get; }

    public StreamWriterSide Writer { get; }

    /// <summary>Whether neither end has closed: what is known, or else what the pipe tells if it is asked.</summary>
    public bool IsOpen => !_peerClosed && !IsClosedHere && !PeerSeemsClosed();

    /// <summary>Whether accepted bytes are not in the system's hands yet.</summary>
    public bool HasUnsent => Pipe.SafeNamedPipeHandle.HasUnsent();

    public bool IsClosedHere => Volatile.Read(ref _closed);

    /// <summary>Cancelled by the stream's end here: for what waits outside the pipe's two sides.</summary>
    public CancellationToken Closing
    {
        get
        {
            lock (_lock)
            {
                _closing ??= new CancellationTokenSource();
                if (_closed)
                {
                    _closing.Cancel(); // nobody has its token yet, or it was cancelled before
                }

                return _closing.Token;
            }
        }
    }

    /// <summary>Uses the system's handle in a short call that does not block. Neither the stream, nor its loop, nor whoever has its pipe
    /// closes it meanwhile: a loop's poller ends when its streams are closed, and that waits for the lock.</summary>
    public T UseOSHandle<T>(Func<nint, T> use)
    {
        lock (_lock)
        {
            return _closed ? throw StreamErrors.Disposed(nameof(NamedPipeStream), Pipe.Name) : Pipe.UseOSHandle(use);
        }
    }

    public override void OnReady(PipeReadiness readiness)
    {
        if ((readiness & PipeReadiness.Closed) != 0)
        {
            PeerHasClosed();
        }

        if ((readiness & PipeReadiness.Error) != 0)
        {
            KeepBackgroundError();
        }

        if ((readiness & (PipeReadiness.Readable | PipeReadiness.Closed)) != 0)
        {
            Reader.Pump();
        }

        if ((readiness & (PipeReadiness.Writable | PipeReadiness.Closed | PipeReadiness.Error)) != 0)
        {
            Writer.Pump();
        }
    }

    public override void OnLoopEnded() => Close(NamedPipe.DefaultLinger, nameof(NamedPipeEventLoop));

    public void PeerHasClosed() => _peerClosed = true;

    /// <summary>An accepted write that failed in the background is told once, by the flush that follows (W4).</summary>
    public void ThrowBackgroundError()
    {
        KeepBackgroundError();
        NamedPipeException? error;
        lock (_lock)
        {
            error = _backgroundError;
            _backgroundError = null;
        }

        if (error is not null)
        {
            throw error;
        }
    }

    /// <summary>Ends both sides and the pipe, once. <paramref name="linger"/> null: at once, with the loss of what is unsent.</summary>
    public void Close(TimeSpan? linger, string objectName)
    {
        lock (_lock)
        {
            if (_closed)
            {
                if (linger is null)
                {
                    Pipe.Abort(); // what lingers
                    Pipe.Dispose();
                }

                return;
            }

            _closed = true;
        }

        Loop.Detach(Slot);
        Volatile.Read(ref _closing)?.Cancel();
        Reader.End(objectName);
        Writer.End(objectName);
        if (linger is null)
        {
            Pipe.Abort();
        }
        else if (!CloseQuietly(linger.Value))
        {
            Pipe.SafeNamedPipeHandle.CountAsConnectionNoMore();
            Loop.RememberLingering(Pipe.SafeNamedPipeHandle);
            return; // its handle is for Abort, or the collector's
        }

        Pipe.Dispose();
    }

    private void Register()
    {
        try
        {
            if (Pipe.Poller is null)
            {
                Pipe.Register(Loop.Poller, Slot.Token, PipeInterest.Both | PipeInterest.OnDemand);
            }
            else
            {
                Pipe.Reregister(Slot.Token, PipeInterest.Both | PipeInterest.OnDemand);
            }
        }
        catch
        {
            Loop.Detach(Slot);
            throw;
        }
    }

    // Of a pipe that is not watched no event tells (on demand); so this looks.
    private bool PeerSeemsClosed()
    {
        if ((Pipe.Direction & PipeDirection.In) == 0)
        {
            return false;
        }

        try
        {
            if (Pipe.TryPeek([], out _, out _) == PipeStatus.EndOfStream)
            {
                PeerHasClosed();
            }

            return _peerClosed;
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            return true;
        }
    }

    // False: it lingers.
    private bool CloseQuietly(TimeSpan linger)
    {
        try
        {
            return Pipe.Close(linger);
        }
        catch (ObjectDisposedException)
        {
            return true; // the poller's end closed it, or the program did
        }
    }

    private void KeepBackgroundError()
    {
        NamedPipeException? error;
        try
        {
            error = Pipe.TakeError();
        }
        catch (ObjectDisposedException)
        {
            return; // the event was fetched before the stream's end, and nobody asks any more
        }

        if (error is not null)
        {
            lock (_lock)
            {
                _backgroundError = error;
            }
        }
    }
}
