using System.Diagnostics;

namespace NamedPipeShim.Mutants;

/// <summary>
/// Whether a process is stuck: it has printed nothing for a while, and used hardly any processor time meanwhile. No case of ours
/// sleeps for so long.
/// </summary>
internal sealed class Rest
{
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan s_work = TimeSpan.FromMilliseconds(200);

    private TimeSpan _worked;
    private TimeSpan _lastSilence;

    public bool Is(Process process, TimeSpan silence)
    {
        if (silence < _lastSilence || silence < TimeSpan.FromSeconds(1))
        {
            _worked = Worked(process);
        }

        _lastSilence = silence;
        return silence > s_silence && Worked(process) - _worked < s_work;
    }

    private static TimeSpan Worked(Process process)
    {
        try
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
        catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return TimeSpan.Zero; // it has just ended
        }
    }
}
