using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Handles in and out.</summary>
public class HandleTests
{
    [Test]
    public void ExportedHandle_OfAClient_ServesANamedPipeClientStream()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(PipeNames.New());
        NamedPipe client = NamedPipe.OpenClient(server.Pipe.Name!);
        using NamedPipeClientStream stream = new(PipeDirection.InOut, isAsync: true, isConnected: true, client.ExportHandle());
        Assert.Throws<ObjectDisposedException>(() => client.TryRead(new byte[1], out _));
        client.Dispose();
        server.AwaitConnected();
        server.WriteAll(Pattern.Of(1_000, seed: 1));
        byte[] received = new byte[1_000];
        TestThread.Run(() => stream.ReadExactlyAsync(received).AsTask().Wait(Deadline.Step));
        Pattern.Verify(received, seed: 1);
        TestThread.Run(() => stream.WriteAsync(Pattern.Of(1_000, seed: 2)).AsTask().Wait(Deadline.Step));
        Pattern.Verify(server.ReadExactly(1_000), seed: 2);
    }

    [Test]
    public void ExportedHandle_IsAPipeAgain_ByFromHandle()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(PipeNames.New());
        NamedPipe client = NamedPipe.OpenClient(server.Pipe.Name!);
        SafePipeHandle handle = client.ExportHandle();
        NamedPipe adopted = NamedPipe.FromHandle(handle, new NamedPipeHandleOptions { ReadAhead = 1_000, WriteLimit = 500 });
        Assert.That(handle.IsClosed);
        Assert.That(adopted.Name, Is.Null);
        using TestEnd end = loop.Add(adopted);
        server.AwaitConnected();
        end.SendTo(server, 100_000, seed: 1);
        server.SendTo(end, 100_000, seed: 2);
        end.Dispose();
        Assert.That(server.ReadToEnd(), Is.Empty);
    }

    [Test]
    [Category("P9")]
    public void FromHandle_ReadsWhatWasSentBefore()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(PipeNames.New());
        SafePipeHandle handle = NamedPipe.OpenClient(server.Pipe.Name!).ExportHandle();
        server.AwaitConnected();
        server.WriteAll(Pattern.Of(5_000, seed: 1));
        server.Dispose();
        using TestEnd end = loop.Add(NamedPipe.FromHandle(handle));
        byte[] all = end.ReadToEnd();
        Assert.That(all, Has.Length.EqualTo(5_000));
        Pattern.Verify(all, seed: 1);
    }

    [Test]
    [Category("X3")]
    public void FromHandleAndExport_ManyTimes_LeaveNoHandle()
    {
        int rounds = RunningSystem.Rounds(1_000, underWine: 200);
        using TestLoop loop = new();
        string name = PipeNames.New();
        int before = 0;
        for (int i = 0; i <= rounds; i++)
        {
            using (TestEnd server = loop.Listen(name))
            {
                using TestEnd end = loop.Add(NamedPipe.FromHandle(NamedPipe.OpenClient(name).ExportHandle()));
                server.AwaitConnected();
                end.SendTo(server, 100, seed: i);
            }

            before = i == 0 ? ProcessHandles.Count() : before;
        }

        ProcessHandles.AwaitAtMost(before);
    }

    [Test]
    public void ExportHandle_AfterRegister_Throws()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        Assert.Throws<InvalidOperationException>(() => pair.Client.Pipe.ExportHandle());
        pair.Client.SendTo(pair.Server, 100, seed: 1);
    }

    [Test]
    public void OSHandle_OfAConnectedPipe_IsLent()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        long server = pair.Server.Pipe.DangerousGetOSHandle();
        long client = pair.Client.Pipe.DangerousGetOSHandle();
        Assert.That(server, Is.Positive);
        Assert.That(client, Is.Positive.And.Not.EqualTo(server));
        Assert.That((long)pair.Server.Pipe.DangerousGetOSHandle(), Is.EqualTo(server));
        Assert.That(pair.Server.Pipe.SafeNamedPipeHandle.IsClosed, Is.False);
        Assert.That(loop.Poller.SafeNamedPipePollerHandle.IsInvalid, Is.False);
        pair.Client.SendTo(pair.Server, 100, seed: 1);
    }
}
