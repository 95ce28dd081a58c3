namespace NamedPipeShim.Async;

/// <summary>What an event loop drives: a stream, or an instance of a listener.</summary>
internal abstract class LoopClient
{
    /// <summary>Its place in the loop's table. Set by the loop, before anything there can lead to the client.</summary>
    public LoopSlot Slot { get; set; } = null!;

    /// <summary>An event came. On the loop's thread, with no lock held.</summary>
    public abstract void OnReady(PipeReadiness readiness);

    /// <summary>The loop ends: whatever waits must be told. On any thread, once.</summary>
    public abstract void OnLoopEnded();
}
