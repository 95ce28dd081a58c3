using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>A listener and clients whose processes are killed while they connect.</summary>
public class ListenerKillTests
{
    private const int ConnectionsBeforeTheKill = 20;

    private int _accepted;
    private int _ended;

    [Test]
    [Category("C6")]
    public async Task ClientsThatAreKilledInTheHandshake_ThenAGoodOneIsServed()
    {
        int kills = RunningSystem.Rounds(100, underWine: 3);
        _accepted = _ended = 0;
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        Task accepting = Task.Run(() => AcceptAllAsync(listener));
        for (int i = 0; i < kills; i++)
        {
            using VanishingClient client = VanishingClient.Start(name);
            int enough = Volatile.Read(ref _accepted) + ConnectionsBeforeTheKill;
            Deadline.WaitFor(() => Volatile.Read(ref _accepted) >= enough, "connections of the process");
            Thread.SpinWait(500 * i); // at any moment of a connect
            client.Kill();
        }

        using NamedPipeStream good = await NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }).InTime();
        await good.WriteAsync(new byte[] { 77 }).InTime();
        byte[] answer = new byte[1];
        Assert.That(await good.ReadAsync(answer).InTime(), Is.EqualTo(1));
        Assert.That(answer[0], Is.EqualTo(77));

        // Those that were killed have ended, too, all of them.
        good.Dispose();
        Deadline.WaitFor(() => Volatile.Read(ref _ended) == Volatile.Read(ref _accepted), "the end of every connection");
        listener.Stop();
        await accepting.InTime();
        TestContext.Out.WriteLine($"{kills} processes killed, {_accepted} connections");
    }

    private async Task AcceptAllAsync(NamedPipeListener listener)
    {
        await foreach (NamedPipeStream stream in listener.AcceptAllAsync())
        {
            Interlocked.Increment(ref _accepted);
            _ = Task.Run(() => EchoAsync(stream));
        }
    }

    private async Task EchoAsync(NamedPipeStream stream)
    {
        byte[] buffer = new byte[16];
        try
        {
            for (int count; (count = await stream.ReadAsync(buffer)) > 0;)
            {
                await stream.WriteAsync(buffer.AsMemory(0, count));
            }
        }
        catch (IOException)
        {
            // A break is an end, too.
        }
        finally
        {
            stream.Abort();
            Interlocked.Increment(ref _ended);
        }
    }
}
