namespace NamedPipeShim.Samples.Guide;

/// <summary>The same on this library.</summary>
internal static class After
{
    public static async Task ServeOneAsync(string name)
    {
        using NamedPipeListener listener = NamedPipeListener.Listen(name);
        await using NamedPipeStream pipe = await listener.AcceptAsync();
        using var reader = new StreamReader(pipe, leaveOpen: true);
        await using var writer = new StreamWriter(pipe, leaveOpen: true) { AutoFlush = true };
        string? line = await reader.ReadLineAsync();
        await writer.WriteLineAsync(line?.ToUpperInvariant());
    }

    public static async Task<string> AskAsync(string name)
    {
        var options = new NamedPipeClientOptions { Name = name, Timeout = TimeSpan.FromSeconds(5) };
        await using NamedPipeStream pipe = await NamedPipeStream.ConnectAsync(options);
        using var reader = new StreamReader(pipe, leaveOpen: true);
        await using var writer = new StreamWriter(pipe, leaveOpen: true) { AutoFlush = true };
        await writer.WriteLineAsync("hello");
        return await reader.ReadLineAsync() ?? "";
    }
}
