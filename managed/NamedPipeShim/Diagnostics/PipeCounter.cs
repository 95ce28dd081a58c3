using System.Diagnostics.Metrics;

namespace NamedPipeShim.Diagnostics;

/// <summary>
/// A total that is shown by the <see cref="Meter"/> and by the event source, and kept only while one of them has a listener: with
/// none, <see cref="Add"/> is two loads and two branches.
/// </summary>
internal sealed class PipeCounter
{
    private readonly ObservableCounter<long> _instrument;
    private long _total;

    public PipeCounter(Meter meter, string name, string unit, string description)
    {
        _instrument = meter.CreateObservableCounter(name, () => Total, unit, description);
    }

    public long Total => Interlocked.Read(ref _total);

    public void Add(int count)
    {
        if (_instrument.Enabled || PipeEventSource.Log.IsEnabled())
        {
            Interlocked.Add(ref _total, count);
        }
    }
}
