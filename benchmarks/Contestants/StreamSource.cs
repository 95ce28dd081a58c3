namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>How a contestant's streams are made, with its default options.</summary>
internal abstract class StreamSource : IDisposable
{
    /// <summary>Serves a name, until it is disposed or serves another. With small buffers a write of a few KiB by the server
    /// has to wait.</summary>
    public abstract void Listen(string name, bool smallBuffers = false);

    /// <summary>The next client. Called before that one connects.</summary>
    public abstract Task<Stream> AcceptAsync();

    public abstract Task<Stream> ConnectAsync(string name);

    public abstract void Dispose();

    public async Task<(Stream Server, Stream Client)> OpenAsync(string name)
    {
        Task<Stream> accepting = AcceptAsync();
        Stream client = await ConnectAsync(name).ConfigureAwait(false);
        return (await accepting.ConfigureAwait(false), client);
    }
}
