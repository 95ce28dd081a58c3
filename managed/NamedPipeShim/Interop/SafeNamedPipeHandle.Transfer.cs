using NamedPipeShim.Generated;

namespace NamedPipeShim.Interop;

/// <content>The calls that move bytes. They pin what they are given for the time of the call.</content>
public sealed unsafe partial class SafeNamedPipeHandle
{
    internal NativeResult Read(Span<byte> buffer, out int count)
    {
        nps_pipe* pipe = Enter();
        nuint done = 0;
        long result;
        fixed (byte* first = buffer)
        {
            result = NativeMethods.nps_pipe_read(pipe, first, (nuint)buffer.Length, &done);
        }

        Leave();
        count = (int)done;
        return result;
    }

    internal NativeResult Write(ReadOnlySpan<byte> buffer, out int count)
    {
        nps_pipe* pipe = Enter();
        nuint done = 0;
        long result;
        fixed (byte* first = buffer)
        {
            result = NativeMethods.nps_pipe_write(pipe, first, (nuint)buffer.Length, &done);
        }

        Leave();
        count = (int)done;
        return result;
    }

    internal NativeResult ReadVector(ReadOnlySpan<ReadOnlyMemory<byte>> buffers, out int count) =>
        Vector(buffers, reading: true, out count);

    internal NativeResult WriteVector(ReadOnlySpan<ReadOnlyMemory<byte>> buffers, out int count) =>
        Vector(buffers, reading: false, out count);

    internal NativeResult Peek(Span<byte> buffer, out int count, out long available)
    {
        nps_pipe* pipe = Enter();
        nuint done = 0;
        ulong there = 0;
        long result;
        fixed (byte* first = buffer)
        {
            result = NativeMethods.nps_pipe_peek(pipe, first, (nuint)buffer.Length, &done, &there);
        }

        Leave();
        count = (int)done;
        available = (long)there;
        return result;
    }

    internal NativeResult Shutdown()
    {
        long result = NativeMethods.nps_pipe_shutdown(Enter());
        Leave();
        return result;
    }

    internal NativeResult DrainState(out long unread)
    {
        ulong left = 0;
        long result = NativeMethods.nps_pipe_drain_state(Enter(), &left);
        Leave();
        unread = (long)left;
        return result;
    }

    private NativeResult Vector(ReadOnlySpan<ReadOnlyMemory<byte>> buffers, bool reading, out int count)
    {
        // The native call would refuse them, and the stack is not for so many.
        if (buffers.Length > NativeMethods.NPS_MAX_BUFFERS)
        {
            count = 0;
            return NativeError.TooManyBuffers;
        }

        nps_buffer* native = stackalloc nps_buffer[buffers.Length];
        nuint done = 0;
        NativeResult result = PinAndCall(buffers, native, 0, reading, &done);
        count = (int)done;
        return result;
    }

    /// <summary>Pins one buffer for each call of itself: what is pinned so costs no handle of the collector.</summary>
    private NativeResult PinAndCall(
        ReadOnlySpan<ReadOnlyMemory<byte>> buffers, nps_buffer* native, int index, bool reading, nuint* done)
    {
        if (index < buffers.Length)
        {
            ReadOnlySpan<byte> buffer = buffers[index].Span;
            fixed (byte* first = buffer)
            {
                native[index].data = first;
                native[index].size = (nuint)buffer.Length;
                return PinAndCall(buffers, native, index + 1, reading, done);
            }
        }

        nps_pipe* pipe = Enter();
        long result = reading
            ? NativeMethods.nps_pipe_read_vector(pipe, native, (uint)buffers.Length, done)
            : NativeMethods.nps_pipe_write_vector(pipe, native, (uint)buffers.Length, done);
        Leave();
        return result;
    }
}
