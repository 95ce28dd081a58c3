using Google.Protobuf;
using Grpc.Core;
using NamedPipeShim.Kestrel.Tests.Calls;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Kestrel.Tests.Support;

/// <summary>A pattern as a stream of messages, of sizes on either side of every buffer's.</summary>
internal static class Chunks
{
    private static readonly int[] s_sizes = [1, 0, 1_000, 16_384, 70_001, 300_000, 4_097];

    public static Chunk Of(int size, int seed, long position = 0)
    {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++)
        {
            bytes[i] = Pattern.At(position + i, seed);
        }

        return new Chunk { Seed = seed, Position = position, Data = UnsafeByteOperations.UnsafeWrap(bytes) };
    }

    /// <summary>Sends so many bytes, or, with -1, until something stops it.</summary>
    public static async Task SendAsync(IAsyncStreamWriter<Chunk> to, int seed, long bytes, CancellationToken token = default)
    {
        long sent = 0;
        for (int i = 0; bytes < 0 || sent < bytes; i++)
        {
            int size = s_sizes[i % s_sizes.Length];
            Chunk chunk = Of(bytes < 0 ? size : (int)Math.Min(size, bytes - sent), seed, sent);
            await to.WriteAsync(chunk, token);
            sent += chunk.Data.Length;
        }
    }

    /// <summary>Reads to the end, and verifies each byte and its place; returns how many there were.</summary>
    public static async Task<long> VerifyAsync(IAsyncStreamReader<Chunk> from, int seed, CancellationToken token = default)
    {
        long received = 0;
        while (await from.MoveNext(token))
        {
            Verify(from.Current, seed, received);
            received += from.Current.Data.Length;
        }

        return received;
    }

    public static void Verify(Chunk chunk, int seed, long position = 0)
    {
        Assert.That(chunk.Seed, Is.EqualTo(seed));
        Assert.That(chunk.Position, Is.EqualTo(position));
        Pattern.Verify(chunk.Data.Span, seed, position);
    }
}
