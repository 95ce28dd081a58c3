namespace NamedPipeShim.Tests.Support;

/// <summary>What tests do with a stream again and again.</summary>
internal static class StreamCalls
{
    /// <summary>Reads one message, of which there must be one, by parts of <paramref name="room"/> bytes.</summary>
    public static async Task<byte[]> ReadToEndOfMessageAsync(this NamedPipeStream stream, int room = 50_000)
    {
        using MemoryStream message = new();
        byte[] buffer = new byte[room];
        while (true)
        {
            PipeReadResult result = await stream.ReadMessageAsync(buffer);
            Assert.That(result.EndOfStream, Is.False);
            message.Write(buffer, 0, result.Count);
            if (result.EndOfMessage)
            {
                return message.ToArray();
            }
        }
    }

    /// <summary>Writes until it is told that the peer has closed; anything else fails the test.</summary>
    public static async Task WriteUntilBrokenAsync(this NamedPipeStream stream)
    {
        byte[] bytes = new byte[50_000];
        for (Deadline deadline = Deadline.New(); ; deadline.Check("Our broken pipe"))
        {
            try
            {
                await stream.WriteAsync(bytes).InTime();
            }
            catch (NamedPipeException error)
            {
                Assert.That(error.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
                return;
            }
        }
    }
}
