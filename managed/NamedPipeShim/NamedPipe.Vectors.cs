using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NamedPipeShim.Generated;

namespace NamedPipeShim;

/// <content>Reading and writing of several buffers at once. They are pinned for the time of the call, and nothing is
/// allocated.</content>
public sealed partial class NamedPipe
{
    /// <summary>Buffers that one vectored call looks at: 1,024.</summary>
    public const int MaxBuffers = NativeMethods.NPS_MAX_BUFFERS;

    /// <summary>
    /// Reads what is there into several buffers, as if they were one behind another (<c>nps_pipe_read_vector</c>).
    /// </summary>
    /// <param name="buffers">Take the bytes, in this order. Those after the first <see cref="MaxBuffers"/> stay as they
    /// are.</param>
    /// <param name="bytesRead">How many bytes came.</param>
    /// <returns>As <see cref="TryRead"/>.</returns>
    /// <inheritdoc cref="TryRead" path="/exception"/>
    public PipeStatus TryReadVector(ReadOnlySpan<Memory<byte>> buffers, out int bytesRead)
    {
        // A Memory and a ReadOnlyMemory are laid out alike, as their conversion in the base class library relies on.
        ref ReadOnlyMemory<byte> first =
            ref Unsafe.As<Memory<byte>, ReadOnlyMemory<byte>>(ref MemoryMarshal.GetReference(buffers));
        ReadOnlySpan<ReadOnlyMemory<byte>> same =
            MemoryMarshal.CreateReadOnlySpan(ref first, Math.Min(buffers.Length, MaxBuffers));
        return StatusOf(_handle.ReadVector(same, out bytesRead));
    }

    /// <summary>
    /// Writes what fits of several buffers, as one contiguous run, and on a message pipe as one message, whole or not at all
    /// (<c>nps_pipe_write_vector</c>; contract W5).
    /// </summary>
    /// <param name="buffers">The bytes, in this order. On a byte pipe the first <see cref="MaxBuffers"/> are
    /// offered.</param>
    /// <param name="bytesWritten">How many bytes of all were accepted: offer the rest again.</param>
    /// <returns>As <see cref="TryWrite(ReadOnlySpan{byte},out int)"/>.</returns>
    /// <exception cref="ArgumentException">A message of more than <see cref="MaxBuffers"/> buffers, or longer than
    /// <see cref="PipeInfo.MaxMessageSize"/>; nothing was sent.</exception>
    /// <inheritdoc cref="TryWrite(ReadOnlySpan{byte},out int)" path="/exception"/>
    public PipeStatus TryWriteVector(ReadOnlySpan<ReadOnlyMemory<byte>> buffers, out int bytesWritten)
    {
        if (buffers.Length > MaxBuffers && Mode == PipeMode.Byte)
        {
            buffers = buffers[..MaxBuffers];
        }

        return WriteStatusOf(_handle.WriteVector(buffers, out bytesWritten));
    }

    /// <summary>
    /// Writes what fits of a sequence, as <see cref="TryWriteVector"/> does of its segments.
    /// </summary>
    /// <param name="buffer">The bytes.</param>
    /// <param name="bytesWritten">How many bytes were accepted: offer the rest again.</param>
    /// <returns>As <see cref="TryWrite(ReadOnlySpan{byte},out int)"/>.</returns>
    /// <inheritdoc cref="TryWriteVector" path="/exception"/>
    public PipeStatus TryWrite(in ReadOnlySequence<byte> buffer, out int bytesWritten)
    {
        if (buffer.IsSingleSegment)
        {
            return TryWrite(buffer.FirstSpan, out bytesWritten);
        }

        FewSegments few = default;
        ReadOnlyMemory<byte>[]? many = null;
        Span<ReadOnlyMemory<byte>> segments = few;
        int count = 0;
        foreach (ReadOnlyMemory<byte> segment in buffer)
        {
            // On a byte pipe they say nothing, and MaxBuffers of them would be a write that never gets on.
            if (segment.IsEmpty && Mode == PipeMode.Byte)
            {
                continue;
            }

            if (count > MaxBuffers)
            {
                break;
            }

            if (count == segments.Length)
            {
                many = ArrayPool<ReadOnlyMemory<byte>>.Shared.Rent(MaxBuffers + 1);
                segments.CopyTo(many);
                segments = many;
            }

            segments[count++] = segment;
        }

        try
        {
            return TryWriteVector(segments[..count], out bytesWritten);
        }
        finally
        {
            if (many is not null)
            {
                ArrayPool<ReadOnlyMemory<byte>>.Shared.Return(many, clearArray: true);
            }
        }
    }

    [InlineArray(Length)]
    private struct FewSegments
    {
        private const int Length = 16;

        private ReadOnlyMemory<byte> _first;
    }
}
