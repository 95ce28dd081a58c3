namespace NamedPipeShim;

/// <summary>Options of a <see cref="NamedPipeEventLoop"/>.</summary>
public sealed class NamedPipeEventLoopOptions
{
    /// <summary>The name of the loop's thread, for debuggers; null: a name that tells what it is.</summary>
    public string? Name { get; set; }

    /// <summary>Options of the loop's poller; null: the defaults.</summary>
    public NamedPipePollerOptions? Poller { get; set; }

    /// <summary>
    /// Whether what follows an <c>await</c> runs on the loop's own thread, inside the loop; default false: on the thread pool.
    /// </summary>
    /// <remarks>
    /// It saves the hop to another thread, which is most of the time that a short message takes. But whatever blocks there
    /// (a lock, a synchronous call, a long computation) stops every pipe of the loop for as long. Only for programs that
    /// know all the code which awaits these streams.
    /// What follows an accept, or a connect or drain that had to wait, runs on the thread pool all the same.
    /// </remarks>
    public bool UnsafeRunContinuationsInline { get; set; }
}
