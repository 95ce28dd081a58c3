using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;
using NamedPipeShim.Tests.Support;
using NUnit.Framework;

namespace NamedPipeShim.Tests;

/// <summary>Descriptors that change their owner: from System.IO.Pipes to us, and from us to it.</summary>
/// <remarks>On Windows a handle of System.IO.Pipes is bound to the thread pool's port, or not overlapped: it cannot come to us.
/// </remarks>
[LinuxTests]
public class AbiHandleTransferTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);

    private string _name = "";

    [SetUp]
    public void ChooseName() => _name = $"nps-transfer-{Guid.NewGuid():N}"[..28];

    [Test]
    public void FromHandle_OfAClientStream_TakesTheConnectionOver()
    {
        using NamedPipeServerStream server = new(_name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.None);
        NamedPipeClientStream stream = new(".", _name, PipeDirection.InOut, PipeOptions.None);
        stream.Connect((int)s_limit.TotalMilliseconds);
        server.WaitForConnection();
        SafePipeHandle handle = stream.SafePipeHandle;
        using NamedPipe client = NamedPipe.FromHandle(handle);
        Assert.That(handle.IsClosed, Is.True);
        CollectTheOldOwner(ref stream!);

        using NamedPipePoller poller = new();
        client.Register(poller, 1, PipeInterest.Both);
        Assert.That(client.TryWrite([1, 2, 3], out int written), Is.EqualTo(PipeStatus.Ok));
        Assert.That(written, Is.EqualTo(3));
        byte[] got = new byte[3];
        server.ReadExactly(got);
        Assert.That(got, Is.EqualTo(new byte[] { 1, 2, 3 }));
        server.Write([4, 5]);
        Assert.That(ReadSome(poller, client, 2), Is.EqualTo(new byte[] { 4, 5 }));
    }

    [Test]
    public void FromHandle_OfAServerStream_TakesTheConnectionOver()
    {
        NamedPipeServerStream stream = new(_name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.None);
        using NamedPipeClientStream client = new(".", _name, PipeDirection.InOut, PipeOptions.None);
        client.Connect((int)s_limit.TotalMilliseconds);
        stream.WaitForConnection();
        using NamedPipe server = NamedPipe.FromHandle(stream.SafePipeHandle);
        CollectTheOldOwner(ref stream!);

        using NamedPipePoller poller = new();
        server.Register(poller, 1, PipeInterest.Both);
        client.Write([7, 8, 9]);
        Assert.That(ReadSome(poller, server, 3), Is.EqualTo(new byte[] { 7, 8, 9 }));
    }

    [Test]
    public void ExportHandle_WorksInAStreamThatBlocks()
    {
        using NamedPipePoller poller = new();
        using NamedPipe server = NamedPipe.CreateServer(_name);
        server.Register(poller, 1, PipeInterest.Both);
        server.TryConnect();
        using NamedPipeClientStream client = new(
            PipeDirection.InOut, isAsync: true, isConnected: true, NamedPipe.OpenClient(_name).ExportHandle());
        WaitUntilConnected(poller, server);
        client.Write([1, 2, 3, 4]);
        Assert.That(ReadSome(poller, server, 4), Is.EqualTo(new byte[] { 1, 2, 3, 4 }));
    }

    // The Socket inside System.IO.Pipes must not close the descriptor that is ours now.
    private static void CollectTheOldOwner<T>(ref T? stream)
        where T : PipeStream
    {
        stream?.Dispose();
        stream = null;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    private static void WaitUntilConnected(NamedPipePoller poller, NamedPipe server)
    {
        long deadline = Environment.TickCount64 + (long)s_limit.TotalMilliseconds;
        PipeEvent[] events = new PipeEvent[4];
        while (server.TryConnect() != PipeStatus.Ok)
        {
            Assert.That(Environment.TickCount64, Is.LessThan(deadline), "no client came");
            poller.Wait(events, TimeSpan.FromMilliseconds(100));
        }
    }

    private static byte[] ReadSome(NamedPipePoller poller, NamedPipe pipe, int count)
    {
        long deadline = Environment.TickCount64 + (long)s_limit.TotalMilliseconds;
        PipeEvent[] events = new PipeEvent[4];
        byte[] buffer = new byte[count];
        int done = 0;
        while (done < count)
        {
            Assert.That(Environment.TickCount64, Is.LessThan(deadline), "the bytes did not come");
            if (pipe.TryRead(buffer.AsSpan(done), out int read) == PipeStatus.WouldBlock)
            {
                poller.Wait(events, TimeSpan.FromMilliseconds(100));
            }

            done += read;
        }

        return buffer;
    }
}
