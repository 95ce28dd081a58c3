using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What a listener that has stopped leaves of its name, and one that runs must not give up (C10).</summary>
[Category("C10")]
public class ListenerStopTests
{
    [Test]
    public async Task AnAccept_EndsWithTheLoop_ThoughNoInstanceWaits([Values] bool before)
    {
        NamedPipeEventLoop loop = new();
        string name = PipeNames.New();
        using NamedPipeListener listener = NamedPipeListener.Listen(
            new NamedPipeServerOptions { Name = name, MaxInstances = 1 }, new NamedPipeListenerOptions { EventLoop = loop });
        ValueTask<NamedPipeStream> first = listener.AcceptAsync();
        using NamedPipeStream client = await NamedPipeStream.ConnectAsync(name).InTime();
        using NamedPipeStream server = await first.InTime(); // the only instance that there may be
        Task<NamedPipeStream>? accept = before ? listener.AcceptAsync().AsTask() : null;
        await loop.DisposeAsync().AsTask().InTime();
        accept ??= listener.AcceptAsync().AsTask();
        Assert.ThrowsAsync<ObjectDisposedException>(() => accept.InTime());
    }

    private static NamedPipeError NobodyListens =>
        OperatingSystem.IsWindows() ? NamedPipeError.PipeBusy : NamedPipeError.NotFound;

    [Test]
    public async Task Stop_WithStreamsThatLive_EndsTheNameAtOnce(
        [Values(1, 4)] int instancesAhead, [Values(3, NamedPipeServerOptions.UnlimitedInstances)] int most, [Values] bool disposed)
    {
        string name = PipeNames.New();
        using NamedPipeListener listener = NamedPipeListener.Listen(
            new NamedPipeServerOptions { Name = name, MaxInstances = most },
            new NamedPipeListenerOptions { InstancesAhead = instancesAhead });
        List<(NamedPipeStream Server, NamedPipeStream Client)> pairs = [];
        for (int i = 0; i < 3; i++)
        {
            pairs.Add(await NewPairAsync(listener));
        }

        if (disposed)
        {
            listener.Dispose();
        }
        else
        {
            listener.Stop();
        }

        AssertNobodyListens(name);
        foreach ((NamedPipeStream server, NamedPipeStream client) in pairs)
        {
            await ExchangeAsync(server, client);
        }

        AssertNobodyListens(name);
        foreach ((NamedPipeStream server, NamedPipeStream client) in pairs)
        {
            server.Abort();
            client.Abort();
        }

        using NamedPipe next = NamedPipe.CreateServer(new NamedPipeServerOptions { Name = name, FirstInstance = true });
    }

    [Test]
    public async Task AStreamThatWasAcceptedAfterStop_KeepsNoNameEither()
    {
        string name = PipeNames.New();
        using NamedPipeListener listener = NamedPipeListener.Listen(name);
        using NamedPipeStream client = await ConnectAsync(name);
        Deadline.WaitFor(() => listener.ConnectedCount == 1, "the client's instance");
        listener.Stop();
        AssertNobodyListens(name);
        using NamedPipeStream server = await listener.AcceptAsync().InTime();
        await ExchangeAsync(server, client);
        AssertNobodyListens(name);
    }

    [Test]
    public async Task AfterStop_AnotherListenerOfTheName_ServesBesideTheOldStreams()
    {
        string name = PipeNames.New();
        using NamedPipeListener listener = NamedPipeListener.Listen(name);
        (NamedPipeStream server, NamedPipeStream client) = await NewPairAsync(listener);
        listener.Stop();
        await using NamedPipeListener next = NamedPipeListener.Listen(
            new NamedPipeServerOptions { Name = name, FirstInstance = !OperatingSystem.IsWindows() });
        (NamedPipeStream newServer, NamedPipeStream newClient) = await NewPairAsync(next);
        await ExchangeAsync(server, client);
        await ExchangeAsync(newServer, newClient);
        server.Dispose();
        Assert.That(await client.ReadAsync(new byte[1]).InTime(), Is.Zero);
        (NamedPipeStream lastServer, NamedPipeStream lastClient) = await NewPairAsync(next); // the old one's end is not the name's
        await ExchangeAsync(lastServer, lastClient);
        foreach (NamedPipeStream stream in new[] { client, newServer, newClient, lastServer, lastClient })
        {
            stream.Abort();
        }
    }

    [Test]
    public async Task ClientsThatTheSystemHasQueued_SeeTheEndAtStop()
    {
        string name = PipeNames.New();
        using NamedPipeListener listener = NamedPipeListener.Listen(
            new NamedPipeServerOptions { Name = name, MaxInstances = 1 });
        (NamedPipeStream server, NamedPipeStream client) = await NewPairAsync(listener);
        List<NamedPipeStream> queued = [];
        for (int i = 0; i < 3; i++)
        {
            if (await TryConnectAsync(name) is { } stream) // Windows has no queue
            {
                queued.Add(stream);
            }
        }

        Assert.That(queued, Has.Count.EqualTo(OperatingSystem.IsWindows() ? 0 : 3));
        Task<int>[] reading = [.. queued.Select(stream => stream.ReadAsync(new byte[1]).AsTask())];
        listener.Stop();
        foreach (Task<int> read in reading)
        {
            Assert.That(await read.InTime(), Is.Zero);
        }

        await ExchangeAsync(server, client);
        queued.ForEach(stream => stream.Abort());
        server.Abort();
        client.Abort();
    }

    [Test]
    public async Task ClientsThatComeAmongStops_AreServedOrSeeTheEnd([Values(1, 4)] int instancesAhead)
    {
        int rounds = RunningSystem.Rounds(300, underWine: 30);
        for (int i = 0; i < rounds; i++)
        {
            string name = PipeNames.New();
            NamedPipeListener listener = NamedPipeListener.Listen(
                new NamedPipeServerOptions { Name = name },
                new NamedPipeListenerOptions { InstancesAhead = instancesAhead });
            (NamedPipeStream server, NamedPipeStream client) = await NewPairAsync(listener); // it lives while the others ask
            Task<List<NamedPipeStream>> serving = ServeAsync(listener);
            Task[] clients = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(() => AskAsync(name)))];
            Thread.SpinWait(i * 100);
            listener.Stop();
            AssertNobodyListens(name, anEndIsGood: true);
            await Task.WhenAll(clients).InTime();
            await ExchangeAsync(server, client);
            listener.Dispose();
            (await serving.InTime()).ForEach(stream => stream.Abort());
            server.Abort();
            client.Abort();
        }
    }

    [Test]
    public async Task WhileTheListenerRuns_TheNameStays_WhicheverStreamEnds(
        [Values(1, 2, NamedPipeServerOptions.UnlimitedInstances)] int most, [Values] bool oldest)
    {
        // Where the number is limited each round waits until the listener tries again to make an instance.
        int rounds = RunningSystem.Rounds(most == NamedPipeServerOptions.UnlimitedInstances ? 200 : 15, underWine: 15);
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(
            new NamedPipeServerOptions { Name = name, MaxInstances = most },
            new NamedPipeListenerOptions { InstancesAhead = 1 });
        List<(NamedPipeStream Server, NamedPipeStream Client)> pairs = [];
        for (int i = 0; i < rounds; i++)
        {
            while (pairs.Count < (most == 1 ? 1 : 2))
            {
                pairs.Add(await NewPairAsync(listener));
            }

            int which = oldest ? 0 : pairs.Count - 1;
            pairs[which].Client.Abort();
            pairs[which].Server.Abort();
            pairs.RemoveAt(which);

            // With one instance at most nobody holds the name between two streams, but for the moment until the next is made.
            if (most != 1 && await TryConnectAsync(name, NobodyListens == NamedPipeError.PipeBusy) is { } stream)
            {
                pairs.Add((await listener.AcceptAsync().InTime(), stream));
            }
        }

        pairs.ForEach(pair => pair.Server.Abort());
        pairs.ForEach(pair => pair.Client.Abort());
    }

    [Test]
    public void Retire_IsForServersThatHaveAClient()
    {
        string name = PipeNames.New();
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(new NamedPipeServerOptions { Name = name });
        NamedPipeException error = Assert.Throws<NamedPipeException>(server.Pipe.Retire)!;
        Assert.That(error.Error, Is.EqualTo(NamedPipeError.NotConnected));
        using TestEnd client = loop.Add(NamedPipe.OpenClient(name));
        server.AwaitConnected();
        Assert.Throws<NotSupportedException>(client.Pipe.Retire);
        server.Pipe.Retire();
        server.Pipe.Retire();
        AssertNobodyListens(name);
        Assert.That(server.Pipe.TryConnect(), Is.EqualTo(PipeStatus.Ok));
        Assert.Throws<NotSupportedException>(() => server.Pipe.Disconnect(listen: true));
        Assert.Throws<NotSupportedException>(() => server.Pipe.TryConnect());
        Assert.That(server.Pipe.Disconnect(), Is.EqualTo(PipeStatus.Ok));
        server.Pipe.Retire();
        server.Pipe.Abort();
        Assert.Throws<ObjectDisposedException>(server.Pipe.Retire);
        server.Pipe.Dispose();
        Assert.Throws<ObjectDisposedException>(server.Pipe.Retire);
    }

    private static ValueTask<NamedPipeStream> ConnectAsync(string name) => NamedPipeStream.ConnectAsync(
        new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step });

    // One try.
    private static async Task<NamedPipeStream?> TryConnectAsync(string name, bool mayBeBusy = true)
    {
        try
        {
            return await NamedPipeStream.ConnectAsync(
                new NamedPipeClientOptions { Name = name, Timeout = TimeSpan.Zero }).InTime();
        }
        catch (NamedPipeException error)
        {
            Assert.That(error.Error, Is.EqualTo(NamedPipeError.PipeBusy));
            Assert.That(mayBeBusy, Is.True, "busy");
            return null;
        }
    }

    private static void AssertNobodyListens(string name, bool anEndIsGood = false)
    {
        try
        {
            using NamedPipe client = NamedPipe.OpenClient(name);
            Assert.That(anEndIsGood, Is.True, "a client has come in");
        }
        catch (NamedPipeException error)
        {
            Assert.That(error.Error, Is.EqualTo(NobodyListens));
        }
    }

    private static async Task<(NamedPipeStream Server, NamedPipeStream Client)> NewPairAsync(NamedPipeListener listener)
    {
        NamedPipeStream client = await ConnectAsync(listener.Name);
        return (await listener.AcceptAsync().InTime(), client);
    }

    private static async Task ExchangeAsync(NamedPipeStream one, NamedPipeStream other)
    {
        byte[] bytes = Pattern.Of(100);
        foreach ((NamedPipeStream from, NamedPipeStream to) in new[] { (one, other), (other, one) })
        {
            byte[] received = new byte[bytes.Length];
            await from.WriteAsync(bytes).InTime();
            await to.ReadExactlyAsync(received).InTime();
            Assert.That(received, Is.EqualTo(bytes));
        }
    }

    private static async Task<List<NamedPipeStream>> ServeAsync(NamedPipeListener listener)
    {
        List<NamedPipeStream> streams = [];
        await foreach (NamedPipeStream stream in listener.AcceptAllAsync())
        {
            streams.Add(stream);
            try
            {
                await stream.WriteAsync(new byte[] { 1 });
            }
            catch (NamedPipeException error)
            {
                Assert.That(error.Error, Is.EqualTo(NamedPipeError.BrokenPipe)); // it has left
            }
        }

        return streams;
    }

    // Served, or the end: never a read that waits for nothing while streams live.
    private static async Task AskAsync(string name)
    {
        try
        {
            await using NamedPipeStream client = await NamedPipeStream.ConnectAsync(name).ConfigureAwait(false);
            Assert.That(await client.ReadAsync(new byte[1]), Is.InRange(0, 1));
        }
        catch (NamedPipeException error)
        {
            Assert.That(error.Error, Is.EqualTo(NobodyListens).Or.EqualTo(NamedPipeError.PipeBusy));
        }
    }
}
