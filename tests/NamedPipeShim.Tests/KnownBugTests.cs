using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>
/// Bugs that other libraries of this kind had or have; each test is named after the one that it would find here. Those that
/// need C to be seen are in tests/native.
/// </summary>
public class KnownBugTests
{
    [Test]
    [Category("C7")]
    public void Mio1983_StateOfTheOldConnection_DoesNotSurviveDisconnect()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        TestEnd server = pair.Server;
        TestEnd client = pair.Client;
        for (int i = 0; i < 100; i++)
        {
            // The old connection has unread bytes, a write under way, an end and an event that nobody has taken.
            server.WriteUntilFull(seed: i);
            client.WriteAll(Pattern.Of(1_000, seed: i));
            client.Pipe.Abort();
            client.Dispose();
            if (i % 2 == 0)
            {
                server.Await(PipeReadiness.Writable | PipeReadiness.Closed | PipeReadiness.Error);
            }

            server.Pipe.Disconnect(listen: true);
            loop.PumpAll();
            loop.Forget();
            Assert.That(server.Pipe.TryRead(new byte[8], out _), Is.EqualTo(PipeStatus.WouldBlock));
            Assert.That(server.Pipe.TryWrite(new byte[8], out _), Is.EqualTo(PipeStatus.WouldBlock));
            Assert.That(server.Pipe.UnsentBytes, Is.Zero);
            Assert.That(server.Pipe.TakeError(), Is.Null);
            client = loop.Add(
                NamedPipe.OpenClient(new NamedPipeClientOptions { Name = server.Pipe.Name!, Timeout = Deadline.Step }));
            server.AwaitConnected();
            server.SendTo(client, 100, seed: i + 1);
            client.SendTo(server, 100, seed: i + 2);
        }

        client.Dispose();
    }

    [Test]
    [Category("P5")]
    public void Cve2024_27308_NoEventComesAfterDeregister()
    {
        using TestLoop loop = new();
        PipeEvent[] events = new PipeEvent[16];
        for (int i = 0; i < 200; i++)
        {
            using PipePair pair = PipePair.New(loop);
            loop.PumpAll();
            pair.Server.Drain();
            TestThread sender = TestThread.Start(() =>
            {
                pair.Client.Pipe.TryWrite([1], out _);
                pair.Client.Pipe.Abort();
            });
            if (i % 2 == 0)
            {
                sender.Join();
            }

            // Bytes and the end are on their way, or have come and wait in the poller's queue.
            pair.Server.Pipe.Deregister();
            int count;
            while ((count = loop.Poller.Wait(events, TimeSpan.Zero)) > 0)
            {
                foreach (PipeEvent one in events.AsSpan(0, count))
                {
                    Assert.That(one.Token, Is.Not.EqualTo(pair.Server.Token));
                }
            }

            sender.Join();
        }
    }

    [Test]
    [Category("X3")]
    public void Mio1944_Mio1838_ServerDroppedWhileConnecting_LeaksNoHandleAndFreesTheName()
    {
        using TestLoop loop = new();
        NamedPipeServerOptions options = new() { Name = PipeNames.New(), FirstInstance = true };
        loop.Listen(options).Dispose();
        int before = ProcessHandles.Count();
        for (int i = 0; i < 500; i++)
        {
            loop.Listen(options).Dispose();
            NamedPipeException e = Assert.Throws<NamedPipeException>(() => NamedPipe.OpenClient(options.Name))!;
            Assert.That(e.Error, Is.EqualTo(NamedPipeError.NotFound));
        }

        loop.PumpAll();
        ProcessHandles.AwaitAtMost(before);
    }

    [Test]
    [Category("W3")]
    public void MioPr1461_WriteThatWaits_EndsWhenThePeerLeaves()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Server.WriteUntilFull(seed: 1);
        loop.PumpAll();
        loop.Forget();
        pair.Client.Pipe.Abort();
        pair.Server.Await(PipeReadiness.Writable | PipeReadiness.Error | PipeReadiness.Closed);
        NamedPipeException e = Assert.Throws<NamedPipeException>(() =>
        {
            while (pair.Server.Pipe.TryWrite(new byte[100], out _) == PipeStatus.WouldBlock)
            {
                pair.Server.Await(PipeReadiness.Writable | PipeReadiness.Error);
            }
        })!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
    }

    [Test]
    [Category("R1")]
    public void Tokio6460_Tokio5307_ALargeMessage_TakesFewReads()
    {
        const int Size = 65_536;
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        byte[] buffer = new byte[Size];
        pair.Client.WriteAll(Pattern.Of(Size));

        // With a read size fixed at 4 or 8 KiB it would take 8 to 16.
        int reads = 0;
        for (int have = 0; have < Size;)
        {
            PipeStatus status = pair.Server.Pipe.TryRead(buffer.AsSpan(have), out int count);
            have += count;
            reads += count > 0 ? 1 : 0;
            if (status == PipeStatus.WouldBlock)
            {
                pair.Server.Await(PipeReadiness.Readable);
            }
        }

        Assert.That(reads, Is.LessThanOrEqualTo(4));
        Pattern.Verify(buffer);
    }

    [Test]
    [Category("O2")]
    public void Rustsec2023_0001_SettingOneOption_DoesNotResetAnother()
    {
        NamedPipeServerOptions options = new() { Name = PipeNames.New(), FirstInstance = true, MaxInstances = 1 };
        options.Direction = PipeDirection.Out;
        options.InBufferSize = 1;
        options.Name = PipeNames.New();
        Assert.That(options.FirstInstance, Is.True);
        Assert.That(options.MaxInstances, Is.EqualTo(1));
        using NamedPipe server = NamedPipe.CreateServer(options);
        options.FirstInstance = false;
        Assert.That(
            () => NamedPipe.CreateServer(options),
            Throws.TypeOf<NamedPipeException>().With.Property("Error").EqualTo(NamedPipeError.PipeBusy));
    }

    [Test]
    [Category("X2")]
    public void GoWinio85_GoWinio281_GoWinio357_ClosingAListener_DoesNotDeadlock()
    {
        for (int i = 0; i < 100; i++)
        {
            using TestLoop loop = new();
            TestEnd server = loop.Listen(PipeNames.New());
            TestThread waiter = TestThread.Start(() => loop.Await(9, PipeReadiness.Wake));
            TestThread client = TestThread.Start(() =>
            {
                try
                {
                    NamedPipe.OpenClient(server.Pipe.Name!).Dispose();
                }
                catch (NamedPipeException e)
                {
                    Assert.That(e.Error, Is.AnyOf(NamedPipeError.NotFound, NamedPipeError.PipeBusy, NamedPipeError.IO));
                }
            });
            TestThread.Run(server.Dispose);
            client.Join();
            loop.Poller.Wake(9);
            waiter.Join();
        }
    }

    [Test]
    [Category("C6")]
    public void GoWinioPr70_AClientThatCameAndLeft_DoesNotEndTheAcceptLoop()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Add(NamedPipe.CreateServer(name));
        for (int i = 0; i < 100; i++)
        {
            NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }).Dispose();
            server.AwaitConnected();
            Assert.That(server.ReadToEnd(), Is.Empty);
            Assert.That(server.Pipe.Disconnect(listen: true), Is.EqualTo(PipeStatus.WouldBlock));
        }
    }

    [Test]
    [Category("P1")]
    public void GoWinio218_AWaitThatTimedOut_LeavesNothingForTheNext()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        loop.PumpAll();
        pair.Server.Drain();
        for (int i = 0; i < 20; i++)
        {
            Assert.That(loop.Pump(TimeSpan.FromMilliseconds(1)), Is.Zero);
            pair.Client.WriteAll([(byte)i]);
            Assert.That(pair.Server.ReadExactly(1)[0], Is.EqualTo((byte)i));
            pair.Server.Drain();
            loop.PumpAll();
        }
    }

    [Test]
    [Category("C7")]
    public void Dotnet40289_Dotnet40674_AConnectThatIsCancelled_EndsAndTheNextOneWorks()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        for (int i = 0; i < 100; i++)
        {
            using TestEnd server = loop.Listen(name);
            TestThread.Run(i % 2 == 0 ? () => server.Pipe.Disconnect() : server.Dispose);
            loop.PumpAll();
            if (i % 2 == 0)
            {
                Assert.That(server.Pipe.TryConnect(), Is.EqualTo(PipeStatus.WouldBlock));
                NamedPipe.OpenClient(name).Dispose();
                server.AwaitConnected();
            }
        }
    }

    [Test]
    public void Dotnet63536_Dotnet72526_QueriesAndWrites_DoNotHangBehindARead()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Server.Drain();
        pair.Client.Drain();
        TestThread.Run(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                foreach (TestEnd end in new[] { pair.Server, pair.Client })
                {
                    _ = end.Pipe.DangerousGetOSHandle();
                    Assert.That(end.Pipe.UnsentBytes, Is.Zero);
                    Assert.That(end.Pipe.TakeError(), Is.Null);
                    Assert.That(end.Pipe.TryWrite([1], out _), Is.EqualTo(PipeStatus.Ok));
                }

                pair.Server.ReadExactly(1);
                pair.Client.ReadExactly(1);
            }
        });
    }

    [Test]
    [Category("K2")]
    public void Dotnet65434_Dotnet117718_AClientThatWaits_BurnsNoProcessor()
    {
        TimeSpan timeout = TimeSpan.FromSeconds(1);
        TimeSpan before = ThreadTime.Used;
        Assert.Throws<NamedPipeException>(
            () => NamedPipe.OpenClient(new NamedPipeClientOptions { Name = PipeNames.New(), Timeout = timeout }));
        Assert.That(ThreadTime.Used - before, Is.LessThan(timeout / 5));
    }

    [Test]
    [Category("W3")]
    public void Dotnet132573_APeerThatLeft_IsNoticedWithoutReadingOrWriting()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        loop.PumpAll();
        loop.Forget();
        pair.Client.Dispose();
        pair.Server.Await(PipeReadiness.Closed);
    }

    [Test]
    [Category("W1")]
    public void Dotnet72593_Drain_IsKnownWithoutBlocking()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        int size = pair.Server.WriteUntilFull(seed: 1);
        bool unsent = pair.Server.Pipe.UnsentBytes > 0;
        loop.PumpAll();
        loop.Forget();
        pair.Client.ReadExactly(size);
        if (unsent && !pair.Server.Seen.HasFlag(PipeReadiness.Writable))
        {
            pair.Server.Await(PipeReadiness.Writable);
        }

        Assert.That(pair.Server.Pipe.UnsentBytes, Is.Zero);
    }

    [TestCase(4_096)]
    [TestCase(65_536)]
    [Category("R1")]
    public void Libuv4738_DataThatFillsTheBufferExactly_DoesNotBlockAndLosesNoEvent(int size)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop, new NamedPipeServerOptions { Name = PipeNames.New(), ReadAhead = size });
        for (int i = 0; i < 20; i++)
        {
            pair.Client.WriteAll(Pattern.Of(size, seed: i));
            TestThread.Run(() => Pattern.Verify(pair.Server.ReadExactly(size), seed: i));
            Assert.That(pair.Server.Pipe.TryRead(new byte[1], out _), Is.EqualTo(PipeStatus.WouldBlock));
            loop.Forget();
            pair.Client.WriteAll([1]);
            pair.Server.Await(PipeReadiness.Readable);
            pair.Server.ReadExactly(1);
        }
    }

    [Test]
    [Category("X2")]
    public void MioPr1954_APipeReleasedWhileItsOperationCompletes_IsSafe()
    {
        using TestLoop loop = new();
        for (int i = 0; i < 300; i++)
        {
            PipePair pair = PipePair.New(loop);
            pair.Server.Drain();
            TestThread sender = TestThread.Start(() =>
            {
                try
                {
                    pair.Client.Pipe.TryWrite([1], out _);
                }
                catch (NamedPipeException e)
                {
                    Assert.That(e.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
                }
            });
            TestThread closer = TestThread.Start(pair.Server.Dispose);
            loop.Pump(TimeSpan.Zero);
            sender.Join();
            closer.Join();
            pair.Dispose();
        }

        loop.PumpAll();
    }
}
