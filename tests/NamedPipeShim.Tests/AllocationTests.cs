using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Nothing is allocated where a loop spends its life.</summary>
public class AllocationTests
{
    private static readonly int s_rounds = RunningSystem.Rounds(100_000, underWine: 10_000);

    [Test]
    public void WaitReadAndWrite_OfManyMessages_AllocateNothing()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        PipeEvent[] events = new PipeEvent[16];
        byte[] message = Pattern.Of(64);
        byte[] buffer = new byte[64];
        Messages(1_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Messages(s_rounds);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Messages(int count)
        {
            for (int i = 0; i < count; i += 2)
            {
                Move(pair.Client.Pipe, pair.Server.Pipe);
                Move(pair.Server.Pipe, pair.Client.Pipe);
            }
        }

        void Move(NamedPipe from, NamedPipe to)
        {
            if (from.TryWrite(message, out int written) != PipeStatus.Ok || written != message.Length)
            {
                throw new InvalidOperationException("The message was not accepted.");
            }

            while (to.TryRead(buffer, out _) == PipeStatus.WouldBlock)
            {
                if (loop.Poller.Wait(events, Deadline.Step) == 0)
                {
                    throw new InvalidOperationException("No event came.");
                }
            }
        }
    }

    [Test]
    public void CallsThatDoNothing_AllocateNothing()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        using TestEnd listening = loop.Listen(PipeNames.New());
        PipeEvent[] events = new PipeEvent[16];
        byte[] buffer = new byte[64];
        Calls(1_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Calls(s_rounds);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Calls(int count)
        {
            for (int i = 0; i < count; i++)
            {
                listening.Pipe.TryConnect();
                pair.Server.Pipe.TryConnect();
                pair.Server.Pipe.TryRead(buffer, out _);
                pair.Server.Pipe.TryRead([], out _);
                pair.Server.Pipe.TryWrite([], out _);
                pair.Server.Pipe.TakeError();
                _ = pair.Server.Pipe.UnsentBytes;
                pair.Server.Pipe.TryPeek(buffer, out _, out _);
                _ = pair.Server.Pipe.BytesAvailable;
                _ = pair.Server.Pipe.GetInfo();
                _ = pair.Server.Pipe.GetPeerProcessId();
                if (OperatingSystem.IsLinux())
                {
                    pair.Server.Pipe.GetDrainState(out _);
                }

                pair.Server.Pipe.Reregister(pair.Server.Token, PipeInterest.Both);
                loop.Poller.Wake(1);
                loop.Poller.Wait(events, TimeSpan.Zero);
            }
        }
    }

    [Test]
    public void VectorsAndSequences_AllocateNothing([Values(3, 16, 17, NamedPipe.MaxBuffers)] int count, [Values] PipeMode mode)
    {
        using TestLoop loop = new();
        using PipePair pair = MessageTests.NewPair(loop, mode);
        PipeEvent[] events = new PipeEvent[16];
        byte[] bytes = Pattern.Of(count);
        byte[] received = new byte[count];
        ReadOnlyMemory<byte>[] sources = [.. Enumerable.Range(0, count).Select(i => new ReadOnlyMemory<byte>(bytes, i, 1))];
        Memory<byte>[] targets = [.. Enumerable.Range(0, count).Select(i => new Memory<byte>(received, i, 1))];
        System.Buffers.ReadOnlySequence<byte> sequence = MessageTests.Segment.Sequence(bytes, 1);
        Messages(100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Messages(RunningSystem.Rounds(10_000, underWine: 1_000));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(received, Is.EqualTo(bytes));

        void Messages(int rounds)
        {
            for (int i = 0; i < rounds; i++)
            {
                int written;
                while (Write(i % 2 == 0, out written) == PipeStatus.WouldBlock)
                {
                    WaitForAnEvent();
                }

                int read;
                while (pair.Server.Pipe.TryReadVector(targets, out read) == PipeStatus.WouldBlock)
                {
                    WaitForAnEvent();
                }

                if (written != count || read != count)
                {
                    throw new InvalidOperationException("Only a part went or came.");
                }
            }
        }

        PipeStatus Write(bool vector, out int written) => vector
            ? pair.Client.Pipe.TryWriteVector(sources, out written)
            : pair.Client.Pipe.TryWrite(sequence, out written);

        void WaitForAnEvent()
        {
            if (loop.Poller.Wait(events, Deadline.Step) == 0)
            {
                throw new InvalidOperationException("No event came.");
            }
        }
    }

    [Test]
    public void WritesIntoAFullPipe_AllocateNothing()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Server.WriteUntilFull(seed: 1);
        byte[] message = new byte[64];
        Writes(1_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Writes(s_rounds);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void Writes(int count)
        {
            for (int i = 0; i < count; i++)
            {
                if (pair.Server.Pipe.TryWrite(message, out _) != PipeStatus.WouldBlock)
                {
                    throw new InvalidOperationException("A full pipe took a message.");
                }
            }
        }
    }
}
