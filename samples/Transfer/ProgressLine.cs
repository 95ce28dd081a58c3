namespace NamedPipeShim.Samples.Transfer;

/// <summary>
/// Shows progress on standard output: on a terminal a line that is updated in place, otherwise, where that would be a mess,
/// a plain line for each quarter of a large file.
/// </summary>
internal sealed class ProgressLine
{
    private const long MillisecondsBetweenUpdates = 100;
    private const int Quarters = 4;
    private const long SmallestInQuarters = 1_000_000;

    private readonly bool _isTerminal = !Console.IsOutputRedirected;
    private long _nextUpdate;
    private int _shown;
    private long _quarter;

    /// <summary>Whether <see cref="Show"/> would show anything now.</summary>
    public bool IsDue => _isTerminal && Environment.TickCount64 >= _nextUpdate;

    /// <summary>How far one transfer is.</summary>
    public void Report(string what, long done, long total)
    {
        if (IsDue || (_isTerminal && done == total))
        {
            Show($"{what}  {Text.Size(done)} of {Text.Size(total)}  {Percent(done, total)} %");
        }
        else if (!_isTerminal && total >= SmallestInQuarters)
        {
            long quarter = (long)((Int128)done * Quarters / total);
            if (quarter > _quarter)
            {
                Console.WriteLine($"{what}  {Text.Size(done)} of {Text.Size(total)}  {Percent(done, total)} %");
            }

            _quarter = quarter;
        }
    }

    /// <summary>Updates the line in place, on a terminal.</summary>
    public void Show(string text)
    {
        if (_isTerminal)
        {
            Console.Write($"\r{text}{Blanks(_shown - text.Length)}");
            _shown = text.Length;
            _nextUpdate = Environment.TickCount64 + MillisecondsBetweenUpdates;
        }
    }

    /// <summary>Writes a line that stays, where the line in place was.</summary>
    public void Say(string line)
    {
        Clear();
        Console.WriteLine(line);
    }

    /// <summary>Writes a line that stays, to standard error.</summary>
    public void Complain(string line)
    {
        Clear();
        Console.Error.WriteLine(line);
    }

    /// <summary>Leaves the line in place as it is, and goes on below it.</summary>
    public void Keep()
    {
        if (_shown > 0)
        {
            Console.WriteLine();
            _shown = 0;
        }

        _quarter = 0;
    }

    private void Clear()
    {
        if (_shown > 0)
        {
            Console.Write($"\r{Blanks(_shown)}\r");
            _shown = 0;
        }

        _quarter = 0;
    }

    private static long Percent(long done, long total) => total == 0 ? 100 : (long)((Int128)done * 100 / total);

    private static string Blanks(int count) => count > 0 ? new string(' ', count) : "";
}
