using NamedPipeShim.Async;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Every exception of a pipe says which pipe it speaks of.</summary>
public class NameInMessagesTests
{
    [Test]
    public void EveryFailure_OfAPipe_NamesIt()
    {
        using TestLoop loop = new();
        using TestLoop other = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Add(NamedPipe.CreateServer(name));
        using NamedPipe unregistered = NamedPipe.CreateServer(name);
        using NamedPipe closed = NamedPipe.CreateServer(name);
        closed.Abort();
        using NamedPipe disposed = NamedPipe.CreateServer(name);
        disposed.Dispose();
        Action[] calls =
        [
            () => server.Pipe.TryRead(new byte[1], out _),
            () => server.Pipe.TryReadVector([new byte[1]], out _),
            () => server.Pipe.TryWrite(new byte[1], out _),
            () => server.Pipe.TryWriteVector([new byte[1]], out _),
            () => server.Pipe.TryPeek([], out _, out _),
            () => server.Pipe.TryCompleteWrites(),
            () => server.Pipe.GetPeerProcessId(),
            () => server.Pipe.GetPeer(),
            () => server.Pipe.TryGetPeerUser(out _),
            () => server.Pipe.Register(other.Poller, 1, PipeInterest.Both),
            () => server.Pipe.Reregister(1, PipeInterest.None),
            () => server.Pipe.ExportHandle(),
            () => unregistered.Register(loop.Poller, 1, PipeInterest.OnDemand),
            () => unregistered.Reregister(1, PipeInterest.Both),
            () => unregistered.Deregister(),
            () => closed.TryRead(new byte[1], out _),
            () => closed.TryConnect(),
            () => closed.Close(TimeSpan.Zero),
            () => closed.Register(loop.Poller, 1, PipeInterest.Both),
            () => closed.GetInfo(),
            () => disposed.TryRead(new byte[1], out _),
            () => disposed.TryWrite(new byte[1], out _),
            () => disposed.GetInfo(),
            () => disposed.TakeError(),
            () => _ = disposed.UnsentBytes,
        ];
        for (int i = 0; i < calls.Length; i++)
        {
            Exception e = Assert.Catch(() => calls[i](), $"call {i}")!;
            Assert.That(e.Message, Does.Contain($"'{name}'"), $"call {i}");
        }
    }

    [Test]
    public void ADrainThatGetsNoHandle_NamesThePipe() =>
        Assert.That(StreamErrors.NotDuplicated(6, "some pipe").Message, Does.Contain("'some pipe'"));

    [Test]
    public void BrokenPipe_NamesThePipe()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Client.Dispose();
        NamedPipeException? e = null;
        Deadline.WaitFor(
            () =>
            {
                e = Caught(() => pair.Server.Pipe.TryWrite(new byte[1], out _));
                return e is not null;
            },
            "A failed write");
        Assert.That(e!.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
        Assert.That(e.Message, Does.Contain($"'{pair.Server.Pipe.Name}'"));
    }

    [Test]
    public void VeryLongNames_AreCutInMessages()
    {
        string name = new('x', 10_000);
        ArgumentException e = Assert.Throws<ArgumentException>(() => NamedPipe.CreateServer(name))!;
        Assert.That(e.Message, Has.Length.LessThan(1_000));
        Assert.That(e.Message, Does.Contain(new string('x', 200)));
    }

    private static NamedPipeException? Caught(Action call)
    {
        try
        {
            call();
            return null;
        }
        catch (NamedPipeException e)
        {
            return e;
        }
    }
}
