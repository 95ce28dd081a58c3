namespace NamedPipeShim.Tests.Support;

/// <summary>One end of a pipe on a loop, with calls that wait for the loop's events until they are done.</summary>
internal sealed class TestEnd(TestLoop loop, NamedPipe pipe, nuint token) : IDisposable
{
    public TestLoop Loop { get; } = loop;

    public NamedPipe Pipe { get; } = pipe;

    public nuint Token { get; } = token;

    public PipeReadiness Seen => Loop.SeenOf(Token);

    public PipeReadiness Await(PipeReadiness any) => Loop.Await(Token, any);

    /// <summary>Waits until the server has a client.</summary>
    public void AwaitConnected()
    {
        while (Pipe.TryConnect() == PipeStatus.WouldBlock)
        {
            Await(PipeReadiness.Writable | PipeReadiness.Error);
        }
    }

    /// <summary>Reads until would-block says that nothing is there, which arms the next event, and drops what was read.</summary>
    public void Drain()
    {
        byte[] buffer = new byte[65_536];
        while (Pipe.TryRead(buffer, out _) == PipeStatus.Ok)
        {
        }
    }

    public byte[] ReadExactly(int size)
    {
        byte[] bytes = new byte[size];
        for (int have = 0; have < size;)
        {
            PipeStatus status = Pipe.TryRead(bytes.AsSpan(have), out int count);
            Assert.That(status, Is.Not.EqualTo(PipeStatus.EndOfStream), $"The stream ended after {have} of {size} bytes.");
            have += count;
            if (status == PipeStatus.WouldBlock)
            {
                Await(PipeReadiness.Readable);
            }
        }

        return bytes;
    }

    public byte[] ReadToEnd()
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[16_384];
        for (; ; )
        {
            switch (Pipe.TryRead(buffer, out int count))
            {
                case PipeStatus.EndOfStream:
                    return all.ToArray();
                case PipeStatus.WouldBlock:
                    Await(PipeReadiness.Readable);
                    break;
                default:
                    all.Write(buffer, 0, count);
                    break;
            }
        }
    }

    public void WriteAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (Pipe.TryWrite(bytes, out int count) == PipeStatus.WouldBlock)
            {
                Await(PipeReadiness.Writable);
            }

            bytes = bytes[count..];
        }
    }

    /// <summary>Writes a pattern until the pipe takes no more; returns how many bytes that was.</summary>
    public int WriteUntilFull(int seed, int chunk = 65_536)
    {
        byte[] bytes = new byte[chunk];
        int total = 0;
        for (; ; )
        {
            for (int i = 0; i < chunk; i++)
            {
                bytes[i] = Pattern.At(total + i, seed);
            }

            if (Pipe.TryWrite(bytes, out int count) == PipeStatus.WouldBlock)
            {
                return total;
            }

            total += count;
            Assert.That(total, Is.LessThan(64 << 20), "The pipe takes bytes without an end.");
        }
    }

    /// <summary>Sends a pattern to another end of the same loop, both driven in turns, and verifies it there.</summary>
    public void SendTo(TestEnd other, int size, int seed)
    {
        byte[] bytes = Pattern.Of(size, seed);
        byte[] received = new byte[size];
        Deadline deadline = Deadline.New();
        for (int sent = 0, have = 0; have < size;)
        {
            int before = sent + have;
            if (sent < size)
            {
                Pipe.TryWrite(bytes.AsSpan(sent), out int written);
                sent += written;
            }

            PipeStatus status = other.Pipe.TryRead(received.AsSpan(have), out int read);
            Assert.That(status, Is.Not.EqualTo(PipeStatus.EndOfStream));
            have += read;
            if (sent + have == before)
            {
                deadline.Check($"The arrival of byte {have} of {size}");
                Loop.Pump(deadline.Left);
            }
        }

        Pattern.Verify(received, seed);
    }

    public void Dispose() => Pipe.Dispose();
}
