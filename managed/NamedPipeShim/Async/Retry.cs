namespace NamedPipeShim.Async;

/// <summary>How long to wait before a name that was not there, or was busy, is tried again: longer each time, so that waiting long costs next to nothing.</summary>
internal struct Retry
{
    private const int FirstMilliseconds = 1;
    private const int LongestMilliseconds = 125;

    private int _last;

    public int NextMilliseconds()
    {
        _last = _last == 0 ? FirstMilliseconds : Math.Min(2 * _last, LongestMilliseconds);
        return _last;
    }
}
