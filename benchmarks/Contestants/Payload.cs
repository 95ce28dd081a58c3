using System.Runtime.InteropServices;

namespace NamedPipeShim.Benchmarks.Contestants;

/// <summary>
/// What is sent and how it is verified, as in native/driver.c: each message carries its number at both its ends,
/// checked always; every 256th is compared whole.
/// </summary>
internal sealed class Payload
{
    private const int Word = sizeof(ulong);
    private const int FullCheckEvery = 256;

    private readonly byte[] _pattern;

    public Payload(int size)
    {
        _pattern = new byte[size];
        for (int i = 0; i < size; i++)
        {
            _pattern[i] = (byte)(i * 31 + 7);
        }
    }

    public int Size => _pattern.Length;

    /// <summary>A message to stamp and send.</summary>
    public byte[] NewMessage() => (byte[])_pattern.Clone();

    public static void Stamp(Span<byte> message, ulong sequence)
    {
        if (message.Length < 2 * Word)
        {
            message[0] = (byte)sequence;
            return;
        }

        MemoryMarshal.Write(message, sequence);
        MemoryMarshal.Write(message[^Word..], ~sequence);
    }

    /// <summary>
    /// Checks a part of message <paramref name="sequence"/> that begins at <paramref name="position"/>.
    /// </summary>
    public void Check(ReadOnlySpan<byte> part, int position, ulong sequence)
    {
        bool good;
        if (Size < 2 * Word)
        {
            good = part[0] == (byte)sequence;
        }
        else
        {
            good = WordMatches(part, position, 0, sequence) && WordMatches(part, position, Size - Word, ~sequence);
            if (good && sequence % FullCheckEvery == 0)
            {
                int from = Math.Max(position, Word);
                int to = Math.Min(position + part.Length, Size - Word);
                good = from >= to || part[(from - position)..(to - position)].SequenceEqual(_pattern.AsSpan(from..to));
            }
        }

        if (!good)
        {
            throw new InvalidDataException("verify: the bytes that came are not those that were sent");
        }
    }

    private static bool WordMatches(ReadOnlySpan<byte> part, int position, int at, ulong word)
    {
        int from = Math.Max(position, at);
        int to = Math.Min(position + part.Length, at + Word);
        if (from >= to)
        {
            return true;
        }

        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in word));
        return part[(from - position)..(to - position)].SequenceEqual(bytes[(from - at)..(to - at)]);
    }
}
