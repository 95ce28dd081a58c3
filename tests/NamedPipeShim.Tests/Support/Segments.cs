using System.Buffers;

namespace NamedPipeShim.Tests.Support;

/// <summary>A sequence of several segments over one array.</summary>
internal sealed class Segments : ReadOnlySequenceSegment<byte>
{
    public static ReadOnlySequence<byte> Chain(byte[] bytes, params int[] sizes)
    {
        Segments? first = null;
        Segments? last = null;
        int begin = 0;
        foreach (int size in sizes)
        {
            Segments next = new() { Memory = bytes.AsMemory(begin, size), RunningIndex = begin };
            last?.Next = next;
            first ??= next;
            last = next;
            begin += size;
        }

        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }
}
