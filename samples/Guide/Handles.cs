using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;

namespace NamedPipeShim.Samples.Guide;

/// <summary>A connection goes over to System.IO.Pipes, as long as no poller has seen it.</summary>
internal static class Handles
{
    public static async Task RunAsync()
    {
        string name = Names.New("handles");
        using NamedPipeListener listener = NamedPipeListener.Listen(name);

        SafePipeHandle handle = NamedPipe.OpenClient(name).ExportHandle();
        await using var client = new NamedPipeClientStream(PipeDirection.InOut, isAsync: true, isConnected: true, handle);
        await using NamedPipeStream server = await listener.AcceptAsync();

        await client.WriteAsync(new byte[] { 7 });
        byte[] buffer = new byte[1];
        Check.That(await server.ReadAsync(buffer) == 1 && buffer[0] == 7, "the handle is a pipe's");
    }
}
