using System.IO.Pipes;

namespace NamedPipeShim.Samples.Guide;

/// <summary>System.IO.Pipes.</summary>
internal static class Before
{
    public static async Task ServeOneAsync(string name)
    {
        await using var pipe = new NamedPipeServerStream(
            name, PipeDirection.InOut, NamedPipeServerStream.MaxAllowedServerInstances, PipeTransmissionMode.Byte,
            PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
        await pipe.WaitForConnectionAsync();
        using var reader = new StreamReader(pipe, leaveOpen: true);
        await using var writer = new StreamWriter(pipe, leaveOpen: true) { AutoFlush = true };
        string? line = await reader.ReadLineAsync();
        await writer.WriteLineAsync(line?.ToUpperInvariant());
    }

    public static async Task<string> AskAsync(string name)
    {
        await using var pipe = new NamedPipeClientStream(
            ".", name, PipeDirection.InOut, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
        await pipe.ConnectAsync(5000);
        using var reader = new StreamReader(pipe, leaveOpen: true);
        await using var writer = new StreamWriter(pipe, leaveOpen: true) { AutoFlush = true };
        await writer.WriteLineAsync("hello");
        return await reader.ReadLineAsync() ?? "";
    }
}
