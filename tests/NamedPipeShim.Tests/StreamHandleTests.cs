using NamedPipeShim.Async;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>The system's handle while a stream uses it, as the drain on Windows does to duplicate it.</summary>
public class StreamHandleTests
{
    public enum Ending
    {
        Close,
        Abort,
        PipeClose,
        PipeAbort,
        PipeDispose,
    }

    [Test]
    [Category("X2")]
    public async Task AHandleInUse_IsClosedByNobody_UntilTheUseIsOver([Values] Ending ending)
    {
        await using NamedPipeEventLoop loop = new();
        using NamedPipe server = NamedPipe.CreateServer(PipeNames.New());
        using NamedPipe pipe = NamedPipe.OpenClient(server.Name!);
        StreamClient client = new(pipe, loop);
        Thread? closing = null;
        _ = client.UseOSHandle(handle =>
        {
            closing = new Thread(() => Close(client, ending)) { IsBackground = true };
            closing.Start();
            Deadline.WaitFor(
                () => closing.ThreadState.HasFlag(ThreadState.WaitSleepJoin) || !closing.IsAlive, "the close to wait or end");
            Assert.That(closing.IsAlive, Is.True, "it waits for us");
            Assert.That(OSHandles.IsOpen(handle), Is.True);
            return handle;
        });
        Assert.That(closing!.Join(Deadline.Step), Is.True);
        Assert.Throws<ObjectDisposedException>(() => client.UseOSHandle(handle => handle));
        client.Close(linger: null, nameof(NamedPipeStream));
    }

    private static void Close(StreamClient client, Ending ending)
    {
        switch (ending)
        {
            case Ending.Close:
                client.Close(NamedPipe.DefaultLinger, nameof(NamedPipeStream));
                break;
            case Ending.Abort:
                client.Close(linger: null, nameof(NamedPipeStream));
                break;
            case Ending.PipeClose:
                _ = client.Pipe.Close(TimeSpan.Zero);
                break;
            case Ending.PipeAbort:
                client.Pipe.Abort();
                break;
            default:
                client.Pipe.Dispose();
                break;
        }
    }
}
