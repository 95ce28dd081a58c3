namespace NamedPipeShim.Samples.Guide;

/// <summary>Message mode: what was written in one call is read as one message.</summary>
internal static class Messages
{
    public static async Task RunAsync()
    {
        string name = Names.New("messages");
        using NamedPipeListener listener =
            NamedPipeListener.Listen(new NamedPipeServerOptions { Name = name, Mode = PipeMode.Message });
        await using NamedPipeStream client =
            await NamedPipeStream.ConnectAsync(new NamedPipeClientOptions { Name = name, Mode = PipeMode.Message });
        await using NamedPipeStream server = await listener.AcceptAsync();

        await client.WriteAsync(new byte[10]);
        await client.WriteAsync(Array.Empty<byte>()); // a message, too
        await client.WriteAsync(new byte[3000]);
        await client.DisposeAsync();

        Check.That(await SizeOfNextAsync(server) == 10, "a message has its bytes");
        Check.That(await SizeOfNextAsync(server) == 0, "an empty message is one");
        Check.That(await SizeOfNextAsync(server) == 3000, "a large message comes in parts");
        Check.That(await SizeOfNextAsync(server) == null, "the end is not a message");
    }

    // Null: the peer sends no more.
    private static async Task<int?> SizeOfNextAsync(NamedPipeStream stream)
    {
        byte[] buffer = new byte[1024];
        int size = 0;
        while (true)
        {
            PipeReadResult part = await stream.ReadMessageAsync(buffer);
            if (part.EndOfStream)
            {
                return null;
            }

            size += part.Count;
            if (part.EndOfMessage)
            {
                return size;
            }
        }
    }
}
