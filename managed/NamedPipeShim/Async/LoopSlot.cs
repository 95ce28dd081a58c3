namespace NamedPipeShim.Async;

/// <summary>
/// A place in an event loop's table: what the poller's token leads to.
/// </summary>
/// <remarks>
/// The token is the place's number and a generation, so that an event which was fetched before a client left does not reach
/// the next client of the place. A client that has nothing under way is held weakly: a stream that its program forgot is
/// collected. While an operation waits, the loop is what keeps it alive.
/// </remarks>
internal sealed class LoopSlot
{
    private readonly WeakReference<LoopClient> _client;

    public LoopSlot(LoopClient client, int index, uint generation)
    {
        _client = new WeakReference<LoopClient>(client);
        Index = index;
        Token = (nuint)(((ulong)generation << 32) | (uint)index);
    }

    public int Index { get; }

    public nuint Token { get; }

    /// <summary>Set while a read (or an accept) waits. Guarded by the lock of that side.</summary>
    public LoopClient? HeldByInput { get; set; }

    /// <summary>Set while a write waits. Guarded by the lock of that side.</summary>
    public LoopClient? HeldByOutput { get; set; }

    public LoopClient? Client => _client.TryGetTarget(out LoopClient? client) ? client : null;
}
