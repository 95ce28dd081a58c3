using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>NamedPipeListener: C6, C8, C9 for those who accept.</summary>
public class ListenerTests
{
    [Test]
    public async Task EachClient_GetsAStreamOfItsOwn()
    {
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        for (int i = 0; i < 20; i++)
        {
            using NamedPipeStream client = await ConnectAsync(name);
            using NamedPipeStream server = await listener.AcceptAsync().InTime();
            await client.WriteAsync(new[] { (byte)i }).InTime();
            byte[] received = new byte[1];
            await server.ReadExactlyAsync(received).InTime();
            Assert.That(received[0], Is.EqualTo(i));
        }
    }

    [Test]
    public async Task ManyClientsAtOnce_AreAllServed()
    {
        int clients = RunningSystem.Rounds(200, underWine: 30);
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        Task serving = ServeAsync(listener, clients);
        Task[] all = [.. Enumerable.Range(0, clients).Select(i => Task.Run(() => EchoAsync(name, i)))];
        await Task.WhenAll(all).InTime();
        await serving.InTime();
    }

    [Test]
    public async Task ClientsThatConnectAndVanish_DoNotEndTheListener()
    {
        int clients = RunningSystem.Rounds(1_000, underWine: 100);
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        Task accepting = Task.Run(async () =>
        {
            while (true)
            {
                using NamedPipeStream server = await listener.AcceptAsync();
                byte[] buffer = new byte[1];
                if (await server.ReadAsync(buffer) == 1)
                {
                    await server.WriteAsync(buffer);
                    return;
                }
            }
        });
        for (int i = 0; i < clients; i++)
        {
            (await ConnectAsync(name)).Abort();
        }

        using NamedPipeStream good = await ConnectAsync(name);
        await good.WriteAsync(new byte[] { 1 }).InTime();
        Assert.That(await good.ReadAsync(new byte[1]).InTime(), Is.EqualTo(1));
        await accepting.InTime();
    }

    [Test]
    public async Task Accept_IsCancelled_AndNoClientIsLostByIt()
    {
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        using CancellationTokenSource source = new();
        Task<NamedPipeStream> accepting = listener.AcceptAsync(source.Token).AsTask();
        source.Cancel();
        Assert.CatchAsync<OperationCanceledException>(() => accepting.InTime());
        using NamedPipeStream client = await ConnectAsync(name);
        using NamedPipeStream server = await listener.AcceptAsync().InTime();
        Assert.That(server.IsConnected, Is.True);
    }

    [Test]
    public async Task Stop_WakesEveryWaiterAndFreesTheName([Values] bool disposed)
    {
        string name = PipeNames.New();
        NamedPipeListener listener = NamedPipeListener.Listen(name);
        Task<NamedPipeStream>[] waiters = [.. Enumerable.Range(0, 3).Select(_ => listener.AcceptAsync().AsTask())];
        Task<int> enumerating = CountAsync(listener);
        if (disposed)
        {
            await listener.DisposeAsync();
        }
        else
        {
            listener.Stop();
        }

        listener.Stop();
        listener.Dispose();
        foreach (Task<NamedPipeStream> waiter in waiters)
        {
            Assert.ThrowsAsync<ObjectDisposedException>(() => waiter.InTime());
        }

        Assert.That(await enumerating.InTime(), Is.Zero);
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await listener.AcceptAsync());
        using NamedPipe next = NamedPipe.CreateServer(new NamedPipeServerOptions { Name = name, FirstInstance = true });
    }

    [Test]
    public async Task Stop_LeavesTheClientsThatHaveConnected_DisposeDoesNot([Values] bool disposed)
    {
        string name = PipeNames.New();
        using NamedPipeListener listener = NamedPipeListener.Listen(name);
        using NamedPipeStream first = await ConnectAsync(name);
        using NamedPipeStream accepted = await listener.AcceptAsync().InTime();
        using NamedPipeStream second = await ConnectAsync(name);
        await second.WriteAsync(new byte[] { 2 }).InTime();
        using NamedPipeStream third = await ConnectAsync(name);
        using (NamedPipeStream also = await listener.AcceptAsync().InTime())
        {
            Assert.That(also.IsConnected, Is.True);
        }

        Deadline.WaitFor(() => listener.ConnectedCount == 1, "the last client's instance");
        if (disposed)
        {
            listener.Dispose();
        }
        else
        {
            listener.Stop();
        }

        // The accepted ones are their owners'.
        await first.WriteAsync(new byte[] { 1 }).InTime();
        Assert.That(await accepted.ReadAsync(new byte[1]).InTime(), Is.EqualTo(1));
        if (disposed)
        {
            Assert.That(await third.ReadAsync(new byte[1]).InTime(), Is.Zero);
        }
    }

    [Test]
    public void AnotherListenerOfTheName_IsRefusedIfItWantsToBeTheFirst()
    {
        string name = PipeNames.New();
        using NamedPipeListener listener = NamedPipeListener.Listen(name);
        if (!RunningSystem.IsWine)
        {
            NamedPipeException error = Assert.Throws<NamedPipeException>(() => NamedPipeListener.Listen(
                new NamedPipeServerOptions { Name = name, FirstInstance = true }))!;
            Assert.That(error.Error, Is.EqualTo(NamedPipeError.AccessDenied));
        }
    }

    [Test]
    public async Task MaxInstances_IsKept_AndAFreedOneIsServedAgain()
    {
        string name = PipeNames.New();
        await using NamedPipeListener listener =
            NamedPipeListener.Listen(new NamedPipeServerOptions { Name = name, MaxInstances = 1 });
        for (int i = 0; i < 3; i++)
        {
            using NamedPipeStream client = await ConnectAsync(name);
            using NamedPipeStream server = await listener.AcceptAsync().InTime();
            Assert.That(server.IsConnected, Is.True);
        }
    }

    [Test]
    public async Task SystemIOPipesClients_AreServed()
    {
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        using NamedPipeClientStream client = new(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
        await client.ConnectAsync().InTime();
        using NamedPipeStream server = await listener.AcceptAsync().InTime();
        await client.WriteAsync(new byte[] { 3 }).InTime();
        byte[] received = new byte[1];
        await server.ReadExactlyAsync(received).InTime();
        await server.WriteAsync(received).InTime();
        await client.ReadExactlyAsync(received).InTime();
        Assert.That(received[0], Is.EqualTo(3));
    }

    private static ValueTask<NamedPipeStream> ConnectAsync(string name) => NamedPipeStream.ConnectAsync(
        new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step });

    private static async Task ServeAsync(NamedPipeListener listener, int clients)
    {
        List<Task> serving = [];
        await foreach (NamedPipeStream stream in listener.AcceptAllAsync())
        {
            serving.Add(Task.Run(async () =>
            {
                await using (stream)
                {
                    byte[] buffer = new byte[1_000];
                    for (int count; (count = await stream.ReadAsync(buffer)) > 0;)
                    {
                        await stream.WriteAsync(buffer.AsMemory(0, count));
                    }
                }
            }));
            if (serving.Count == clients)
            {
                break;
            }
        }

        await Task.WhenAll(serving);
    }

    private static async Task EchoAsync(string name, int seed)
    {
        await using NamedPipeStream client = await ConnectAsync(name);
        byte[] bytes = Pattern.Of(3_000, seed);
        byte[] back = new byte[bytes.Length];
        await client.WriteAsync(bytes);
        await client.ReadExactlyAsync(back);
        Assert.That(back.AsSpan().SequenceEqual(bytes), Is.True);
    }

    private static async Task<int> CountAsync(NamedPipeListener listener)
    {
        int count = 0;
        await foreach (NamedPipeStream stream in listener.AcceptAllAsync())
        {
            await stream.DisposeAsync();
            count++;
        }

        return count;
    }
}
