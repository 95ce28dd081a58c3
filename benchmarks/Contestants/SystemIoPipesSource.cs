using System.IO.Pipes;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>The base class library's streams, asynchronous.</summary>
internal sealed class SystemIoPipesSource : StreamSource
{
    private string _name = "";

    public override void Listen(string name, bool smallBuffers = false) => _name = name;

    public override async Task<Stream> AcceptAsync()
    {
        NamedPipeServerStream server = NewServer(_name);
        await server.WaitForConnectionAsync().ConfigureAwait(false);
        return server;
    }

    public override async Task<Stream> ConnectAsync(string name)
    {
        NamedPipeClientStream client = NewClient(name);
        await client.ConnectAsync().ConfigureAwait(false);
        return client;
    }

    public override void Dispose()
    {
        // Each stream is its user's.
    }

    /// <summary>
    /// The quota is what the other contestants use on Windows; on Linux 0 leaves the socket's buffers alone.
    /// </summary>
    public static NamedPipeServerStream NewServer(string name)
    {
        int quota = OperatingSystem.IsWindows() ? 65536 : 0;
        return new NamedPipeServerStream(name, PipeDirection.InOut, NamedPipeServerStream.MaxAllowedServerInstances,
            PipeTransmissionMode.Byte, PipeOptions.Asynchronous, quota, quota);
    }

    public static NamedPipeClientStream NewClient(string name) =>
        new(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
}
