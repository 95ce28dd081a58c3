namespace NamedPipeShim.Async;

/// <summary>Operations in the order in which they ended, linked through themselves. Not thread safe.</summary>
internal struct OperationQueue
{
    public int Count;

    private StreamOperation? _first;
    private StreamOperation? _last;

    public void Append(StreamOperation operation)
    {
        if (_last is null)
        {
            _first = operation;
        }
        else
        {
            _last.Next = operation;
        }

        _last = operation;
        Count++;
    }

    /// <summary>Moves all of <paramref name="other"/>, which is not empty, behind what is here.</summary>
    public void Append(ref OperationQueue other)
    {
        if (_last is null)
        {
            _first = other._first;
        }
        else
        {
            _last.Next = other._first;
        }

        _last = other._last;
        Count += other.Count;
        other = default;
    }

    public StreamOperation? TakeFirst()
    {
        StreamOperation? first = _first;
        if (first is not null)
        {
            _first = first.Next;
            first.Next = null;
            Count--;
            if (_first is null)
            {
                _last = null;
            }
        }

        return first;
    }
}
