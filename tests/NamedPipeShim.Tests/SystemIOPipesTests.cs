using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>System.IO.Pipes on the other end, which has never heard of this library.</summary>
public class SystemIOPipesTests
{
    private static readonly int[] s_sizes = [1, 2, 1_000, 4_095, 4_096, 4_097, 65_535, 65_536, 65_537, 1 << 20];

    [Test]
    [Category("R1")]
    [Category("W1")]
    public void TheirClient_AndOurServer_ExchangeBytes([ValueSource(nameof(s_sizes))] int size)
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        using NamedPipeClientStream client = new(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
        TestThread.Run(() => client.Connect((int)Deadline.Step.TotalMilliseconds));
        server.AwaitConnected();
        Exchange(server, client, size);
    }

    [Test]
    [Category("R1")]
    [Category("W1")]
    public void OurClient_AndTheirServer_ExchangeBytes([ValueSource(nameof(s_sizes))] int size)
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using NamedPipeServerStream server = new(
            name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        Task waiting = server.WaitForConnectionAsync();
        using TestEnd client = loop.Add(
            NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }));
        TestThread.Run(() => Assert.That(waiting.Wait(Deadline.Step)));
        Exchange(client, server, size);
    }

    [Test]
    [Category("R3")]
    public void TheirClient_Closes_AndOurServerReadsAllThenTheEnd()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        using (NamedPipeClientStream client = new(".", name, PipeDirection.InOut))
        {
            TestThread.Run(() =>
            {
                client.Connect((int)Deadline.Step.TotalMilliseconds);
                client.Write(Pattern.Of(5_000, seed: 1));
            });
        }

        server.AwaitConnected();
        byte[] all = server.ReadToEnd();
        Assert.That(all, Has.Length.EqualTo(5_000));
        Pattern.Verify(all, seed: 1);
    }

    [Test]
    [Category("R3")]
    [Category("X1")]
    public void OurServer_Closes_AndTheirClientReadsAllThenTheEnd()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        using NamedPipeClientStream client = new(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
        TestThread.Run(() => client.Connect((int)Deadline.Step.TotalMilliseconds));
        server.AwaitConnected();
        server.WriteAll(Pattern.Of(5_000, seed: 1));
        server.Dispose();
        TestThread driver = TestThread.Start(loop.Dispose);
        using MemoryStream all = new();
        TestThread.Run(() => Assert.That(client.CopyToAsync(all).Wait(Deadline.Step)));
        driver.Join();
        Assert.That(all.Length, Is.EqualTo(5_000));
        Pattern.Verify(all.ToArray(), seed: 1);
    }

    [TestCase(PipeDirection.In)]
    [TestCase(PipeDirection.Out)]
    [Category("R1")]
    public void OneWayPipes_OfOurs_WorkWithTheirs(PipeDirection ours)
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        PipeDirection theirs = ours == PipeDirection.In ? PipeDirection.Out : PipeDirection.In;
        using TestEnd server = loop.Listen(new NamedPipeServerOptions { Name = name, Direction = ours });
        using NamedPipeClientStream client = new(".", name, theirs, PipeOptions.Asynchronous);
        TestThread.Run(() => client.Connect((int)Deadline.Step.TotalMilliseconds));
        server.AwaitConnected();
        if (ours == PipeDirection.In)
        {
            Receive(server, client, 100_000);
        }
        else
        {
            Send(server, client, 100_000);
        }
    }

    [Test]
    [Category("C9")]
    public void ManyOfTheirClients_AreServedByOneLoop()
    {
        const int Clients = 20;
        using TestLoop loop = new();
        string name = PipeNames.New();
        TestEnd[] servers = [.. Enumerable.Range(0, Clients).Select(_ => loop.Listen(name))];
        TestThread[] threads = [.. servers.Select((_, i) => TestThread.Start(() =>
        {
            using NamedPipeClientStream client = new(".", name, PipeDirection.InOut);
            client.Connect((int)Deadline.Step.TotalMilliseconds);
            client.Write([(byte)i]);
            Assert.That(client.ReadByte(), Is.EqualTo((byte)(i + 100)));
        }))];
        foreach (TestEnd server in servers)
        {
            server.AwaitConnected();
            server.WriteAll([(byte)(server.ReadExactly(1)[0] + 100)]);
        }

        Array.ForEach(threads, thread => thread.Join());
        foreach (TestEnd server in servers)
        {
            Assert.That(server.ReadToEnd(), Is.Empty);
            server.Dispose();
        }
    }

    [Test]
    [Category("K1")]
    public void OurClient_OfTheirServerWithItsOneInstanceTaken_IsBusyOnWindows()
    {
        string name = PipeNames.New();
        using NamedPipeServerStream server = new(name, PipeDirection.InOut, 1);
        using NamedPipe first = NamedPipe.OpenClient(name);
        if (OperatingSystem.IsWindows())
        {
            NamedPipeException e = Assert.Throws<NamedPipeException>(() => NamedPipe.OpenClient(name))!;
            Assert.That(e.Error, Is.EqualTo(NamedPipeError.PipeBusy));
        }
        else
        {
            // On Linux a client queues until the backlog is full.
            NamedPipe.OpenClient(name).Dispose();
        }
    }

    private static void Exchange(TestEnd ours, PipeStream theirs, int size)
    {
        Send(ours, theirs, size);
        Receive(ours, theirs, size);
    }

    private static void Send(TestEnd ours, PipeStream theirs, int size)
    {
        byte[] received = new byte[size];
        TestThread reader = TestThread.Start(() => Assert.That(theirs.ReadExactlyAsync(received).AsTask().Wait(Deadline.Step)));
        ours.WriteAll(Pattern.Of(size, seed: size));
        reader.Join();
        Pattern.Verify(received, seed: size);
    }

    private static void Receive(TestEnd ours, PipeStream theirs, int size)
    {
        TestThread writer = TestThread.Start(
            () => Assert.That(theirs.WriteAsync(Pattern.Of(size, seed: size + 1)).AsTask().Wait(Deadline.Step)));
        Pattern.Verify(ours.ReadExactly(size), seed: size + 1);
        writer.Join();
    }
}
