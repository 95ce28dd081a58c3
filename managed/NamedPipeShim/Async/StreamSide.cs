namespace NamedPipeShim.Async;

/// <summary>
/// The reading or the writing half of a stream: its operations, done in the order in which they came.
/// </summary>
/// <remarks>
/// One lock for each side guards its queue and is held while the pipe is tried, which never blocks. So an event that comes
/// between "would block" and the queueing waits for the lock and then finds the operation: none is missed. A cancelled
/// operation has moved no byte that its caller does not know of: bytes move under the lock, and with them the operation ends.
/// </remarks>
internal abstract class StreamSide(NamedPipe pipe, NamedPipeEventLoop loop)
{
    // Operations of one side in one turn of the loop; then the others have theirs.
    private const int OperationsPerTurn = 16;

    private readonly Lock _lock = new();
    private StreamOperation? _first;
    private StreamOperation? _last;
    private StreamOperation? _spare; // by interlocked exchange
    private string? _endedBy; // the type of the object that was disposed

    public NamedPipeEventLoop Loop { get; } = loop;

    public string? PipeName => Pipe.Name;

    protected NamedPipe Pipe { get; } = pipe;

    /// <summary>Tries at once, if nothing waits before it; else, or if it would block, queues an operation.</summary>
    /// <returns>The operation, which the caller starts; null: it was done, with <paramref name="result"/>.</returns>
    public StreamOperation? Begin(ref StreamTransfer transfer, out int result)
    {
        lock (_lock)
        {
            ThrowIfEnded();
            bool idle = _first is null;
            bool tries = idle && Loop.MayCompleteNow();
            if (tries && TryMove(ref transfer, out result))
            {
                return null;
            }

            result = 0;
            StreamOperation operation = Interlocked.Exchange(ref _spare, null) ?? new StreamOperation(this);
            operation.Transfer = transfer;
            operation.BytesToWrite = transfer.BytesToWrite;
            Append(operation);
            if (idle)
            {
                Hold(true);
                if (!tries)
                {
                    Loop.Defer(this); // the turn's share is used up
                }
            }

            return operation;
        }
    }

    /// <summary>Tries the operations that wait, the oldest first. On the loop's thread, with no lock held.</summary>
    public void Pump()
    {
        bool more = true;
        for (int done = 0; more; done++)
        {
            StreamOperation? operation;
            int result = 0;
            Exception? error = null;
            lock (_lock)
            {
                operation = _first;
                if (operation is null)
                {
                    return;
                }

                if (done == OperationsPerTurn)
                {
                    Loop.Defer(this);
                    return;
                }

                try
                {
                    if (!TryMove(ref operation.Transfer, out result))
                    {
                        return;
                    }
                }
                catch (Exception failure)
                {
                    error = failure;
                }

                Unlink(operation);
                more = _first is not null; // what begins on an empty queue, in a continuation perhaps, is tried as it begins
            }

            operation.Finish(result, error);
        }
    }

    /// <summary>Takes an operation out of the queue. True: it was there, and the caller finishes it.</summary>
    public bool Remove(StreamOperation operation)
    {
        lock (_lock)
        {
            if (operation.Waits)
            {
                bool wasFirst = operation.Previous is null;
                Unlink(operation);
                if (wasFirst && _first is not null)
                {
                    Loop.Defer(this); // what was behind it may need nothing of what it waited for
                }

                return true;
            }

            return false;
        }
    }

    /// <summary>Ends the side: what waits fails, and so does every later operation.</summary>
    public void End(string objectName)
    {
        StreamOperation? waiting;
        lock (_lock)
        {
            _endedBy ??= objectName;
            waiting = _first;
            _first = _last = null;
            for (StreamOperation? one = waiting; one is not null; one = one.Next)
            {
                one.Waits = false;
                one.Previous = null;
            }

            Hold(false);
        }

        while (waiting is not null)
        {
            StreamOperation next = waiting;
            waiting = next.Next;
            next.Next = null;
            next.Finish(0, Ended(objectName));
        }
    }

    public void GiveBack(StreamOperation operation) => Volatile.Write(ref _spare, operation);

    /// <summary>Does as much as can be done now. True: all, with the result. Throws what the pipe throws.</summary>
    protected abstract bool TryMove(ref StreamTransfer transfer, out int result);

    /// <summary>Whether the loop must keep the stream alive.</summary>
    protected abstract void Hold(bool hold);

    private void ThrowIfEnded()
    {
        if (_endedBy is not null)
        {
            throw Ended(_endedBy);
        }
    }

    private ObjectDisposedException Ended(string objectName) => StreamErrors.Disposed(objectName, PipeName);

    private void Append(StreamOperation operation)
    {
        operation.Waits = true;
        operation.Next = null;
        operation.Previous = _last;
        if (_last is null)
        {
            _first = operation;
        }
        else
        {
            _last.Next = operation;
        }

        _last = operation;
    }

    private void Unlink(StreamOperation operation)
    {
        (StreamOperation? before, StreamOperation? after) = (operation.Previous, operation.Next);
        if (before is null)
        {
            _first = after;
        }
        else
        {
            before.Next = after;
        }

        if (after is null)
        {
            _last = before;
        }
        else
        {
            after.Previous = before;
        }

        operation.Waits = false;
        operation.Next = operation.Previous = null;
        if (_first is null)
        {
            Hold(false);
        }
    }
}
