using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What only Linux has: socket files, backlogs, descriptors, half-closed sockets.</summary>
[LinuxTests]
[SupportedOSPlatform("linux")]
public partial class LinuxTests
{
    private const int LimitOfDescriptors = 7;

    [Test]
    [Category("O4")]
    public void Socket_IsWhereSystemIOPipesHasIt_AndOfTheCurrentUserOnly()
    {
        string name = PipeNames.New();
        string path = PipeNames.FullNameOf(name);
        using (NamedPipe server = NamedPipe.CreateServer(name))
        {
            Assert.That(File.Exists(path));
            Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        }

        Assert.That(File.Exists(path), Is.False, "after Dispose");
    }

    [Test]
    [Category("O4")]
    public void CreateServer_OverAStaleSocket_ReplacesIt([Values] bool firstInstance)
    {
        string name = PipeNames.New();
        LeaveStaleSocket(PipeNames.FullNameOf(name));
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop, new NamedPipeServerOptions { Name = name, FirstInstance = firstInstance });
        pair.Client.SendTo(pair.Server, 100, seed: 1);
    }

    [Test]
    [Category("K1")]
    public void OpenClient_OfAStaleSocket_IsNotFound()
    {
        string name = PipeNames.New();
        string path = PipeNames.FullNameOf(name);
        LeaveStaleSocket(path);
        Assert.That(
            () => NamedPipe.OpenClient(name),
            Throws.TypeOf<NamedPipeException>().With.Property("Error").EqualTo(NamedPipeError.NotFound));
        File.Delete(path);
    }

    [Test]
    [Category("O4")]
    public void AFileThatIsNoSocket_IsNotAPipeAndIsNotTouched()
    {
        string name = PipeNames.New();
        string path = PipeNames.FullNameOf(name);
        File.WriteAllText(path, "precious");
        foreach (Action call in new Action[] { () => NamedPipe.CreateServer(name), () => NamedPipe.OpenClient(name) })
        {
            Assert.That(call, Throws.TypeOf<NamedPipeException>().With.Property("Error").EqualTo(NamedPipeError.NotAPipe));
        }

        Assert.That(File.ReadAllText(path), Is.EqualTo("precious"));
        File.Delete(path);
    }

    [Test]
    [Category("O4")]
    public void Dotnet131203_ANameWithALivingServer_IsDeniedAndNotHijacked()
    {
        string name = PipeNames.New();
        using NamedPipeServerStream theirs = new(
            name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        Task waiting = theirs.WaitForConnectionAsync();
        foreach (bool first in new[] { false, true })
        {
            NamedPipeException e = Assert.Throws<NamedPipeException>(
                () => NamedPipe.CreateServer(new NamedPipeServerOptions { Name = name, FirstInstance = first }))!;
            Assert.That(e.Error, Is.EqualTo(NamedPipeError.AccessDenied));
            Assert.That(e.NativeErrorCode, Is.EqualTo(98), "EADDRINUSE");
            Assert.That(e.Message, Does.Contain(name));
        }

        using NamedPipe client = NamedPipe.OpenClient(name);
        TestThread.Run(() => Assert.That(waiting.Wait(Deadline.Step)));
        Assert.That(theirs.IsConnected);
    }

    [Test]
    [Category("O3")]
    public void FullName_InAFolderThatIsNotThere_IsAnError()
    {
        string path = Path.Combine(Path.GetTempPath(), PipeNames.New(), "socket");
        Assert.Throws<NamedPipeException>(() => NamedPipe.CreateServer(path));
        Assert.That(
            () => NamedPipe.OpenClient(path),
            Throws.TypeOf<NamedPipeException>().With.Property("Error").EqualTo(NamedPipeError.NotFound));
    }

    [Test]
    [Category("K1")]
    public void OpenClient_WithAFullBacklog_IsBusy()
    {
        string name = PipeNames.New();
        string path = PipeNames.FullNameOf(name);
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
        List<NamedPipe> queued = [];
        NamedPipeException? busy = null;
        while (busy is null && queued.Count < 100)
        {
            try
            {
                queued.Add(NamedPipe.OpenClient(name));
            }
            catch (NamedPipeException e)
            {
                busy = e;
            }
        }

        Assert.That(busy?.Error, Is.EqualTo(NamedPipeError.PipeBusy));
        Assert.That(busy!.NativeErrorCode, Is.EqualTo(11), "EAGAIN");
        Assert.That(queued, Is.Not.Empty);

        // Room comes while a client waits for it.
        NamedPipe? late = null;
        TestThread opener = TestThread.Start(() => late = NamedPipe.OpenClient(
            new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }));
        listener.Accept().Dispose();
        opener.Join();
        late!.Dispose();
        queued.ForEach(one => one.Dispose());
        listener.Dispose();
        File.Delete(path);
    }

    [Test]
    [Category("C5")]
    public void Connect_ThatFailsInTheBackground_IsReportedByAnEvent_AndTakeErrorGivesItOnce()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        using TestEnd client = loop.Add(NamedPipe.OpenClient(name));

        // The client is in the queue; accepting it takes a descriptor, and there is none.
        Assert.That(GetResourceLimit(LimitOfDescriptors, out ResourceLimit limit), Is.Zero);
        Assert.That(SetResourceLimit(LimitOfDescriptors, limit with { Soft = 0 }), Is.Zero);
        try
        {
            server.Await(PipeReadiness.Error);
        }
        finally
        {
            _ = SetResourceLimit(LimitOfDescriptors, limit);
        }

        NamedPipeException? error = server.Pipe.TakeError();
        Assert.That(error, Is.Not.Null);
        Assert.That(error!.Error, Is.EqualTo(NamedPipeError.TooManyHandles));
        Assert.That(error.NativeErrorCode, Is.EqualTo(24), "EMFILE");
        Assert.That(server.Pipe.TakeError(), Is.Null);

        // And connect may be called again.
        server.AwaitConnected();
        client.SendTo(server, 100, seed: 1);
    }

    [Test]
    [Category("C9")]
    public void Client_AcceptedForAnInstanceThatNoLongerWaits_GoesToTheNext([Values] bool disposed)
    {
        string name = PipeNames.New();
        for (int i = 0; i < 20; i++)
        {
            using TestLoop one = new();
            using TestLoop two = new();
            using TestEnd first = one.Listen(name);
            using TestEnd second = two.Listen(name);
            using TestEnd client = two.Add(NamedPipe.OpenClient(name));

            // The second poller accepts the client for the instance that has waited longer; that one is told by its own
            // poller, which does not look before it is too late.
            two.PumpAll();
            if (disposed)
            {
                first.Dispose();
            }
            else
            {
                first.Pipe.Disconnect();
            }

            one.PumpAll();
            second.AwaitConnected();
            client.SendTo(second, 100, seed: i);
        }
    }

    [Test]
    [Category("P8")]
    public void Closed_IsReportedToAPipeThatOnlyWrites_OrHasUnreadBytes_WithoutAnyCall([Values] bool onlyWrites)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop, new NamedPipeServerOptions
        {
            Name = PipeNames.New(),
            Direction = onlyWrites ? PipeDirection.Out : PipeDirection.InOut,
        });
        if (!onlyWrites)
        {
            pair.Client.WriteAll([1, 2, 3]);
            pair.Server.Await(PipeReadiness.Readable);
            pair.Server.Pipe.Reregister(pair.Server.Token, PipeInterest.Writable);
        }

        loop.PumpAll();
        loop.Forget();
        pair.Client.Dispose();
        pair.Server.Await(PipeReadiness.Closed);
        if (!onlyWrites)
        {
            Assert.That(pair.Server.ReadToEnd(), Is.EqualTo(new byte[] { 1, 2, 3 }));
        }
    }

    [Test]
    [Category("R3")]
    public void Peer_ThatHalfCloses_EndsTheStream_AndStillReadsWhatWeWrite()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        using Socket peer = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        peer.Connect(new UnixDomainSocketEndPoint(PipeNames.FullNameOf(name)));
        server.AwaitConnected();
        server.Drain();
        peer.Send(Pattern.Of(1_000, seed: 1));
        peer.Shutdown(SocketShutdown.Send);
        byte[] all = server.ReadToEnd();
        Assert.That(all, Has.Length.EqualTo(1_000));
        Pattern.Verify(all, seed: 1);
        server.Await(PipeReadiness.Closed);
        server.WriteAll([7]);
        byte[] one = new byte[1];
        peer.ReceiveTimeout = (int)Deadline.Step.TotalMilliseconds;
        Assert.That(peer.Receive(one), Is.EqualTo(1));
        Assert.That(one[0], Is.EqualTo(7));
    }

    [Test]
    [Category("R3")]
    public void Peer_ThatClosesWithUnreadData_StillEndsOurStreamAfterItsBytes()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        using Socket peer = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        peer.Connect(new UnixDomainSocketEndPoint(PipeNames.FullNameOf(name)));
        server.AwaitConnected();
        server.WriteAll([1, 2, 3]);
        peer.Send(Pattern.Of(1_000, seed: 1));
        peer.Close();
        byte[] all = server.ReadToEnd();
        Assert.That(all, Has.Length.EqualTo(1_000));
        Pattern.Verify(all, seed: 1);
        Assert.That(
            () => server.Pipe.TryWrite(new byte[1], out _),
            Throws.TypeOf<NamedPipeException>().With.Property("Error").EqualTo(NamedPipeError.BrokenPipe));
    }

    [Test]
    public void FromHandle_OfTheirConnectedStreams_TakesThemOver([Values] bool theirServer)
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using NamedPipeServerStream server = new(
            name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        Task waiting = server.WaitForConnectionAsync();
        using NamedPipeClientStream client = new(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
        TestThread.Run(() =>
        {
            client.Connect((int)Deadline.Step.TotalMilliseconds);
            Assert.That(waiting.Wait(Deadline.Step));
        });
        PipeStream taken = theirServer ? server : client;
        PipeStream other = theirServer ? client : server;
        SafePipeHandle handle = taken.SafePipeHandle;
        using TestEnd ours = loop.Add(NamedPipe.FromHandle(handle));
        Assert.That(handle.IsClosed);
        ours.WriteAll(Pattern.Of(100_000, seed: 1));
        byte[] received = new byte[100_000];
        TestThread.Run(() => Assert.That(other.ReadExactlyAsync(received).AsTask().Wait(Deadline.Step)));
        Pattern.Verify(received, seed: 1);
        TestThread writer = TestThread.Start(
            () => Assert.That(other.WriteAsync(Pattern.Of(100_000, seed: 2)).AsTask().Wait(Deadline.Step)));
        Pattern.Verify(ours.ReadExactly(100_000), seed: 2);
        writer.Join();
        other.Dispose();
        Assert.That(ours.ReadToEnd(), Is.Empty);
    }

    [Test]
    [Category("O3")]
    public void FromHandle_OfOtherSockets_IsRefusedAndLeavesThemOpen()
    {
        using Socket unconnected = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        Expect(unconnected, NamedPipeError.NotConnected);
        using Socket datagram = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        using (SafePipeHandle handle = new(datagram.Handle, ownsHandle: false))
        {
            Assert.Throws<NotSupportedException>(() => NamedPipe.FromHandle(handle), "it has messages");
            Assert.That(handle.IsClosed, Is.False);
        }

        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Socket tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        tcp.Connect(listener.LocalEndPoint!);
        Expect(tcp, NamedPipeError.NotAPipe);

        static void Expect(Socket socket, NamedPipeError error)
        {
            using SafePipeHandle handle = new(socket.Handle, ownsHandle: false);
            Assert.That(
                () => NamedPipe.FromHandle(handle),
                Throws.TypeOf<NamedPipeException>().With.Property("Error").EqualTo(error));
            Assert.That(handle.IsClosed, Is.False);
            Assert.That(() => socket.Blocking, Throws.Nothing);
        }
    }

    [Test]
    public void OSHandle_AndExport_OfAServerWithoutAClient_AreRefused()
    {
        using NamedPipe server = NamedPipe.CreateServer(PipeNames.New());
        Assert.That(
            () => server.DangerousGetOSHandle(),
            Throws.TypeOf<NamedPipeException>().With.Property("Error").EqualTo(NamedPipeError.NotConnected));
        Assert.Throws<NotSupportedException>(() => server.ExportHandle());

        // It is still a server.
        using TestLoop loop = new();
        using TestEnd end = loop.Add(server);
        Assert.That(end.Pipe.TryConnect(), Is.EqualTo(PipeStatus.WouldBlock));
    }

    private static void LeaveStaleSocket(string path)
    {
        using Socket dead = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        dead.Bind(new UnixDomainSocketEndPoint(path));
        dead.Listen();

        // Socket removes its file when it is disposed; a process that dies does not.
        string aside = path + ".x";
        File.Move(path, aside);
        dead.Dispose();
        File.Move(aside, path);
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetResourceLimit(int resource, out ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetResourceLimit(int resource, in ResourceLimit limit);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ResourceLimit(nuint Soft, nuint Hard);
}
