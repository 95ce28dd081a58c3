using System.Collections.Concurrent;
using System.IO.Pipes;
using System.Net.Sockets;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Listeners among clients that misbehave, and under calls that cross each other.</summary>
public class ListenerRaceTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(150);

    [Test]
    [Category("C6")]
    public async Task ClientsThatVanish_SomeInTheHandshake_ThenAGoodOneIsServed()
    {
        int clients = RunningSystem.Rounds(10_000, underWine: 500);
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        Task<int> serving = Task.Run(() => ServeUntilTheGoodOneAsync(listener));
        for (int i = 0; i < clients; i++)
        {
            Vanish(name, i);
        }

        using NamedPipeStream good = await ConnectAsync(name);
        await good.WriteAsync(new byte[] { 77 }).InTime();
        byte[] answer = new byte[1];
        Assert.That(await good.ReadAsync(answer).InTime(), Is.EqualTo(1));
        Assert.That(answer[0], Is.EqualTo(77));
        TestContext.Out.WriteLine($"{clients} clients vanished, {await serving.WaitAsync(s_limit)} of them were accepted first");
    }

    [Test]
    [Category("C8")]
    public async Task AClientInATightLoop_NeverFindsTheNameMissing([Values(1, 4)] int instancesAhead)
    {
        int rounds = RunningSystem.Rounds(3_000, underWine: 200);
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(
            new NamedPipeServerOptions { Name = name }, new NamedPipeListenerOptions { InstancesAhead = instancesAhead });
        Task serving = Task.Run(async () =>
        {
            await foreach (NamedPipeStream stream in listener.AcceptAllAsync())
            {
                stream.Abort();
            }
        });
        Task[] clients = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            int connected = 0;
            Deadline deadline = Deadline.New();
            while (connected < rounds)
            {
                try
                {
                    using NamedPipeStream client = await NamedPipeStream.ConnectAsync(name).ConfigureAwait(false);
                    connected++;
                    client.Abort();
                    deadline = Deadline.New();
                }
                catch (NamedPipeException error)
                {
                    Assert.That(error.Error, Is.EqualTo(NamedPipeError.PipeBusy), error.Message);
                    deadline.Check("a connection");
                }
            }
        }))];
        await Task.WhenAll(clients).WaitAsync(s_limit);
        listener.Stop();
        await serving.InTime();
    }

    [Test]
    public async Task AcceptsThatAreCancelled_WhileClientsCome_LoseNone()
    {
        int clients = RunningSystem.Rounds(2_000, underWine: 150);
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        int cancelled = 0;
        HashSet<int> seen = [];
        Task accepting = Task.Run(async () =>
        {
            int spins = 0;
            while (seen.Count < clients)
            {
                using CancellationTokenSource source = new();
                Task cancelling = Task.Run(() =>
                {
                    Thread.SpinWait(spins);
                    source.Cancel();
                });
                try
                {
                    await using NamedPipeStream server = await listener.AcceptAsync(source.Token);
                    byte[] number = new byte[4];
                    await server.ReadExactlyAsync(number);
                    Assert.That(seen.Add(BitConverter.ToInt32(number)), Is.True, "served twice");
                    spins = Math.Max(0, spins - 1);
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref cancelled);
                    spins = Math.Min(20_000, spins + 20);
                }

                await cancelling;
            }
        });
        Deadline.WaitFor(() => Volatile.Read(ref cancelled) > 0, "the race's other outcome");
        for (int i = 0; i < clients; i++)
        {
            await using NamedPipeStream client = await ConnectAsync(name);
            await client.WriteAsync(BitConverter.GetBytes(i));
        }

        await accepting.WaitAsync(s_limit);
        Assert.That(seen, Has.Count.EqualTo(clients));
    }

    [Test]
    public async Task StopDisposeAcceptAndConnect_Crossing_AllEnd()
    {
        int rounds = RunningSystem.Rounds(200, underWine: 20);
        for (int round = 0; round < rounds; round++)
        {
            string name = PipeNames.New();
            NamedPipeListener listener = NamedPipeListener.Listen(name);
            ConcurrentBag<NamedPipeStream> streams = [];
            Task[] all =
            [
                Task.Run(() => AcceptAsync(listener, streams)),
                Task.Run(() => AcceptAsync(listener, streams)),
                Task.Run(() => ConnectOrNotAsync(name, streams)),
                Task.Run(() => ConnectOrNotAsync(name, streams)),
                Task.Run(listener.Stop),
                Task.Run(listener.Dispose),
                Task.Run(() => listener.DisposeAsync().AsTask()),
            ];
            await Task.WhenAll(all).InTime();
            foreach (NamedPipeStream stream in streams)
            {
                stream.Abort();
            }

            using NamedPipe next = NamedPipe.CreateServer(new NamedPipeServerOptions { Name = name });
        }
    }

    private static async Task<int> ServeUntilTheGoodOneAsync(NamedPipeListener listener)
    {
        byte[] buffer = new byte[1];
        for (int others = 0; ; others++)
        {
            using NamedPipeStream server = await listener.AcceptAsync().ConfigureAwait(false);
            int count;
            try
            {
                count = await server.ReadAsync(buffer).ConfigureAwait(false);
            }
            catch (IOException)
            {
                continue;
            }

            if (count == 1 && buffer[0] == 77)
            {
                await server.WriteAsync(buffer).ConfigureAwait(false);
                return others;
            }
        }
    }

    // As a program that is killed: at once, behind a byte, and before anybody has accepted it.
    private static void Vanish(string name, int kind)
    {
        if (kind % 3 == 0 && !OperatingSystem.IsWindows())
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            try
            {
                socket.Connect(new UnixDomainSocketEndPoint(PipeNames.FullNameOf(name)));
            }
            catch (SocketException)
            {
                // The queue is full: it vanishes all the same.
            }
        }
        else if (kind % 3 == 1)
        {
            using NamedPipeClientStream client = new(".", name, PipeDirection.InOut);
            client.Connect((int)Deadline.Step.TotalMilliseconds);
            client.WriteByte(1);
        }
        else
        {
            using NamedPipe client =
                NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step });
            client.Abort();
        }
    }

    private static async Task AcceptAsync(NamedPipeListener listener, ConcurrentBag<NamedPipeStream> streams)
    {
        try
        {
            while (true)
            {
                streams.Add(await listener.AcceptAsync());
            }
        }
        catch (ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private static async Task ConnectOrNotAsync(string name, ConcurrentBag<NamedPipeStream> streams)
    {
        try
        {
            for (int i = 0; i < 20; i++)
            {
                streams.Add(await NamedPipeStream.ConnectAsync(name));
                await Task.Yield();
            }
        }
        catch (NamedPipeException)
        {
            // Not found, or busy.
        }
    }

    private static ValueTask<NamedPipeStream> ConnectAsync(string name) => NamedPipeStream.ConnectAsync(
        new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step });
}
