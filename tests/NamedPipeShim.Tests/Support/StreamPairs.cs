namespace NamedPipeShim.Tests.Support;

/// <summary>Many pairs of streams, both ends ours, on one loop.</summary>
internal static class StreamPairs
{
    public static async Task<(NamedPipeStream Server, NamedPipeStream Client)[]> ConnectAsync(
        int pairs, NamedPipeEventLoop loop)
    {
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(
            new NamedPipeServerOptions { Name = name }, new NamedPipeListenerOptions { EventLoop = loop });
        NamedPipeClientOptions options = new() { Name = name, Timeout = Deadline.Step };
        var all = new (NamedPipeStream, NamedPipeStream)[pairs];
        for (int i = 0; i < pairs; i++)
        {
            ValueTask<NamedPipeStream> accepted = listener.AcceptAsync();
            NamedPipeStream client = await NamedPipeStream.ConnectAsync(options, loop);
            all[i] = (await accepted, client);
        }

        return all;
    }

    public static void Close((NamedPipeStream Server, NamedPipeStream Client)[] all)
    {
        foreach ((NamedPipeStream server, NamedPipeStream client) in all)
        {
            client.Abort();
            server.Abort();
        }
    }
}
