namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>The library's streams: on the default loop, or on loops that run continuations inline, the servers' the first and the
/// clients' the last.</summary>
internal sealed class OursSource(int inlineLoops) : StreamSource
{
    private const int SmallBuffer = 4096;

    private readonly NamedPipeEventLoop[] _loops =
    [
        .. Enumerable.Range(0, inlineLoops).Select(_ =>
            new NamedPipeEventLoop(new NamedPipeEventLoopOptions { UnsafeRunContinuationsInline = true })),
    ];

    private NamedPipeListener? _listener;

    public override void Listen(string name, bool smallBuffers = false)
    {
        _listener?.Dispose();
        var options = new NamedPipeServerOptions { Name = name };
        if (smallBuffers)
        {
            options.OutBufferSize = SmallBuffer;
            options.WriteLimit = SmallBuffer;
        }

        _listener = NamedPipeListener.Listen(options, new NamedPipeListenerOptions { EventLoop = _loops.FirstOrDefault() });
    }

    public override async Task<Stream> AcceptAsync() => await _listener!.AcceptAsync().ConfigureAwait(false);

    public override async Task<Stream> ConnectAsync(string name) =>
        await NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = name }, _loops.LastOrDefault()).ConfigureAwait(false);

    public override void Dispose()
    {
        _listener?.Dispose();
        Array.ForEach(_loops, loop => loop.Dispose());
    }
}
