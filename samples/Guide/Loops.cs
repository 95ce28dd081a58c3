namespace NamedPipeShim.Samples.Guide;

/// <summary>Event loops of the program's own.</summary>
internal static class Loops
{
    public static async Task RunAsync()
    {
        await using var loop = new NamedPipeEventLoop(new NamedPipeEventLoopOptions { Name = "pipes" });

        string name = Names.New("loops");
        using NamedPipeListener listener = NamedPipeListener.Listen(
            new NamedPipeServerOptions { Name = name },
            new NamedPipeListenerOptions { EventLoop = loop, InstancesAhead = 16 });
        await using NamedPipeStream client =
            await NamedPipeStream.ConnectAsync(new NamedPipeClientOptions { Name = name }, loop);
        await using NamedPipeStream server = await listener.AcceptAsync();

        ValueTask<int> reading = server.ReadAsync(new byte[1]);
        await client.WriteAsync(new byte[1]);
        Check.That(await reading == 1, "the loop drives both ends");
        Check.That(ReferenceEquals(server.EventLoop, loop), "the listener's loop is its streams'");
    }
}
