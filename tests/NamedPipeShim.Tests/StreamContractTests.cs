using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What every Stream owes: argument checks, directions, no seeking, behaviour at and after the end.</summary>
public class StreamContractTests
{
    [Test]
    public async Task BadArguments_AreRefused()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.Server;
        Assert.Throws<ArgumentNullException>(() => stream.ReadExactly(null!, 0, 0));
        Assert.Throws<ArgumentNullException>(() => stream.Write(null!, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.ReadExactly(new byte[1], -1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Write(new byte[1], -1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Write(new byte[1], 0, 2));
        Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => stream.WriteAsync(new byte[1], 1, 1, default));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.ReadTimeout = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.WriteTimeout = -2);
        Assert.Throws<ArgumentNullException>(() => _ = new NamedPipeStream(null!));
        Assert.ThrowsAsync<ArgumentNullException>(async () => await NamedPipeStream.ConnectAsync((NamedPipeClientOptions)null!));
    }

    [Test]
    public async Task Seeking_IsNotSupported()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.Client;
        Assert.That(stream.CanSeek, Is.False);
        Assert.That(stream.CanTimeout, Is.True);
        Assert.Throws<NotSupportedException>(() => _ = stream.Length);
        Assert.Throws<NotSupportedException>(() => _ = stream.Position);
        Assert.Throws<NotSupportedException>(() => stream.Position = 1);
        Assert.Throws<NotSupportedException>(() => stream.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => stream.SetLength(1));
    }

    [Test]
    public async Task ZeroLengthCalls_DoNothing()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        await pair.Server.WriteAsync(ReadOnlyMemory<byte>.Empty).InTime();
        pair.Server.Write([]);
        Assert.That(pair.Server.IsConnected, Is.True);
    }

    [Test]
    public async Task OneWayStreams_SayWhatTheyCannotDo()
    {
        using StreamPair pair = await StreamPair.NewAsync(
            new NamedPipeServerOptions { Name = PipeNames.New(), Direction = PipeDirection.In });
        Assert.That((pair.Server.CanRead, pair.Server.CanWrite), Is.EqualTo((true, false)));
        Assert.That((pair.Client.CanRead, pair.Client.CanWrite), Is.EqualTo((false, true)));
        Assert.ThrowsAsync<NotSupportedException>(async () => await pair.Server.WriteAsync(new byte[1]));
        Assert.ThrowsAsync<NotSupportedException>(async () => await pair.Client.ReadAsync(new byte[1]).InTime());
        await pair.Client.WriteAsync(new byte[] { 1 }).InTime();
        Assert.That(await pair.Server.ReadAsync(new byte[5]).InTime(), Is.EqualTo(1));
    }

    [Test]
    public async Task AfterDispose_EverythingSaysDisposed([Values] bool aborted)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.Server;
        if (aborted)
        {
            stream.Abort();
        }

        stream.Dispose();
        stream.Dispose();
        await stream.DisposeAsync().InTime();
        Assert.That((stream.CanRead, stream.CanWrite, stream.IsConnected), Is.EqualTo((false, false, false)));
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.ReadAsync(new byte[1]).InTime());
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.WriteAsync(new byte[1]));
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.FlushAsync());
        Assert.Throws<ObjectDisposedException>(() => stream.ReadByte());
        Assert.Throws<ObjectDisposedException>(() => stream.WriteByte(1));
        Assert.Throws<ObjectDisposedException>(() => stream.Flush());
    }

    [Test]
    public async Task Dispose_EndsWhatWaits([Values] bool aborted)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        ValueTask<int> first = pair.Server.ReadAsync(new byte[1]);
        ValueTask<int> second = pair.Server.ReadAsync(new byte[1]);
        ValueTask writing = pair.Server.WriteAsync(new byte[8 << 20]);
        Task blocked = Task.Run(() => pair.Client.ReadExactly(new byte[64 << 20]));
        if (aborted)
        {
            pair.Server.Abort();
        }
        else
        {
            pair.Server.Dispose();
        }

        Assert.ThrowsAsync<ObjectDisposedException>(async () => await first.InTime());
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await second.InTime());
        Assert.ThrowsAsync<ObjectDisposedException>(async () => await writing.InTime());
        Assert.ThrowsAsync<EndOfStreamException>(() => blocked.InTime());
    }

    [Test]
    public async Task WrittenBytes_ArriveAfterDispose([Values] bool asynchronously)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        byte[] bytes = Pattern.Of(60_000);
        await pair.Client.WriteAsync(bytes).InTime();
        if (asynchronously)
        {
            await pair.Client.DisposeAsync().InTime();
        }
        else
        {
            pair.Client.Dispose();
        }

        byte[] received = new byte[bytes.Length];
        await pair.Server.ReadExactlyAsync(received).InTime();
        Assert.That(received, Is.EqualTo(bytes));
        Assert.That(await pair.Server.ReadAsync(received).InTime(), Is.Zero);
    }

    [Test]
    public void APipeOfAnotherPoller_IsRefused()
    {
        using NamedPipePoller poller = new();
        using NamedPipe pipe = NamedPipe.CreateServer(PipeNames.New());
        pipe.Register(poller, 1, PipeInterest.Both);
        Assert.Throws<InvalidOperationException>(() => _ = new NamedPipeStream(pipe));
    }

    [Test]
    public async Task AStreamThatItsProgramForgot_IsCollectedAndItsPeerSeesTheEnd()
    {
        await using NamedPipeEventLoop loop = new();
        NamedPipeStream client = await ForgetServer(loop);
        ValueTask<int> reading = client.ReadAsync(new byte[1]);
        await Task.Yield(); // off the stack of what knew the other stream
        Deadline.WaitFor(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return reading.IsCompleted;
            },
            "the end of the stream");
        Assert.That(await reading, Is.Zero);
        client.Dispose();
    }

    private static async Task<NamedPipeStream> ForgetServer(NamedPipeEventLoop loop)
    {
        StreamPair pair = await StreamPair.NewAsync(loop);
        return pair.Client;
    }
}
