namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>The library's streams: on the default loop, or on one that runs continuations inline.</summary>
internal sealed class OursSource(bool inline) : StreamSource
{
    private const int SmallBuffer = 4096;

    private readonly NamedPipeEventLoop? _inlineLoop = inline
        ? new NamedPipeEventLoop(new NamedPipeEventLoopOptions { UnsafeRunContinuationsInline = true })
        : null;

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

        _listener = NamedPipeListener.Listen(options, new NamedPipeListenerOptions { EventLoop = _inlineLoop });
    }

    public override async Task<Stream> AcceptAsync() => await _listener!.AcceptAsync().ConfigureAwait(false);

    public override async Task<Stream> ConnectAsync(string name) =>
        await NamedPipeStream.ConnectAsync(new NamedPipeClientOptions { Name = name }, _inlineLoop).ConfigureAwait(false);

    public override void Dispose()
    {
        _listener?.Dispose();
        _inlineLoop?.Dispose();
    }
}
