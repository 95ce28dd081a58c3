namespace NamedPipeShim.Tests.Support;

/// <summary>Bytes that say where in which stream they belong: none can be lost, doubled or swapped unseen.</summary>
internal static class Pattern
{
    public static byte At(long position, int seed) =>
        (byte)(((ulong)(position + 1) * 0x9E3779B97F4A7C15 + (ulong)seed * 0xD1B54A32D192ED03) >> 40);

    public static byte[] Of(int size, int seed = 0)
    {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++)
        {
            bytes[i] = At(i, seed);
        }

        return bytes;
    }

    public static void Verify(ReadOnlySpan<byte> bytes, int seed = 0, long position = 0)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] != At(position + i, seed))
            {
                Assert.Fail($"Byte {position + i} is {bytes[i]}, not {At(position + i, seed)}.");
            }
        }
    }
}
