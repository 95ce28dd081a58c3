using System.Diagnostics;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Opening the client end: K1, and K2 as far as the readiness level has it.</summary>
public class ClientTests
{
    [Test]
    [Category("K1")]
    public void OpenClient_OfANameThatNobodyServes_IsNotFound()
    {
        string name = PipeNames.New();
        NamedPipeException e = Assert.Throws<NamedPipeException>(() => NamedPipe.OpenClient(name))!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.NotFound));
        Assert.That(e.NativeErrorCode, Is.EqualTo(2), "ERROR_FILE_NOT_FOUND, ENOENT");
        Assert.That(e.Message, Does.Contain(name));
    }

    [Test]
    [Category("K1")]
    public void OpenClient_OfANameThatWasServed_IsNotFoundAgain()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        PipePair.New(loop, new NamedPipeServerOptions { Name = name }).Dispose();
        NamedPipeException e = Assert.Throws<NamedPipeException>(() => NamedPipe.OpenClient(name))!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.NotFound));
    }

    [Test]
    [Category("K2")]
    public void OpenClient_WithATimeOfNobodyServing_TriesThatLongThenIsNotFound()
    {
        TimeSpan timeout = TimeSpan.FromMilliseconds(150);
        long start = Stopwatch.GetTimestamp();
        NamedPipeException e = Assert.Throws<NamedPipeException>(
            () => NamedPipe.OpenClient(new NamedPipeClientOptions { Name = PipeNames.New(), Timeout = timeout }))!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.NotFound));
        Assert.That(Stopwatch.GetElapsedTime(start), Is.InRange(timeout - TimeSpan.FromMilliseconds(20), Deadline.Step));
    }

    [Test]
    [Category("K2")]
    public void OpenClient_WithATime_FindsAServerThatComesLater()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        NamedPipe? opened = null;
        TestThread opener = TestThread.Start(() => opened = NamedPipe.OpenClient(
            new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }));
        using TestEnd server = loop.Add(NamedPipe.CreateServer(name));
        server.AwaitConnected();
        opener.Join();
        using TestEnd client = loop.Add(opened!);
        server.SendTo(client, 100, seed: 1);
    }

    [Test]
    [Category("K2")]
    public void OpenClient_WithInfiniteTime_FindsAServerThatComesLater()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        NamedPipe? opened = null;
        TestThread opener = TestThread.Start(() => opened = NamedPipe.OpenClient(
            new NamedPipeClientOptions { Name = name, Timeout = Timeout.InfiniteTimeSpan }));
        using TestEnd server = loop.Add(NamedPipe.CreateServer(name));
        server.AwaitConnected();
        opener.Join();
        opened!.Dispose();
        Assert.That(server.ReadToEnd(), Is.Empty);
    }

    [Test]
    [Category("K2")]
    public void OpenClient_WithAToken_EndsWhenItIsCancelled([Values] bool before)
    {
        string name = PipeNames.New();
        using CancellationTokenSource source = new();
        if (before)
        {
            source.Cancel();
        }

        Exception? caught = null;
        TestThread opener = TestThread.Start(() => caught = Assert.Catch(() => NamedPipe.OpenClient(
            new NamedPipeClientOptions { Name = name, Timeout = Timeout.InfiniteTimeSpan }, source.Token)));
        source.Cancel();
        opener.Join();
        Assert.That(caught, Is.InstanceOf<OperationCanceledException>());
        Assert.That(((OperationCanceledException)caught!).CancellationToken, Is.EqualTo(source.Token));
    }

    [Test]
    [Category("K2")]
    public void OpenClient_WithAToken_TriesAsLongAsOneWithout([Values] bool live)
    {
        using TestLoop loop = new();
        using CancellationTokenSource source = new();
        CancellationToken token = live ? source.Token : CancellationToken.None;
        string name = PipeNames.New();
        TimeSpan timeout = TimeSpan.FromMilliseconds(100);
        foreach (TimeSpan time in new[] { TimeSpan.Zero, timeout })
        {
            long start = Stopwatch.GetTimestamp();
            NamedPipeException e = Assert.Throws<NamedPipeException>(
                () => NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, Timeout = time }, token))!;
            Assert.That(e.Error, Is.EqualTo(NamedPipeError.NotFound));
            Assert.That(e.Message, Does.Contain(name));
            Assert.That(Stopwatch.GetElapsedTime(start), Is.GreaterThanOrEqualTo(time - TimeSpan.FromMilliseconds(20)));
        }

        NamedPipe? opened = null;
        TestThread opener = TestThread.Start(() => opened = NamedPipe.OpenClient(
            new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }, token));
        using TestEnd server = loop.Add(NamedPipe.CreateServer(name));
        server.AwaitConnected();
        opener.Join();
        using TestEnd client = loop.Add(opened!);
        server.SendTo(client, 100, seed: 1);
    }

    [Test]
    [Category("K1")]
    public void Client_TellsWhatItIs()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        Assert.That(pair.Server.Pipe.IsServer);
        Assert.That(pair.Client.Pipe.IsServer, Is.False);
        Assert.That(pair.Client.Pipe.Name, Is.EqualTo(pair.Server.Pipe.Name));
    }

    [Test]
    [Category("K1")]
    public void OpenClient_ByTheFullName_ReachesAServerOfTheShortOne()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        using TestEnd client = loop.Add(NamedPipe.OpenClient(PipeNames.FullNameOf(name)));
        server.AwaitConnected();
        client.SendTo(server, 100, seed: 1);
    }
}
