using System.Globalization;
using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What a stream knows of its other end; the half-close, the drain, and the handle underneath.</summary>
public class StreamPeerTests
{
    [Test]
    [Category("I1")]
    public async Task Peer_IsThisProcessAndUser()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        await pair.Client.WriteAsync(new byte[1]).InTime();
        await pair.Server.ReadExactlyAsync(new byte[1]).InTime();
        Assert.That(pair.Server.Peer.ProcessId, Is.EqualTo(Environment.ProcessId));
        Assert.That(pair.Client.Peer.ProcessId, Is.EqualTo(Environment.ProcessId));
        Assert.That(pair.Server.Peer.UserId, Is.Not.Null.And.EqualTo(pair.Client.Peer.UserId));
        pair.Server.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _ = pair.Server.Peer);
    }

    [Test]
    public async Task IsConnected_IsFalseOncePeerHasClosed_ThoughNobodyReads([Values] bool ofServer)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.End(ofServer);
        Assert.That(stream.IsConnected, Is.True);
        pair.End(!ofServer).Dispose();
        Deadline.WaitFor(() => !stream.IsConnected, "the news of the peer's end");
        Assert.That((stream.CanRead, stream.CanWrite), Is.EqualTo((true, true)), "it is open here");
    }

    [Test]
    public async Task IsConnected_StaysTrueWhileThereIsData_AndAfterItWasRead()
    {
        using StreamPair pair = await StreamPair.NewAsync();
        await pair.Client.WriteAsync(new byte[10]).InTime();
        Assert.That(pair.Server.IsConnected, Is.True);
        await pair.Server.ReadExactlyAsync(new byte[10]).InTime();
        Assert.That(pair.Server.IsConnected, Is.True);
        Assert.That(await pair.Server.ReadAsync(Memory<byte>.Empty, Cancelled).AsTask().ContinueWith(
            task => task.IsCanceled, TaskScheduler.Default), Is.True);
        Assert.That(pair.Server.IsConnected, Is.True);
    }

    [Test]
    [Category("W7")]
    public async Task CompleteWrites_EndsOneDirection([Values] bool ofServer, [Values] bool synchronous)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.End(ofServer);
        NamedPipeStream peer = pair.End(!ofServer);
        if (OperatingSystem.IsWindows())
        {
            Assert.ThrowsAsync<NotSupportedException>(async () => await stream.CompleteWritesAsync().InTime());
            Assert.Throws<NotSupportedException>(stream.CompleteWrites);
            Assert.That(stream.CanWrite, Is.True);
            return;
        }

        byte[] bytes = Pattern.Of(300_000);
        Task writing = stream.WriteAsync(bytes).AsTask(); // waits, and the completion behind it
        Task completing = synchronous ? Task.Run(stream.CompleteWrites) : stream.CompleteWritesAsync().AsTask();
        byte[] received = new byte[bytes.Length];
        await peer.ReadExactlyAsync(received).InTime();
        await writing.InTime();
        await completing.InTime();
        Assert.That(received, Is.EqualTo(bytes));
        Assert.That(await peer.ReadAsync(received).InTime(), Is.Zero);
        Assert.That((stream.CanRead, stream.CanWrite), Is.EqualTo((true, false)));
        Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.WriteAsync(new byte[1]));
        Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.CompleteWritesAsync());
        await peer.WriteAsync(new byte[] { 9 }).InTime();
        Assert.That(await stream.ReadAsync(received).InTime(), Is.EqualTo(1));
    }

    [Test]
    [Category("W7")]
    public async Task CompleteWrites_OfAMessageStream_IsTheEndOrAnEmptyMessage()
    {
        using StreamPair pair = await StreamPair.NewOfMessagesAsync();
        await pair.Client.WriteAsync(new byte[3]).InTime();
        await pair.Client.CompleteWritesAsync().InTime();
        byte[] room = new byte[5];
        Assert.That(await pair.Server.ReadMessageAsync(room).InTime(), Is.EqualTo(new PipeReadResult(3, true, false)));
        Assert.That(
            await pair.Server.ReadMessageAsync(room).InTime(),
            Is.EqualTo(OperatingSystem.IsWindows() ? new PipeReadResult(0, true, false) : new PipeReadResult(0, false, true)));
        Assert.ThrowsAsync<InvalidOperationException>(async () => await pair.Client.WriteAsync(new byte[1]));
    }

    [Test]
    [Category("W8")]
    public async Task Drain_EndsWhenThePeerHasReadAll([Values] bool ofServer)
    {
        using StreamPair pair = await StreamPair.NewAsync();
        NamedPipeStream stream = pair.End(ofServer);
        NamedPipeStream peer = pair.End(!ofServer);
        await stream.DrainAsync().InTime(); // nothing was written
        await stream.WriteAsync(Pattern.Of(5_000)).InTime();
        Task draining = stream.DrainAsync().AsTask();
        if (!OperatingSystem.IsWindows()) // there the peer's library has read ahead
        {
            Assert.That(draining.IsCompleted, Is.False);
        }

        byte[] received = new byte[5_000];
        await peer.ReadExactlyAsync(received).InTime();
        await draining.InTime();
        Assert.That(received, Is.EqualTo(Pattern.Of(5_000)));
    }

    [Test]
    [Category("W8")]
    public async Task Drain_IsCancelled_Disposed_AndToldOfThePeersEnd([Values(0, 1, 2)] int how)
    {
        // Without reading ahead, so that the bytes stay where they are on Windows too.
        using StreamPair pair = await StreamPair.NewAsync(new NamedPipeServerOptions { Name = PipeNames.New(), ReadAhead = 0 });
        using CancellationTokenSource source = new();
        await pair.Server.WriteAsync(new byte[5_000]).InTime();
        Task draining = pair.Server.DrainAsync(source.Token).AsTask();
        Assert.That(draining.IsCompleted, Is.False);
        switch (how)
        {
            case 0:
                source.Cancel();
                Assert.CatchAsync<OperationCanceledException>(() => draining.InTime());
                byte[] received = new byte[5_000];
                await pair.Client.ReadExactlyAsync(received).InTime();
                await pair.Server.DrainAsync().InTime();
                break;
            case 1:
                pair.Server.Abort();
                Assert.ThrowsAsync<ObjectDisposedException>(() => draining.InTime());
                break;
            default:
                pair.Client.Abort();
                try
                {
                    await draining.InTime();
                    Assert.That(RunningSystem.IsWine, Is.True, "its FlushFileBuffers calls that success, unless it came too late");
                }
                catch (NamedPipeException error)
                {
                    Assert.That(error.Error, Is.EqualTo(NamedPipeError.BrokenPipe));
                }

                break;
        }
    }

    [Test]
    public async Task Drain_OfAStreamThatOnlyReads_IsNotSupported()
    {
        using StreamPair pair = await StreamPair.NewAsync(
            new NamedPipeServerOptions { Name = PipeNames.New(), Direction = PipeDirection.In });
        Assert.ThrowsAsync<NotSupportedException>(async () => await pair.Server.DrainAsync().InTime());
    }

    [Test]
    public async Task FromHandle_TakesAConnectedPipe_AndLendsItsHandle()
    {
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        using SafePipeHandle handle = NamedPipe.OpenClient(name).ExportHandle();
        await using NamedPipeStream client = NamedPipeStream.FromHandle(handle);
        using NamedPipeStream server = await listener.AcceptAsync().InTime();
        Assert.That(handle.IsClosed, Is.True);
        Assert.That(client.Name, Is.Null);
        await client.WriteAsync(new byte[] { 3 }).InTime();
        byte[] received = new byte[1];
        await server.ReadExactlyAsync(received).InTime();
        Assert.That(received[0], Is.EqualTo(3));
        using (SafePipeHandle lent = client.SafePipeHandle)
        {
            Assert.That(lent.IsInvalid, Is.False);
        }

        await server.WriteAsync(received).InTime();
        await client.ReadExactlyAsync(received).InTime();
        client.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _ = client.SafePipeHandle);
    }

    [Test]
    public async Task AStreamOverAPipe_OwnsIt()
    {
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        NamedPipe pipe = NamedPipe.OpenClient(name);
        using NamedPipeStream client = new(pipe);
        Assert.That(client.Pipe, Is.SameAs(pipe));
        client.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pipe.TryRead(new byte[1], out _));
        using NamedPipeStream server = await listener.AcceptAsync().InTime();
        Assert.That(await server.ReadAsync(new byte[1]).InTime(), Is.Zero);
    }

    [Test]
    public async Task Peers_OfOtherPrograms_AreTold()
    {
        string name = PipeNames.New();
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        using NamedPipeClientStream client = new(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
        await client.ConnectAsync().InTime();
        using NamedPipeStream server = await listener.AcceptAsync().InTime();
        Assert.That(server.Peer.ProcessId, Is.EqualTo(Environment.ProcessId));
        if (!OperatingSystem.IsWindows())
        {
            Assert.That(uint.TryParse(server.Peer.UserId, CultureInfo.InvariantCulture, out _), Is.True);
        }
    }

    private static CancellationToken Cancelled => new(canceled: true);
}
