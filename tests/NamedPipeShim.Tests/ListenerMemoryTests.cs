using System.Runtime.CompilerServices;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What a listener remembers of the streams that it has handed out. Its memory is the same on both systems.</summary>
[LinuxTests]
public class ListenerMemoryTests
{
    [Test]
    public async Task AStreamThatItsProgramForgot_IsCollected_ThoughTheListenerRuns([Values] bool acceptWaits)
    {
        string name = PipeNames.New();
        await using NamedPipeListener listener =
            NamedPipeListener.Listen(new NamedPipeServerOptions { Name = name, MaxInstances = 2 });
        Task? forgetting = acceptWaits ? ForgetAsync(listener) : null;
        using NamedPipeStream client = await NamedPipeStream.ConnectAsync(name).InTime();
        await (forgetting ?? ForgetAsync(listener));
        forgetting = null;
        await Task.Yield(); // off the stack of what knew the stream
        Task<int> ending = client.ReadAsync(new byte[1]).AsTask();
        Deadline.WaitFor(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return ending.IsCompleted;
            },
            "the end of the stream");
        Assert.That(await ending, Is.Zero);
    }

    [Test]
    public async Task AListenerThatItsProgramForgot_GoesOnWhileAnAcceptWaits([Values] bool all)
    {
        string name = PipeNames.New();
        BeginToServe(name, all);
        await Task.Yield(); // off the stack of what knew the listener
        WeakReference<object> other = Forgotten();
        Deadline.WaitFor(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return !other.TryGetTarget(out _);
            },
            "a collection of what was forgotten");
        using NamedPipeStream client = await NamedPipeStream.ConnectAsync(name).InTime();
        Assert.That(await client.ReadAsync(new byte[1]).InTime(), Is.EqualTo(1));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference<object> Forgotten() => new(new object());

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void BeginToServe(string name, bool all) => _ = ServeAsync(NamedPipeListener.Listen(name), all);

    private static async Task ServeAsync(NamedPipeListener listener, bool all)
    {
        if (!all)
        {
            using NamedPipeStream only = await listener.AcceptAsync();
            await only.WriteAsync(new byte[1]);
            return;
        }

        await foreach (NamedPipeStream stream in listener.AcceptAllAsync())
        {
            await stream.WriteAsync(new byte[1]);
            listener.Stop();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task ForgetAsync(NamedPipeListener listener)
    {
        NamedPipeStream stream = await listener.AcceptAsync().InTime();
        Assert.That(stream.IsConnected, Is.True);
    }
}
