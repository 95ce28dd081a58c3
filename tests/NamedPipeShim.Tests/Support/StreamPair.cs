namespace NamedPipeShim.Tests.Support;

/// <summary>A server's and a client's stream, connected, both ours, on one loop.</summary>
internal sealed class StreamPair : IDisposable
{
    private StreamPair(NamedPipeStream server, NamedPipeStream client)
    {
        Server = server;
        Client = client;
    }

    public NamedPipeStream Server { get; }

    public NamedPipeStream Client { get; }

    public static Task<StreamPair> NewAsync(NamedPipeEventLoop? loop = null) =>
        NewAsync(new NamedPipeServerOptions { Name = PipeNames.New() }, loop);

    public static Task<StreamPair> NewOfMessagesAsync(int readAhead = 65_536, NamedPipeEventLoop? loop = null) => NewAsync(
        new NamedPipeServerOptions { Name = PipeNames.New(), Mode = PipeMode.Message, ReadAhead = readAhead }, loop);

    public static async Task<StreamPair> NewAsync(NamedPipeServerOptions options, NamedPipeEventLoop? loop = null)
    {
        using NamedPipeListener listener =
            NamedPipeListener.Listen(options, new NamedPipeListenerOptions { InstancesAhead = 1, EventLoop = loop });
        ValueTask<NamedPipeStream> accepted = listener.AcceptAsync();
        NamedPipeStream client = await NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions
            {
                Name = options.Name,
                Direction = Opposite(options.Direction),
                Mode = options.Mode,
                ReadAhead = options.ReadAhead,
                WriteLimit = options.WriteLimit,
                Timeout = Deadline.Step,
            },
            loop);
        return new StreamPair(await accepted.InTime(), client);
    }

    public NamedPipeStream End(bool ofServer) => ofServer ? Server : Client;

    public void Dispose()
    {
        Client.Abort();
        Server.Abort();
    }

    private static System.IO.Pipes.PipeDirection Opposite(System.IO.Pipes.PipeDirection direction) => direction switch
    {
        System.IO.Pipes.PipeDirection.In => System.IO.Pipes.PipeDirection.Out,
        System.IO.Pipes.PipeDirection.Out => System.IO.Pipes.PipeDirection.In,
        _ => System.IO.Pipes.PipeDirection.InOut,
    };
}
