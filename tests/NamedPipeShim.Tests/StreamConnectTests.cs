using System.Diagnostics;
using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>ConnectAsync: K1, K2 without a thread that waits.</summary>
public class StreamConnectTests
{
    [Test]
    [Category("K1")]
    public void NobodyServes_OneTry_NotFound()
    {
        NamedPipeException error = Assert.ThrowsAsync<NamedPipeException>(
            async () => await NamedPipeStream.ConnectAsync(PipeNames.New()))!;
        Assert.That(error.Error, Is.EqualTo(NamedPipeError.NotFound));
    }

    [Test]
    [Category("K2")]
    public void NobodyServes_WithATimeout_TimedOutAndWhy()
    {
        NamedPipeClientOptions options = new() { Name = PipeNames.New(), Timeout = TimeSpan.FromMilliseconds(60) };
        Stopwatch time = Stopwatch.StartNew();
        NamedPipeException error = Assert.ThrowsAsync<NamedPipeException>(
            async () => await NamedPipeStream.ConnectAsync(options))!;
        Assert.That(error.Error, Is.EqualTo(NamedPipeError.TimedOut));
        Assert.That((error.InnerException as NamedPipeException)?.Error, Is.EqualTo(NamedPipeError.NotFound));
        Assert.That(error.Message, Does.Contain(options.Name));
        Assert.That(time.ElapsedMilliseconds, Is.GreaterThanOrEqualTo(55));
    }

    [Test]
    public async Task AServerThatComesLater_IsFound()
    {
        string name = PipeNames.New();
        Task<NamedPipeStream> connecting = NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }).AsTask();
        Assert.That(connecting.IsCompleted, Is.False);
        await using NamedPipeListener listener = NamedPipeListener.Listen(name);
        using NamedPipeStream client = await connecting.InTime();
        using NamedPipeStream server = await listener.AcceptAsync().InTime();
        Assert.That(client.Name, Is.EqualTo(name));
    }

    [Test]
    public void Waiting_IsCancelledSoon()
    {
        using CancellationTokenSource source = new();
        NamedPipeClientOptions options = new() { Name = PipeNames.New(), Timeout = Timeout.InfiniteTimeSpan };
        Task<NamedPipeStream> connecting = NamedPipeStream.ConnectAsync(options, cancellationToken: source.Token).AsTask();
        source.Cancel();
        OperationCanceledException error =
            Assert.CatchAsync<OperationCanceledException>(() => connecting.InTime())!;
        Assert.That(error.CancellationToken, Is.EqualTo(source.Token));
    }

    [Test]
    public void BadOptions_AreNamed()
    {
        Assert.CatchAsync<ArgumentException>(async () => await NamedPipeStream.ConnectAsync(string.Empty));
        Assert.CatchAsync<ArgumentException>(async () => await NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = "a", Direction = (PipeDirection)7 }));
    }

    [Test]
    public async Task ASystemIOPipesServer_IsReached()
    {
        string name = PipeNames.New();
        using NamedPipeServerStream server =
            new(name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        Task waiting = server.WaitForConnectionAsync();
        using NamedPipeStream client = await NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }).InTime();
        await waiting.InTime();
        await client.WriteAsync(new byte[] { 4 }).InTime();
        byte[] received = new byte[1];
        await server.ReadExactlyAsync(received).InTime();
        Assert.That(received[0], Is.EqualTo(4));
    }
}
