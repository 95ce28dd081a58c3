using System.IO.Pipes;

namespace NamedPipeShim.Tests.Support;

/// <summary>A connected server and client, both ours, on one loop.</summary>
internal sealed class PipePair : IDisposable
{
    private PipePair(TestEnd server, TestEnd client)
    {
        Server = server;
        Client = client;
    }

    public TestEnd Server { get; }

    public TestEnd Client { get; }

    public static PipePair New(TestLoop loop) => New(loop, new NamedPipeServerOptions { Name = PipeNames.New() });

    public static PipePair New(TestLoop loop, NamedPipeServerOptions options)
    {
        PipeDirection direction = options.Direction switch
        {
            PipeDirection.In => PipeDirection.Out,
            PipeDirection.Out => PipeDirection.In,
            _ => PipeDirection.InOut,
        };
        return New(loop, options, new NamedPipeClientOptions
        {
            Name = options.Name,
            Direction = direction,
            Mode = options.Mode,
            ReadAhead = options.ReadAhead,
            WriteLimit = options.WriteLimit,
        });
    }

    public static PipePair New(TestLoop loop, NamedPipeServerOptions options, NamedPipeClientOptions clientOptions)
    {
        TestEnd server = loop.Listen(options);
        TestEnd client = loop.Add(NamedPipe.OpenClient(clientOptions));
        server.AwaitConnected();
        return new PipePair(server, client);
    }

    /// <summary>One end of the two: for tests that are about either.</summary>
    public TestEnd End(bool ofServer) => ofServer ? Server : Client;

    public void Dispose()
    {
        Client.Pipe.Abort();
        Server.Pipe.Abort();
        Client.Dispose();
        Server.Dispose();
    }
}
