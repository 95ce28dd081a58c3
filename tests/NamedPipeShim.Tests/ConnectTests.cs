using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Accepting and ending connections: C2 to C9. (C1 is with P0; C5 needs each system's own means.)</summary>
public class ConnectTests
{
    [Test]
    [Category("C2")]
    public void Connect_WithAClientAlreadyThere_IsOkAtOnceAndYieldsWritable()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Add(NamedPipe.CreateServer(name));
        using NamedPipe client = NamedPipe.OpenClient(name);
        Assert.That(server.Pipe.TryConnect(), Is.EqualTo(PipeStatus.Ok));
        server.Await(PipeReadiness.Writable);
        Assert.That(server.Pipe.TryConnect(), Is.EqualTo(PipeStatus.Ok), "while connected");
        using TestEnd end = loop.Add(client);
        end.SendTo(server, 1_000, seed: 1);
        server.SendTo(end, 1_000, seed: 2);
    }

    [Test]
    [Category("C2")]
    public void Connect_OfAClientEnd_IsOk()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        Assert.That(pair.Client.Pipe.TryConnect(), Is.EqualTo(PipeStatus.Ok));
    }

    [Test]
    [Category("C3")]
    [Category("C4")]
    public void Connect_WithoutAClient_WouldBlockThenYieldsWritable()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Add(NamedPipe.CreateServer(PipeNames.New()));
        for (int i = 0; i < 3; i++)
        {
            Assert.That(server.Pipe.TryConnect(), Is.EqualTo(PipeStatus.WouldBlock));
        }

        loop.PumpAll();
        Assert.That(server.Seen, Is.EqualTo(PipeReadiness.None), "nobody has come yet");
        using TestEnd client = loop.Add(NamedPipe.OpenClient(server.Pipe.Name!));
        server.Await(PipeReadiness.Writable);
        Assert.That(server.Pipe.TryConnect(), Is.EqualTo(PipeStatus.Ok));
        server.SendTo(client, 1_000, seed: 1);
    }

    [Test]
    [Category("C6")]
    public void Connect_AfterTheClientCameAndLeft_GivesItsBytesThenTheEnd()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Add(NamedPipe.CreateServer(name));
        TestEnd client = loop.Add(NamedPipe.OpenClient(name));
        client.WriteAll([1, 2, 3]);
        client.Dispose();
        Assert.That(server.Pipe.TryConnect(), Is.EqualTo(PipeStatus.Ok));
        Assert.That(server.ReadToEnd(), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    [Category("C6")]
    public void AcceptLoop_WithClientsThatLeaveAtOnce_GoesOn()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        for (int i = 0; i < 300; i++)
        {
            NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }).Dispose();
            server.AwaitConnected();
            Assert.That(server.ReadToEnd(), Is.Empty);
            server.Pipe.Disconnect(listen: true);
        }

        Assert.That(server.Pipe.TakeError(), Is.Null);
    }

    [Test]
    [Category("C7")]
    public void DisconnectAndConnect_AThousandTimes_NeverShowsAnOldByteOrError()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        Span<byte> nonce = stackalloc byte[8];
        for (int round = 0; round < 1_000; round++)
        {
            using TestEnd client = loop.Add(
                NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }));
            server.AwaitConnected();
            BitConverter.TryWriteBytes(nonce, round);
            client.WriteAll(nonce);
            Assert.That(BitConverter.ToInt64(server.ReadExactly(8)), Is.EqualTo(round));

            // What is not read, and what the client's end does, belongs to the old connection.
            client.WriteAll(Pattern.Of(50 + (round % 1_000), seed: round));
            if (round % 3 == 0)
            {
                client.Dispose();
            }

            if (round % 5 == 0)
            {
                loop.PumpAll();
            }

            try
            {
                server.Pipe.TryWrite(Pattern.Of(100, seed: round), out _);
            }
            catch (NamedPipeException e)
            {
                Assert.That(e.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
            }

            if (round % 2 == 0)
            {
                server.Pipe.Disconnect(listen: true);
            }
            else
            {
                Assert.That(server.Pipe.Disconnect(), Is.EqualTo(PipeStatus.Ok));
                server.Pipe.TryConnect();
            }

            Assert.That(server.Pipe.TakeError(), Is.Null);
        }
    }

    [Test]
    [Category("C7")]
    public void Disconnect_ClearsReadiness_AlsoWhatIsQueuedAlready()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Server.Drain();
        pair.Client.WriteAll([1, 2, 3]);
        pair.Server.Await(PipeReadiness.Readable);
        pair.Client.Dispose();
        loop.PumpAll();
        loop.Forget();

        // Registering anew queues readable and writable; disconnect comes before they are handed out.
        pair.Server.Pipe.Reregister(pair.Server.Token, PipeInterest.Both);
        pair.Server.Pipe.Disconnect(listen: true);
        loop.PumpAll();
        Assert.That(pair.Server.Seen, Is.EqualTo(PipeReadiness.None));
        Assert.That(pair.Server.Pipe.TryRead(new byte[8], out _), Is.EqualTo(PipeStatus.WouldBlock));

        // And nothing of the old connection is "ready now".
        pair.Server.Pipe.Reregister(pair.Server.Token, PipeInterest.Both);
        loop.PumpAll();
        Assert.That(pair.Server.Seen, Is.EqualTo(PipeReadiness.None));
    }

    [Test]
    [Category("C7")]
    public void Closed_IsReportedOfEachConnection_AndOnlyOfThat()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(PipeNames.New());
        for (int i = 0; i < 10; i++)
        {
            TestEnd client = loop.Add(
                NamedPipe.OpenClient(new NamedPipeClientOptions { Name = server.Pipe.Name!, Timeout = Deadline.Step }));
            server.AwaitConnected();
            client.SendTo(server, 10, seed: i);
            server.Drain();
            loop.PumpAll();
            Assert.That(server.Seen & PipeReadiness.Closed, Is.EqualTo(PipeReadiness.None));
            client.Dispose();
            server.Await(PipeReadiness.Closed);
            server.Pipe.Disconnect(listen: true);
            loop.Forget();
        }
    }

    [Test]
    [Category("C7")]
    public void Disconnect_WhileConnecting_CancelsAndConnectWorksAgain()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(PipeNames.New());
        for (int i = 0; i < 100; i++)
        {
            Assert.That(server.Pipe.Disconnect(), Is.EqualTo(PipeStatus.Ok));
            Assert.That(server.Pipe.TryConnect(), Is.EqualTo(PipeStatus.WouldBlock));
        }

        using TestEnd client = loop.Add(
            NamedPipe.OpenClient(new NamedPipeClientOptions { Name = server.Pipe.Name!, Timeout = Deadline.Step }));
        server.AwaitConnected();
        client.SendTo(server, 1_000, seed: 1);
        Assert.That(server.Pipe.TakeError(), Is.Null);
    }

    [Test]
    [Category("C7")]
    public void Disconnect_OfAClientEnd_IsNotSupported()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        Assert.Throws<NotSupportedException>(() => pair.Client.Pipe.Disconnect());
        pair.Client.SendTo(pair.Server, 100, seed: 1);
    }

    [Test]
    [Category("C8")]
    public void Client_BetweenTwoRounds_IsNeverToldNotFound()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        bool stop = false;
        int served = 0;
        TestThread clients = TestThread.Start(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                try
                {
                    NamedPipe.OpenClient(name).Dispose();
                    served++;
                }
                catch (NamedPipeException e) when (e.Error == NamedPipeError.PipeBusy)
                {
                    Thread.Yield();
                }
            }
        });
        for (int i = 0; i < 200; i++)
        {
            server.AwaitConnected();
            server.ReadToEnd();
            server.Pipe.Disconnect(listen: i % 2 == 0);
            server.Pipe.TryConnect();
        }

        Volatile.Write(ref stop, true);
        clients.Join();
        Assert.That(served, Is.GreaterThanOrEqualTo(200));
    }

    [Test]
    [Category("C8")]
    public void Client_ThatWaits_GetsInAfterTheNextDisconnect()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using PipePair pair = PipePair.New(loop, new NamedPipeServerOptions { Name = name, MaxInstances = 1 });
        NamedPipe? second = null;
        TestThread waiter = TestThread.Start(() => second = NamedPipe.OpenClient(
            new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }));
        pair.Server.Pipe.Disconnect(listen: true);
        pair.Server.AwaitConnected();
        waiter.Join();
        using TestEnd client = loop.Add(second!);
        client.SendTo(pair.Server, 1_000, seed: 2);
    }

    [Test]
    [Category("C8")]
    public void Client_ThatMeetsACancelledConnect_IsServedOrSeesABreak()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        for (int i = 0; i < 100; i++)
        {
            using NamedPipe client = NamedPipe.OpenClient(
                new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step });
            server.Pipe.Disconnect(listen: true);
            using TestEnd end = loop.Add(client);

            // Either it is the next round's client, or its end comes: never a hang.
            Deadline deadline = Deadline.New();
            bool connected = false;
            byte[] buffer = new byte[1];
            PipeStatus status = PipeStatus.WouldBlock;
            while (!connected && status == PipeStatus.WouldBlock)
            {
                deadline.Check("Service or a break");
                connected = server.Pipe.TryConnect() == PipeStatus.Ok;
                status = end.Pipe.TryRead(buffer, out _);
                if (!connected && status == PipeStatus.WouldBlock)
                {
                    loop.Pump(deadline.Left);
                }
            }

            if (connected)
            {
                end.SendTo(server, 10, seed: i);
                server.Pipe.Disconnect(listen: true);
            }
        }
    }

    [Test]
    [Category("C9")]
    public void SeveralInstances_OfOneName_EachGetAClient()
    {
        const int Instances = 8;
        using TestLoop loop = new();
        string name = PipeNames.New();
        TestEnd[] servers = [.. Enumerable.Range(0, Instances).Select(_ => loop.Listen(name))];
        TestEnd[] clients = [.. servers.Select(_ => loop.Add(NamedPipe.OpenClient(name)))];
        for (int i = 0; i < Instances; i++)
        {
            servers[i].AwaitConnected();
            clients[i].WriteAll([(byte)i]);
        }

        int[] who = [.. servers.Select(server => (int)server.ReadExactly(1)[0])];
        Assert.That(who, Is.EquivalentTo(Enumerable.Range(0, Instances)));
        for (int i = 0; i < Instances; i++)
        {
            servers[i].SendTo(clients[who[i]], 5_000, seed: i);
        }

        Array.ForEach(clients, client => client.Dispose());
        Array.ForEach(servers, server => server.Dispose());
    }

    [Test]
    [Category("C9")]
    public void SeveralInstances_OnTwoPollers_EachGetAClient()
    {
        using TestLoop one = new();
        using TestLoop two = new();
        string name = PipeNames.New();
        using TestEnd first = one.Listen(name);
        using TestEnd second = two.Listen(name);
        using NamedPipe a = NamedPipe.OpenClient(name);
        using NamedPipe b = NamedPipe.OpenClient(name);
        first.AwaitConnected();
        second.AwaitConnected();
    }

    [Test]
    [Category("C9")]
    public void Client_OfAnInstanceThatWasClosed_GoesToTheNext()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        for (int i = 0; i < 50; i++)
        {
            using TestEnd first = loop.Listen(name);
            using TestEnd second = loop.Listen(name);
            first.Dispose();
            using TestEnd client = loop.Add(NamedPipe.OpenClient(name));
            second.AwaitConnected();
            client.SendTo(second, 100, seed: i);
        }
    }
}
