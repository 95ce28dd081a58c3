using System.Net;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Kestrel.Tests.Support;

/// <summary>A request's body: a pattern, of unknown length to the server.</summary>
internal sealed class PatternContent(long size, int seed) : HttpContent
{
    private const int Chunk = 60_000;

    /// <summary>Bytes that were handed to the connection so far.</summary>
    public long Written { get; private set; }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        byte[] bytes = new byte[Chunk];
        while (Written < size)
        {
            int count = (int)Math.Min(Chunk, size - Written);
            for (int i = 0; i < count; i++)
            {
                bytes[i] = Pattern.At(Written + i, seed);
            }

            await stream.WriteAsync(bytes.AsMemory(0, count));
            Written += count;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
