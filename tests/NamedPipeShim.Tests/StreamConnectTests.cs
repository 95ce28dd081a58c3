using System.Diagnostics;
using System.IO.Pipes;
using System.Net.Sockets;
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
    public async Task OptionsThatChangeMeanwhile_AreTheNextConnects()
    {
        await using NamedPipeListener other = NamedPipeListener.Listen(PipeNames.New());
        NamedPipeClientOptions options = new() { Name = PipeNames.New(), Timeout = Deadline.Step };
        Task<NamedPipeStream> connecting = NamedPipeStream.ConnectAsync(options).AsTask();
        string name = options.Name;
        options.Name = other.Name;
        options.Timeout = TimeSpan.Zero;
        using NamedPipeStream second = await NamedPipeStream.ConnectAsync(options).InTime();
        await using NamedPipeListener late = NamedPipeListener.Listen(name);
        using NamedPipeStream first = await connecting.InTime();
        Assert.That(first.Name, Is.EqualTo(name));
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

    [Test]
    [Category("K1")]
    public async Task ABusyServer_IsToldFromAMissingOne_AndFromATimeout()
    {
        string name = PipeNames.New();
        using BusyServer server = new(name);
        Assert.That(
            Assert.ThrowsAsync<NamedPipeException>(async () => await NamedPipeStream.ConnectAsync(name))!.Error,
            Is.EqualTo(NamedPipeError.PipeBusy));
        NamedPipeException late = Assert.ThrowsAsync<NamedPipeException>(async () => await NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = name, Timeout = TimeSpan.FromMilliseconds(40) }))!;
        Assert.That(late.Error, Is.EqualTo(NamedPipeError.TimedOut));
        Assert.That((late.InnerException as NamedPipeException)?.Error, Is.EqualTo(NamedPipeError.PipeBusy));

        // Room comes while a client waits for it.
        Task<NamedPipeStream> waiting = NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }).AsTask();
        Assert.That(waiting.IsCompleted, Is.False);
        server.MakeRoom();
        (await waiting.InTime()).Abort();
    }

    [Test]
    [Category("K1")]
    public void WhatIsNotAllowed_IsDeniedAtOnce()
    {
        string name = PipeNames.New();
        NamedPipeClientOptions options = new() { Name = name, Timeout = Deadline.Step };
        if (OperatingSystem.IsWindows())
        {
            using NamedPipe server = NamedPipe.CreateServer(
                new NamedPipeServerOptions { Name = name, Direction = PipeDirection.In });
            options.Direction = PipeDirection.In; // the server does not write
            Assert.That(ErrorOf(options), Is.EqualTo(NamedPipeError.AccessDenied));
            return;
        }

        string path = PipeNames.FullNameOf(name);
        File.WriteAllText(path, "no socket");
        try
        {
            Assert.That(ErrorOf(options), Is.EqualTo(NamedPipeError.NotAPipe));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    [Category("K2")]
    public async Task Waiting_BurnsNoProcessor_AndIsCancelledInTime([Values] bool busy)
    {
        const int Tries = 15;
        string name = PipeNames.New();
        using BusyServer? server = busy ? new BusyServer(name) : null;
        NamedPipeClientOptions options = new() { Name = name, Timeout = Timeout.InfiniteTimeSpan };
        List<double> milliseconds = [];
        for (int i = 0; i < Tries; i++)
        {
            using CancellationTokenSource source = new();
            Task<NamedPipeStream> connecting = NamedPipeStream.ConnectAsync(options, cancellationToken: source.Token).AsTask();
            await Task.Delay(20);
            long start = Stopwatch.GetTimestamp();
            source.Cancel();
            Assert.CatchAsync<OperationCanceledException>(() => connecting.InTime());
            milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        milliseconds.Sort();
        Assert.That(milliseconds[Tries / 2], Is.LessThan(50), "cancellation, the median");

        // The whole process, less what the runner's own waiting takes. The best of three, because a compiler may be at work.
        double idle = await UsedInFiveSecondsAsync();
        double best = double.MaxValue;
        using (CancellationTokenSource over = new())
        {
            Task<NamedPipeStream> connecting = NamedPipeStream.ConnectAsync(options, cancellationToken: over.Token).AsTask();
            for (int i = 0; i < 3 && best - idle > 0.01; i++)
            {
                best = Math.Min(best, await UsedInFiveSecondsAsync());
            }

            Assert.That(connecting.IsCompleted, Is.False);
            over.Cancel();
            Assert.CatchAsync<OperationCanceledException>(() => connecting.InTime());
        }

        TestContext.Out.WriteLine($"waiting: {best:P2} of a core, idle: {idle:P2}; cancelled in {milliseconds[^1]:0.0} ms at most");
        Assert.That(best - idle, Is.LessThanOrEqualTo(0.01));
    }

    private static async Task<double> UsedInFiveSecondsAsync()
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        await Task.Delay(5_000);
        return (Environment.CpuUsage.TotalTime - before) / TimeSpan.FromSeconds(5);
    }

    private static NamedPipeError ErrorOf(NamedPipeClientOptions options) =>
        Assert.ThrowsAsync<NamedPipeException>(async () => await NamedPipeStream.ConnectAsync(options))!.Error;

    /// <summary>A name whose every instance has a client (Windows), or whose queue is full (Linux).</summary>
    private sealed class BusyServer : IDisposable
    {
        private readonly Socket? _listener;
        private readonly NamedPipeListener? _oneInstance;
        private readonly List<NamedPipe> _clients = [];

        public BusyServer(string name)
        {
            if (OperatingSystem.IsWindows())
            {
                _oneInstance = NamedPipeListener.Listen(new NamedPipeServerOptions { Name = name, MaxInstances = 1 });
                _clients.Add(NamedPipe.OpenClient(name));
                return;
            }

            _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            _listener.Bind(new UnixDomainSocketEndPoint(PipeNames.FullNameOf(name)));
            _listener.Listen(1);
            while (NamedPipe.TryOpenClient(new NamedPipeClientOptions { Name = name }, out _) is { } client)
            {
                _clients.Add(client);
            }
        }

        public void MakeRoom()
        {
            if (_listener is not null)
            {
                _listener.Accept().Dispose();
                return;
            }

            _clients.ForEach(client => client.Abort());
            _oneInstance!.AcceptAsync().AsTask().GetAwaiter().GetResult().Abort(); // its instance ends, and another is made
        }

        public void Dispose()
        {
            _clients.ForEach(client => client.Abort());
            _listener?.Dispose();
            _oneInstance?.Dispose();
        }
    }
}
