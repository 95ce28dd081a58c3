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

    [Test]
    public void LentHandle_OwnsNothing()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        SafePipeHandle lent = pair.Client.Pipe.LendHandle();
        Assert.That(lent.DangerousGetHandle(), Is.EqualTo(pair.Client.Pipe.DangerousGetOSHandle()));
        lent.Dispose();
        pair.Client.SendTo(pair.Server, 100, seed: 1);
        pair.Client.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pair.Client.Pipe.LendHandle());
    }

    [TestCase(PipeMode.Byte, PipeDirection.InOut)]
    [TestCase(PipeMode.Message, PipeDirection.InOut)]
    [TestCase(PipeMode.Byte, PipeDirection.In)]
    [TestCase(PipeMode.Message, PipeDirection.In)]
    [TestCase(PipeMode.Byte, PipeDirection.Out)]
    [TestCase(PipeMode.Message, PipeDirection.Out)]
    [Category("F1")]
    public void FromHandle_KnowsModeAndDirection(PipeMode mode, PipeDirection ofClient)
    {
        using TestLoop loop = new();
        PipeDirection ofServer = ofClient switch
        {
            PipeDirection.In => PipeDirection.Out,
            PipeDirection.Out => PipeDirection.In,
            _ => PipeDirection.InOut,
        };
        using TestEnd server = loop.Listen(
            new NamedPipeServerOptions { Name = PipeNames.New(), Mode = mode, Direction = ofServer });
        NamedPipe opened = NamedPipe.OpenClient(
            new NamedPipeClientOptions { Name = server.Pipe.Name!, Mode = mode, Direction = ofClient });
        using TestEnd client = loop.Add(NamedPipe.FromHandle(opened.ExportHandle()));
        server.AwaitConnected();
        Assert.That(client.Pipe.Mode, Is.EqualTo(mode));
        Assert.That(client.Pipe.IsServer, Is.False);

        // A socket does not know what its opener meant to do with it.
        Assert.That(client.Pipe.Direction, Is.EqualTo(OperatingSystem.IsWindows() ? ofClient : PipeDirection.InOut));
        TestEnd writer = ofClient == PipeDirection.In ? server : client;
        TestEnd reader = ofClient == PipeDirection.In ? client : server;
        MessageTests.WriteMessage(writer, Pattern.Of(10));
        byte[] part = new byte[4];
        reader.Await(PipeReadiness.Readable);
        Assert.That(
            reader.Pipe.TryRead(part, out int count), Is.EqualTo(mode == PipeMode.Message ? PipeStatus.MoreData : PipeStatus.Ok));
        Assert.That(count, Is.EqualTo(4));
        Assert.That(reader.ReadExactly(6), Is.EqualTo(Pattern.Of(10)[4..]));
    }

    [Test]
    public void ExportedHandle_OfAServer_ServesANamedPipeServerStream()
    {
        string name = PipeNames.New();
        using NamedPipe server = NamedPipe.CreateServer(name);
        if (OperatingSystem.IsLinux())
        {
            // Without a client it has no descriptor of its own, and with one it was registered.
            Assert.Throws<NotSupportedException>(() => server.ExportHandle());
            return;
        }

        using NamedPipeServerStream stream = new(PipeDirection.InOut, isAsync: true, isConnected: false, server.ExportHandle());
        using TestLoop loop = new();
        Task connected = stream.WaitForConnectionAsync();
        using TestEnd client = loop.Add(
            NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }));
        TestThread.Run(() => Assert.That(connected.Wait(Deadline.Step)));
        client.WriteAll(Pattern.Of(100));
        byte[] received = new byte[100];
        TestThread.Run(() => Assert.That(stream.ReadExactlyAsync(received).AsTask().Wait(Deadline.Step)));
        Pattern.Verify(received);
        TestThread.Run(() => Assert.That(stream.WriteAsync(received).AsTask().Wait(Deadline.Step)));
        Pattern.Verify(client.ReadExactly(100));
    }
}
