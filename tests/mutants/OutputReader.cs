using System.Diagnostics;
using System.Text;

namespace NamedPipeShim.Mutants;

/// <summary>Reads what a process prints on a thread of its own, line by line.</summary>
internal sealed class OutputReader : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly StringBuilder _text = new();
    private readonly Thread _thread;
    private readonly StreamReader _stream;
    private readonly Func<string, string?> _failure;
    private long _last = Stopwatch.GetTimestamp();
    private string? _found;
    private string? _helperFailure;
    private long _helperFailed;

    public OutputReader(Process process, Func<string, string?> failure)
    {
        _stream = process.StandardOutput;
        _failure = failure;
        _thread = new Thread(Read) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>A thread of a case that failed ends without it; the case may go on for long before it says so.</summary>
    public string? Failure => Volatile.Read(ref _found)
        ?? (Volatile.Read(ref _helperFailure) is { } text && Stopwatch.GetElapsedTime(Volatile.Read(ref _helperFailed)) > s_patience ? text : null);

    public TimeSpan Silence => Stopwatch.GetElapsedTime(Volatile.Read(ref _last));

    /// <summary>All that was printed. What the process started may keep its output open; nobody waits for that.</summary>
    public string End()
    {
        _ = _thread.Join(TimeSpan.FromMilliseconds(500));
        lock (_lock)
        {
            return _text.ToString();
        }
    }

    public void Dispose() => _stream.Dispose();

    private void Read()
    {
        try
        {
            while (_stream.ReadLine() is { } line)
            {
                Volatile.Write(ref _last, Stopwatch.GetTimestamp());
                lock (_lock)
                {
                    _ = _text.AppendLine(line);
                }

                if (_helperFailure == null && line.EndsWith(" (helper thread)", StringComparison.Ordinal))
                {
                    Volatile.Write(ref _helperFailed, Stopwatch.GetTimestamp());
                    Volatile.Write(ref _helperFailure, line);
                }

                if (_found == null && _failure(line) is { } found)
                {
                    Volatile.Write(ref _found, found);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The process is gone.
        }
    }
}
