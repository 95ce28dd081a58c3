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

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task ForgetAsync(NamedPipeListener listener)
    {
        NamedPipeStream stream = await listener.AcceptAsync().InTime();
        Assert.That(stream.IsConnected, Is.True);
    }
}
