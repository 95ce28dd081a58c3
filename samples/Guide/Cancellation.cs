namespace NamedPipeShim.Samples.Guide;

/// <summary>A cancelled read loses no byte.</summary>
internal static class Cancellation
{
    public static async Task RunAsync()
    {
        string name = Names.New("cancel");
        using NamedPipeListener listener = NamedPipeListener.Listen(name);
        await using NamedPipeStream client = await NamedPipeStream.ConnectAsync(name);
        await using NamedPipeStream server = await listener.AcceptAsync();

        byte[] buffer = new byte[100];
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
        try
        {
            int none = await server.ReadAsync(buffer, patience.Token); // the client sends nothing
            Check.That(false, $"a read without data waits, and does not give {none}");
        }
        catch (OperationCanceledException)
        {
            // Nothing was taken: what the client sends now is there for the next read.
        }

        await client.WriteAsync(new byte[] { 1, 2, 3 });
        int read = await server.ReadAsync(buffer);
        Check.That(read == 3, "the next read gets the bytes");
    }
}
