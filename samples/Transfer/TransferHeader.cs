using System.Buffers.Binary;
using System.Text;

namespace NamedPipeShim.Samples.Transfer;

/// <summary>
/// The protocol. One connection carries one file:
/// <code>
/// sender → receiver   4 bytes  "NPST"
///                     2        version, 1
///                     2        n, the length of the name: 1 to 1024 bytes
///                     8        m, the length of the data
///                     n        the name, UTF-8
///                     m        the data
///                     32       SHA-256 of the data
/// receiver → sender   1        a TransferAnswer
/// </code>
/// Numbers are little-endian. The receiver may answer early, when it will not take the file. Once it has the answer, the
/// sender closes; the receiver, which has been reading all the time, sees the end and closes too. So nobody ever closes an
/// end while bytes are on their way to the other.
/// </summary>
internal readonly record struct TransferHeader(int NameLength, long DataLength)
{
    /// <summary>Bytes before the name.</summary>
    public const int FixedSize = 16;

    public const int MaxNameLength = 1024;

    private const ushort Version = 1;

    /// <summary>Refuses bytes that are not UTF-8.</summary>
    public static UTF8Encoding NameEncoding { get; } = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private static ReadOnlySpan<byte> Magic => "NPST"u8;

    /// <summary>Reads the fixed part.</summary>
    /// <returns>False: this is not our protocol.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out TransferHeader header)
    {
        header = new TransferHeader(
            BinaryPrimitives.ReadUInt16LittleEndian(bytes[6..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]));
        return bytes.StartsWith(Magic)
            && BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]) == Version
            && header.NameLength is >= 1 and <= MaxNameLength
            && header.DataLength >= 0;
    }

    /// <summary>Writes the header and the name.</summary>
    /// <returns>How many bytes that are.</returns>
    public static int Write(Span<byte> bytes, ReadOnlySpan<byte> name, long dataLength)
    {
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[4..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes[6..], (ushort)name.Length);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], dataLength);
        name.CopyTo(bytes[FixedSize..]);
        return FixedSize + name.Length;
    }
}
