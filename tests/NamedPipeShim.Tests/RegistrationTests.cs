using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Which poller reports on a pipe, and what: P5, P6, P8, P9.</summary>
public class RegistrationTests
{
    [Test]
    [Category("P5")]
    public void Register_Twice_Throws()
    {
        using TestLoop loop = new();
        using TestLoop other = new();
        using TestEnd server = loop.Listen(PipeNames.New());
        Assert.Throws<InvalidOperationException>(() => server.Pipe.Register(loop.Poller, 9, PipeInterest.Both));
        Assert.Throws<InvalidOperationException>(() => server.Pipe.Register(other.Poller, 9, PipeInterest.Both));
        Assert.That(server.Pipe.Poller, Is.SameAs(loop.Poller));

        // It works as before, under its first token.
        using TestEnd client = loop.Add(NamedPipe.OpenClient(server.Pipe.Name!));
        server.AwaitConnected();
        client.SendTo(server, 100, seed: 1);
        Assert.That(loop.SeenOf(9), Is.EqualTo(PipeReadiness.None));
    }

    [Test]
    [Category("P5")]
    public void ReregisterAndDeregister_BeforeRegister_Throw()
    {
        using NamedPipe server = NamedPipe.CreateServer(PipeNames.New());
        Assert.That(server.Poller, Is.Null);
        Assert.Throws<InvalidOperationException>(() => server.Reregister(1, PipeInterest.Both));
        Assert.Throws<InvalidOperationException>(server.Deregister);
    }

    [Test]
    [Category("P5")]
    public void Deregister_Twice_Throws()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(PipeNames.New());
        server.Pipe.Deregister();
        Assert.Throws<InvalidOperationException>(server.Pipe.Deregister);
        Assert.Throws<InvalidOperationException>(() => server.Pipe.Reregister(1, PipeInterest.Both));
    }

    [Test]
    [Category("P5")]
    public void Register_AfterDeregister_WorksWithTheSamePollerOnly()
    {
        using TestLoop loop = new();
        using TestLoop other = new();
        using PipePair pair = PipePair.New(loop);
        for (int i = 0; i < 100; i++)
        {
            pair.Server.Pipe.Deregister();
            Assert.Throws<InvalidOperationException>(() => pair.Server.Pipe.Register(other.Poller, 1, PipeInterest.Both));
            pair.Server.Pipe.Register(loop.Poller, pair.Server.Token, PipeInterest.Both);
            pair.Client.SendTo(pair.Server, 100, i);
            pair.Server.SendTo(pair.Client, 100, i);
        }
    }

    [Test]
    [Category("P5")]
    public void Deregister_StopsEvents_ButNotReadingAndWriting()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        loop.PumpAll();
        pair.Server.Drain();
        pair.Server.Pipe.Deregister();
        loop.Forget();
        pair.Client.WriteAll([5]);
        Assert.That(pair.Server.Pipe.TryWrite([6], out _), Is.EqualTo(PipeStatus.Ok));
        Assert.That(pair.Client.ReadExactly(1), Is.EqualTo(new byte[] { 6 }));
        byte[] buffer = new byte[1];
        Deadline deadline = Deadline.New();
        while (pair.Server.Pipe.TryRead(buffer, out _) == PipeStatus.WouldBlock)
        {
            deadline.Check("The byte");
            loop.Pump(TimeSpan.FromMilliseconds(5));
        }

        Assert.That(buffer[0], Is.EqualTo(5));
        loop.PumpAll();
        Assert.That(pair.Server.Seen, Is.EqualTo(PipeReadiness.None));
    }

    [Test]
    [Category("P6")]
    public void Reregister_ReportsWhatIsReadyNow_UnderTheNewToken()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Server.Drain();
        pair.Client.WriteAll([1]);
        pair.Server.Await(PipeReadiness.Readable);
        loop.PumpAll();
        loop.Forget();
        pair.Server.Pipe.Reregister(1_234, PipeInterest.Both);
        PipeReadiness seen = PipeReadiness.None;
        while (seen != (PipeReadiness.Readable | PipeReadiness.Writable))
        {
            seen |= loop.Await(1_234, PipeReadiness.Readable | PipeReadiness.Writable);
        }

        Assert.That(pair.Server.Seen, Is.EqualTo(PipeReadiness.None), "the old token");
    }

    [Test]
    [Category("P6")]
    public void Reregister_AfterThePeerLeft_ReportsClosedAgain()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Client.Dispose();
        pair.Server.Await(PipeReadiness.Closed);
        loop.PumpAll();
        loop.Forget();
        pair.Server.Pipe.Reregister(pair.Server.Token, PipeInterest.Writable);
        pair.Server.Await(PipeReadiness.Closed);
    }

    [Test]
    [Category("P8")]
    public void Interest_InWritable_HidesReadable()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Server.Pipe.Reregister(pair.Server.Token, PipeInterest.Writable);
        loop.PumpAll();
        loop.Forget();
        pair.Server.Drain();
        pair.Client.WriteAll([1, 2, 3]);

        // The bytes have arrived when they can be read; no event may have said so.
        Deadline.WaitFor(
            () =>
            {
                loop.Pump(TimeSpan.Zero);
                return pair.Server.Pipe.TryRead(new byte[1], out _) == PipeStatus.Ok;
            },
            "The arrival of the bytes");
        loop.PumpAll();
        Assert.That(pair.Server.Seen & PipeReadiness.Readable, Is.EqualTo(PipeReadiness.None));

        // Interest in both tells of what is still there.
        pair.Server.Pipe.Reregister(pair.Server.Token, PipeInterest.Both);
        pair.Server.Await(PipeReadiness.Readable);
    }

    [Test]
    [Category("P8")]
    public void Interest_InReadable_HidesWritable()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Server.Pipe.Reregister(pair.Server.Token, PipeInterest.Readable);
        loop.PumpAll();
        loop.Forget();
        int size = pair.Server.WriteUntilFull(seed: 3);
        Pattern.Verify(pair.Client.ReadExactly(size), seed: 3);
        loop.PumpAll();
        Assert.That(pair.Server.Seen & PipeReadiness.Writable, Is.EqualTo(PipeReadiness.None));
        pair.Server.Pipe.Reregister(pair.Server.Token, PipeInterest.Both);
        pair.Server.Await(PipeReadiness.Writable);
    }

    [TestCase(PipeInterest.Readable)]
    [TestCase(PipeInterest.Writable)]
    [TestCase(PipeInterest.Both)]
    [Category("P8")]
    public void Closed_IsReported_WhateverTheInterest(PipeInterest interest)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Server.Pipe.Reregister(pair.Server.Token, interest);
        loop.PumpAll();
        loop.Forget();
        pair.Server.Drain();
        pair.Client.Dispose();
        pair.Server.Await(PipeReadiness.Closed);
    }

    [Test]
    [Category("P9")]
    public void Register_OfAConnectedPipe_YieldsWritableAndStartsReading()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(PipeNames.New());
        using NamedPipe client = NamedPipe.OpenClient(server.Pipe.Name!);
        server.AwaitConnected();
        server.WriteAll([42]);
        using TestEnd end = loop.Add(client);
        end.Await(PipeReadiness.Writable);
        end.Await(PipeReadiness.Readable);
        Assert.That(end.ReadExactly(1), Is.EqualTo(new byte[] { 42 }));
    }

    [Test]
    [Category("P9")]
    public void Register_OfAPipeWhosePeerHasLeft_TellsSo()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        using NamedPipe client = NamedPipe.OpenClient(name);
        server.AwaitConnected();
        server.WriteAll([42]);
        server.Dispose();
        using TestEnd end = loop.Add(client);
        Assert.That(end.ReadToEnd(), Is.EqualTo(new byte[] { 42 }));
        end.Await(PipeReadiness.Closed);
    }
}
