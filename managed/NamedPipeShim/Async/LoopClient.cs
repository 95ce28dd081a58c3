namespace NamedPipeShim.Async;

/// <summary>What an event loop drives: a stream, or an instance of a listener.</summary>
internal abstract class LoopClient
{
    /// <summary>An event came. On the loop's thread, with no lock held.</summary>
    public abstract void OnReady(PipeReadiness readiness);

    /// <summary>The loop ends: whatever waits must be told. On any thread, once.</summary>
    public abstract void OnLoopEnded();
}
