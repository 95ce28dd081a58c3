using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What a pipe tells of itself and of its peer: F1, I1, W7, W8, P10.</summary>
public class KnowledgeTests
{
    [Test]
    [Category("F1")]
    public void Info_OfBothEnds_TellsWhatWasAskedFor([Values] PipeMode mode)
    {
        using TestLoop loop = new();
        NamedPipeServerOptions options = new() { Name = PipeNames.New(), Mode = mode, MaxInstances = 3 };
        using PipePair pair = PipePair.New(loop, options);
        using NamedPipe second = NamedPipe.CreateServer(options);
        PipeInfo server = pair.Server.Pipe.GetInfo();
        PipeInfo client = pair.Client.Pipe.GetInfo();
        Assert.That((server.Mode, server.IsServer, server.Direction), Is.EqualTo((mode, true, PipeDirection.InOut)));
        Assert.That((client.Mode, client.IsServer, client.Direction), Is.EqualTo((mode, false, PipeDirection.InOut)));
        Assert.That((server.MaxInstances, server.Instances), Is.EqualTo((3, 2)));
        Assert.That(server.MaxMessageSize.HasValue, Is.EqualTo(mode == PipeMode.Message));
        Assert.That(server.OutBufferSize, Is.Positive);
        Assert.That((pair.Client.Pipe.Mode, pair.Server.Pipe.Mode), Is.EqualTo((mode, mode)));
    }

    [TestCase(PipeDirection.In)]
    [TestCase(PipeDirection.Out)]
    [Category("F1")]
    public void Info_OfOneWayPipes_TellsTheDirectionOfEachEnd(PipeDirection ofServer)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop, new NamedPipeServerOptions { Name = PipeNames.New(), Direction = ofServer });
        Assert.That(pair.Server.Pipe.GetInfo().Direction, Is.EqualTo(ofServer));
        Assert.That(
            pair.Client.Pipe.GetInfo().Direction, Is.EqualTo(ofServer == PipeDirection.In ? PipeDirection.Out : PipeDirection.In));
    }

    [Test]
    [Category("F1")]
    public void Peek_LooksWithoutTaking([Values] PipeMode mode)
    {
        using TestLoop loop = new();
        using PipePair pair = MessageTests.NewPair(loop, mode);
        byte[] buffer = new byte[100];
        Assert.That(pair.Server.Pipe.TryPeek(buffer, out int count, out long available), Is.EqualTo(PipeStatus.WouldBlock));
        Assert.That((count, available, pair.Server.Pipe.BytesAvailable), Is.EqualTo((0, 0, 0)));
        MessageTests.WriteMessage(pair.Client, Pattern.Of(40));
        pair.Server.Await(PipeReadiness.Readable);
        for (int i = 0; i < 2; i++)
        {
            Assert.That(pair.Server.Pipe.TryPeek(buffer.AsSpan(0, 10), out count, out available), Is.EqualTo(PipeStatus.Ok));
            Assert.That((count, available, pair.Server.Pipe.BytesAvailable), Is.EqualTo((10, 40, 40)));
            Pattern.Verify(buffer.AsSpan(0, 10));
        }

        Assert.That(pair.Server.ReadExactly(40), Is.EqualTo(Pattern.Of(40)));
        pair.Client.Dispose();
        Assert.That(pair.Server.ReadToEnd(), Is.Empty);
        Assert.That(pair.Server.Pipe.TryPeek(buffer, out count, out available), Is.EqualTo(PipeStatus.EndOfStream));
        Assert.That((count, available, pair.Server.Pipe.BytesAvailable), Is.EqualTo((0, 0, 0)));
    }

    [Test]
    [Category("I1")]
    public void PeerProcess_IsOurs()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        Assert.That(pair.Server.Pipe.GetPeerProcessId(), Is.EqualTo(Environment.ProcessId));
        Assert.That(pair.Client.Pipe.GetPeerProcessId(), Is.EqualTo(Environment.ProcessId));
        using NamedPipe alone = NamedPipe.CreateServer(PipeNames.New());
        NamedPipeException e = Assert.Throws<NamedPipeException>(() => alone.GetPeerProcessId())!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.NotConnected));
        Assert.That(e.Message, Does.Contain(alone.Name));
    }

    [Test]
    [Category("I1")]
    public void PeerUser_IsOurs_AfterTheFirstReadAtTheLatest()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Client.SendTo(pair.Server, 1, seed: 1);
        Assert.That(pair.Server.Pipe.TryGetPeerUser(out string? ofClient), Is.EqualTo(PipeStatus.Ok));
        Assert.That(pair.Client.Pipe.TryGetPeerUser(out string? ofServer), Is.EqualTo(PipeStatus.Ok));
        Assert.That(ofClient, Is.EqualTo(ofServer).And.Not.Empty);
        Assert.That(ofClient, OperatingSystem.IsWindows() ? Does.StartWith("S-1-") : Does.Match("^[0-9]+$"));
    }

    [Test]
    [Category("I1")]
    public void Peer_IsOurProcessAndUser_WithItsName()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Client.SendTo(pair.Server, 1, seed: 1);
        foreach (NamedPipe pipe in new[] { pair.Server.Pipe, pair.Client.Pipe })
        {
            PeerIdentity peer = pipe.GetPeer();
            Assert.That(peer.ProcessId, Is.EqualTo(Environment.ProcessId));
            Assert.That(pipe.TryGetPeerUser(out string? user), Is.EqualTo(PipeStatus.Ok));
            Assert.That(peer.UserId, Is.EqualTo(user));
            Assert.That(peer.UserName, Does.EndWith(Environment.UserName));
        }
    }

    [Test]
    [Category("W7")]
    public void CompleteWrites_EndsOurWritingAlone_OrIsNotSupported([Values] PipeMode mode)
    {
        using TestLoop loop = new();
        using PipePair pair = MessageTests.NewPair(loop, mode);
        if (OperatingSystem.IsWindows() && mode == PipeMode.Byte)
        {
            NotSupportedException no = Assert.Throws<NotSupportedException>(() => pair.Client.Pipe.TryCompleteWrites())!;
            Assert.That(no.Message, Does.Contain(pair.Client.Pipe.Name));
            pair.Client.SendTo(pair.Server, 10, seed: 1);
            return;
        }

        MessageTests.WriteMessage(pair.Client, Pattern.Of(10));
        while (pair.Client.Pipe.TryCompleteWrites() == PipeStatus.WouldBlock)
        {
            pair.Client.Await(PipeReadiness.Writable);
        }

        foreach (Action call in new Action[]
        {
            () => pair.Client.Pipe.TryWrite(new byte[1], out _),
            () => pair.Client.Pipe.TryCompleteWrites(),
        })
        {
            InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => call())!;
            Assert.That(e, Is.Not.InstanceOf<ObjectDisposedException>());
            Assert.That(e.Message, Does.Contain(pair.Client.Pipe.Name));
        }

        Assert.That(pair.Server.ReadExactly(10), Is.EqualTo(Pattern.Of(10)));
        if (OperatingSystem.IsWindows())
        {
            Assert.That(MessageTests.ReadMessage(pair.Server, 10), Is.Empty);
        }
        else
        {
            Assert.That(pair.Server.ReadToEnd(), Is.Empty);
        }

        MessageTests.WriteMessage(pair.Server, Pattern.Of(20));
        Assert.That(pair.Client.ReadExactly(20), Is.EqualTo(Pattern.Of(20)));
        pair.Client.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pair.Client.Pipe.TryWrite(new byte[1], out _));
    }

    [Test]
    [Category("W7")]
    [Category("C7")]
    public void CompleteWrites_HoldsUntilDisconnect()
    {
        using TestLoop loop = new();
        NamedPipeServerOptions options = new() { Name = PipeNames.New(), Mode = PipeMode.Message };
        NamedPipeClientOptions clientOptions = new() { Name = options.Name, Mode = PipeMode.Message };
        using TestEnd server = loop.Listen(options);
        using TestEnd first = loop.Add(NamedPipe.OpenClient(clientOptions));
        server.AwaitConnected();
        while (server.Pipe.TryCompleteWrites() == PipeStatus.WouldBlock)
        {
            server.Await(PipeReadiness.Writable);
        }

        Assert.Throws<InvalidOperationException>(() => server.Pipe.TryWrite(new byte[1], out _));
        server.Pipe.Disconnect(listen: true);
        using TestEnd second = loop.Add(NamedPipe.OpenClient(clientOptions));
        server.AwaitConnected();
        MessageTests.WriteMessage(server, Pattern.Of(5));
        Assert.That(MessageTests.ReadMessage(second, 10), Is.EqualTo(Pattern.Of(5)));
    }

    [Test]
    [Category("W8")]
    public void DrainState_IsDoneWhenThePeerHasReadAll_OrNotSupported()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        if (OperatingSystem.IsWindows())
        {
            Assert.Throws<NotSupportedException>(() => pair.Client.Pipe.GetDrainState(out _));
            return;
        }

        Assert.That(pair.Client.Pipe.GetDrainState(out long unread), Is.EqualTo(PipeStatus.Ok));
        Assert.That(unread, Is.Zero);
        pair.Client.WriteAll(Pattern.Of(1_000));
        Assert.That(pair.Client.Pipe.GetDrainState(out unread), Is.EqualTo(PipeStatus.WouldBlock));
        Assert.That(unread, Is.GreaterThanOrEqualTo(1_000));
        pair.Server.ReadExactly(1_000);
        Assert.That(pair.Client.Pipe.GetDrainState(out unread), Is.EqualTo(PipeStatus.Ok));
        Assert.That(unread, Is.Zero);
    }

    [Test]
    [Category("P10")]
    public void OnDemand_YieldsNoEventBeforeAWouldBlock_AndItsEventAfterOne()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        using TestEnd client = loop.Add(NamedPipe.OpenClient(name), PipeInterest.Both | PipeInterest.OnDemand);
        server.AwaitConnected();
        server.WriteAll(Pattern.Of(10));
        if (!OperatingSystem.IsWindows())
        {
            loop.PumpAll();
            Assert.That(client.Seen, Is.EqualTo(PipeReadiness.None));
        }

        Assert.That(client.ReadExactly(10), Is.EqualTo(Pattern.Of(10)));
        Assert.That(client.Pipe.TryRead(new byte[1], out _), Is.EqualTo(PipeStatus.WouldBlock));
        server.WriteAll([1]);
        client.Await(PipeReadiness.Readable);
        Assert.That(client.ReadExactly(1), Is.EqualTo(new byte[] { 1 }));
    }
}
