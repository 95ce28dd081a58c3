using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using NamedPipeShim.Kestrel.Tests.Support;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Kestrel.Tests;

/// <summary>The transport without HTTP: listener and connections as a server sees them.</summary>
public class TransportTests
{
    [Test]
    public void EndPointsOfOtherKinds_AreNotServed()
    {
        NamedPipeShimTransportFactory factory = NewFactory();
        Assert.That(factory.CanBind(new NamedPipeEndPoint("name")), Is.True);
        foreach (EndPoint other in new EndPoint[] { new IPEndPoint(IPAddress.Loopback, 1), new NamedPipeEndPoint("name", "server") })
        {
            Assert.That(factory.CanBind(other), Is.False);
            Assert.Throws<NotSupportedException>(() => factory.BindAsync(other).AsTask());
        }
    }

    [Test]
    public void PipesOfAnotherKind_AreNotServed()
    {
        foreach (NamedPipeServerOptions server in new NamedPipeServerOptions[]
        {
            new() { Name = PipeNames.New(), Mode = PipeMode.Message },
            new() { Name = PipeNames.New(), Direction = System.IO.Pipes.PipeDirection.In },
        })
        {
            NamedPipeShimTransportFactory factory =
                NewFactory(new NamedPipeShimTransportOptions { CreateServerOptions = _ => server });
            Assert.Throws<ArgumentException>(() => factory.BindAsync(new NamedPipeEndPoint(server.Name)).AsTask());
        }
    }

    [Test]
    public async Task Bind_OfANameThatIsServed_SaysSo()
    {
        NamedPipeEndPoint endPoint = new(PipeNames.New());
        await using IConnectionListener first = await NewFactory().BindAsync(endPoint).InTime();
        if (!RunningSystem.IsWine) // it does not enforce FILE_FLAG_FIRST_PIPE_INSTANCE
        {
            Assert.ThrowsAsync<AddressInUseException>(async () => await NewFactory().BindAsync(endPoint));
        }

        await first.DisposeAsync();
        await using IConnectionListener second = await NewFactory().BindAsync(endPoint).InTime();
        Assert.That(second.EndPoint, Is.EqualTo(endPoint));
    }

    [Test]
    public async Task AConnection_KnowsItself()
    {
        (IConnectionListener listener, ConnectionContext connection, NamedPipeStream client) = await ConnectAsync();
        await using IConnectionListener ending = listener;
        await using ConnectionContext closing = connection;
        using NamedPipeStream end = client;
        Assert.That(connection.LocalEndPoint, Is.EqualTo(listener.EndPoint));
        Assert.That(connection.ConnectionId, Is.Not.Empty);
        Assert.That(connection.Features.Get<IConnectionIdFeature>()!.ConnectionId, Is.EqualTo(connection.ConnectionId));
        Assert.That(connection.Features.Get<IConnectionEndPointFeature>()!.LocalEndPoint, Is.EqualTo(listener.EndPoint));
        Assert.That(connection.Features.Get<IConnectionTransportFeature>()!.Transport, Is.SameAs(connection.Transport));
        Assert.That(connection.Features.Get<IConnectionLifetimeFeature>(), Is.Not.Null);
        Assert.That(connection.Features.Get<IMemoryPoolFeature>()!.MemoryPool, Is.Not.Null);
        Assert.That(
            connection.Features.Get<INamedPipeStreamFeature>()!.Pipe.Name,
            Is.EqualTo(((NamedPipeEndPoint)listener.EndPoint).PipeName));

        ValueTask<ConnectionContext?> accepting = listener.AcceptAsync();
        using NamedPipeStream other = await ClientAsync(listener);
        await using ConnectionContext second = (await accepting.InTime())!;
        Assert.That(second.ConnectionId, Is.Not.EqualTo(connection.ConnectionId));
    }

    [Test]
    public async Task AClientThatCloses_EndsTheInput_AndTellsTheConnection()
    {
        (IConnectionListener listener, ConnectionContext connection, NamedPipeStream client) = await ConnectAsync();
        await using IConnectionListener ending = listener;
        await using ConnectionContext closing = connection;
        await client.WriteAsync(Pattern.Of(5_000)).InTime();
        await client.DisposeAsync().InTime();
        await AwaitClosedAsync(connection);
        ReadResult read = await connection.Transport.Input.ReadAtLeastAsync(5_001).InTime();
        Assert.That(read.IsCompleted, Is.True);
        Assert.That(read.Buffer.Length, Is.EqualTo(5_000));
        Pattern.Verify(read.Buffer.ToArray());
    }

    [Test]
    public async Task WhatWasWritten_ArrivesWhenTheConnectionIsDisposedRightAfter()
    {
        (IConnectionListener listener, ConnectionContext connection, NamedPipeStream client) = await ConnectAsync();
        await using IConnectionListener ending = listener;
        using NamedPipeStream end = client;
        Task sending = Task.Run(async () =>
        {
            _ = await connection.Transport.Output.WriteAsync(Pattern.Of(1_000_000));
            await connection.DisposeAsync();
        });
        using MemoryStream all = new();
        await client.CopyToAsync(all).InTime();
        await sending.InTime();
        Assert.That(all.Length, Is.EqualTo(1_000_000));
        Pattern.Verify(all.ToArray());
    }

    [Test]
    public async Task AClientThatStillWrites_ReadsAllThatTheServerHadSent([Values] bool closesFirst)
    {
        (IConnectionListener listener, ConnectionContext connection, NamedPipeStream client) = await ConnectAsync(
            new NamedPipeShimTransportOptions { CloseDelay = closesFirst ? Deadline.Step : TimeSpan.Zero });
        await using IConnectionListener ending = listener;
        using NamedPipeStream end = client;
        _ = await connection.Transport.Output.WriteAsync(Pattern.Of(5_000)).InTime();
        Task disposing = connection.DisposeAsync().AsTask();
        byte[] received = new byte[5_000];
        if (closesFirst)
        {
            await client.WriteAsync(Pattern.Of(1_000_000)).InTime(); // nobody wants it, and it does no harm
            Assert.That(disposing.IsCompleted, Is.False);
        }

        await client.ReadExactlyAsync(received).InTime();
        Pattern.Verify(received);
        if (closesFirst)
        {
            await client.DisposeAsync().InTime();
        }
        else
        {
            Assert.That(await client.ReadAsync(new byte[1]).InTime(), Is.Zero);
        }

        await disposing.InTime();
    }

    [Test]
    public async Task Abort_EndsBothSides_WithTheReason([Values] bool outputWaits)
    {
        (IConnectionListener listener, ConnectionContext connection, NamedPipeStream client) = await ConnectAsync();
        await using IConnectionListener ending = listener;
        using NamedPipeStream end = client;
        Task writing = Task.CompletedTask;
        if (outputWaits)
        {
            writing = connection.Transport.Output.WriteAsync(new byte[16 << 20]).AsTask();
        }

        ConnectionAbortedException reason = new("enough");
        connection.Abort(reason);
        connection.Abort(new ConnectionAbortedException("more than enough"));
        await AwaitClosedAsync(connection);
        ConnectionAbortedException? told =
            Assert.ThrowsAsync<ConnectionAbortedException>(() => connection.Transport.Input.ReadAsync().InTime());
        Assert.That(told, Is.SameAs(reason));
        await writing.InTime(); // its flush says completed
        await connection.DisposeAsync().InTime();
        await AwaitEndAsync(client);
    }

    [Test]
    public async Task Abort_OfAConnectionWhoseClientWasHeldBack_IsToldAtOnce_WithTheReason([Values] bool outputCompleted)
    {
        (IConnectionListener listener, ConnectionContext connection, NamedPipeStream client) = await ConnectAsync(
            new NamedPipeShimTransportOptions { MaxReadBufferSize = 100_000, CloseDelay = 10 * Deadline.Step });
        await using IConnectionListener ending = listener;
        using NamedPipeStream end = client;
        Task writing = client.WriteAsync(new byte[16 << 20]).AsTask();
        PipeReader input = connection.Transport.Input;
        ReadResult read = await input.ReadAtLeastAsync(100_000).InTime(); // no more is received
        if (outputCompleted)
        {
            await connection.Transport.Output.CompleteAsync();
        }

        ConnectionAbortedException reason = new("enough");
        connection.Abort(reason);
        await AwaitClosedAsync(connection);
        input.AdvanceTo(read.Buffer.End);
        ConnectionAbortedException? told = Assert.ThrowsAsync<ConnectionAbortedException>(() => input.ReadAsync().InTime());
        Assert.That(told, Is.SameAs(reason)); // else what was cut off would look whole
        Assert.CatchAsync<IOException>(() => writing.InTime());
        await connection.DisposeAsync().InTime();
    }

    [Test]
    public async Task Dispose_EndsAConnection_WhoseTransportAMiddlewareHasReplaced()
    {
        (IConnectionListener listener, ConnectionContext connection, NamedPipeStream client) = await ConnectAsync();
        await using IConnectionListener ending = listener;
        using NamedPipeStream end = client;
        connection.Transport = new OtherTransport(); // and did not put back
        await connection.DisposeAsync().InTime();
        await AwaitEndAsync(client);
    }

    [Test]
    public async Task Unbind_EndsTheAccepts_AndLeavesTheConnections()
    {
        (IConnectionListener listener, ConnectionContext connection, NamedPipeStream client) = await ConnectAsync();
        await using IConnectionListener ending = listener;
        await using ConnectionContext closing = connection;
        using NamedPipeStream end = client;
        Task<ConnectionContext?> accepting = listener.AcceptAsync().AsTask();
        await listener.UnbindAsync().InTime();
        Assert.That(await accepting.InTime(), Is.Null);
        Assert.That(await listener.AcceptAsync().InTime(), Is.Null);
        NamedPipeException late = Assert.ThrowsAsync<NamedPipeException>(async () => await ClientAsync(listener, TimeSpan.Zero))!;
        Assert.That(late.Error, Is.EqualTo(OperatingSystem.IsWindows() ? NamedPipeError.PipeBusy : NamedPipeError.NotFound));
        if (!OperatingSystem.IsWindows()) // there the name is free when the last connection has ended
        {
            await using IConnectionListener next = await NewFactory().BindAsync(listener.EndPoint).InTime();
            using NamedPipeStream nextClient = await ClientAsync(next);
            await using ConnectionContext? nextConnection = await next.AcceptAsync().InTime();
            Assert.That(nextConnection, Is.Not.Null);
        }

        await client.WriteAsync(Pattern.Of(10)).InTime();
        Assert.That((await connection.Transport.Input.ReadAtLeastAsync(10).InTime()).Buffer.Length, Is.EqualTo(10));
    }

    [Test]
    public async Task Accept_IsCancelled_AndNoClientIsLostByIt()
    {
        await using IConnectionListener listener = await NewFactory().BindAsync(new NamedPipeEndPoint(PipeNames.New())).InTime();
        using CancellationTokenSource source = new();
        Task<ConnectionContext?> accepting = listener.AcceptAsync(source.Token).AsTask();
        source.Cancel();
        Assert.CatchAsync<OperationCanceledException>(() => accepting.InTime());
        using NamedPipeStream client = await ClientAsync(listener);
        await using ConnectionContext? connection = await listener.AcceptAsync().InTime();
        Assert.That(connection, Is.Not.Null);
    }

    [Test]
    public async Task AnApplicationThatDoesNotRead_HoldsTheClientBack()
    {
        const int Limit = 16 << 20;
        (IConnectionListener listener, ConnectionContext connection, NamedPipeStream client) =
            await ConnectAsync(new NamedPipeShimTransportOptions { MaxReadBufferSize = 100_000 });
        await using IConnectionListener ending = listener;
        await using ConnectionContext closing = connection;
        using NamedPipeStream end = client;
        Task writing = client.WriteAsync(Pattern.Of(Limit)).AsTask();

        // The application looks at what has come, takes none of it, and waits until no more comes.
        PipeReader input = connection.Transport.Input;
        ReadResult read = await input.ReadAtLeastAsync(100_000).InTime();
        Assert.That(read.Buffer.Length, Is.LessThan(200_000));
        Assert.That(writing.IsCompleted, Is.False);
        long taken = 0;
        for (; taken < Limit; read = await input.ReadAsync().InTime())
        {
            byte[] bytes = read.Buffer.ToArray();
            Assert.That(bytes, Has.Length.LessThan(200_000));
            Pattern.Verify(bytes, position: taken);
            taken += bytes.Length;
            input.AdvanceTo(read.Buffer.End);
            if (taken == Limit)
            {
                break;
            }
        }

        await writing.InTime();
    }

    [Test]
    public async Task IdleConnections_HoldNoBuffer_UnlessItIsAskedFor([Values] bool wait, [Values] bool afterAMessage)
    {
        const int Connections = 20;
        CountingMemoryPool pool = new();
        NamedPipeShimTransportOptions options = new() { CloseDelay = TimeSpan.Zero };
        Assert.That(options.WaitForDataBeforeAllocatingBuffer, Is.True);
        options.WaitForDataBeforeAllocatingBuffer = wait;
        await using IConnectionListener listener =
            await NewFactory(options, pool).BindAsync(new NamedPipeEndPoint(PipeNames.New())).InTime();
        List<NamedPipeStream> clients = [];
        List<ConnectionContext> connections = [];
        for (int i = 0; i < Connections; i++)
        {
            NamedPipeStream client = await ClientAsync(listener);
            ConnectionContext connection = (await listener.AcceptAsync().InTime())!;
            clients.Add(client);
            connections.Add(connection);
            if (!afterAMessage)
            {
                continue;
            }

            foreach (int size in new[] { 1, 4_096, 30_000 })
            {
                await client.WriteAsync(Pattern.Of(size)).InTime();
                ReadResult read = await connection.Transport.Input.ReadAtLeastAsync(size).InTime();
                Assert.That(read.Buffer.Length, Is.EqualTo(size));
                Pattern.Verify(read.Buffer.ToArray());
                connection.Transport.Input.AdvanceTo(read.Buffer.End);
            }
        }

        int expected = wait ? 0 : Connections;
        Deadline.WaitFor(() => pool.Rented == expected, $"idle connections with {expected} buffers");
        foreach (ConnectionContext connection in connections)
        {
            await connection.DisposeAsync().InTime();
        }

        clients.ForEach(client => client.Dispose());
        Assert.That(pool.Rented, Is.Zero);
    }

    [Test]
    public async Task ClientsThatConnectAndVanish_DoNotEndTheServer()
    {
        int clients = RunningSystem.Rounds(300, underWine: 40);
        await using TestServer server = await TestServer.StartAsync(
            HttpVersion.Version11, app => app.MapGet("/", () => "here"));
        for (int i = 0; i < clients; i++)
        {
            NamedPipeStream client = await NamedPipeStream.ConnectAsync(
                new NamedPipeClientOptions { Name = server.Name, Timeout = Deadline.Step }).InTime();
            if (i % 2 == 0)
            {
                await client.WriteAsync("GET / HT"u8.ToArray()).InTime();
            }

            client.Abort();
        }

        using HttpClient http = server.NewClient();
        Assert.That(await http.GetStringAsync("/").InTime(), Is.EqualTo("here"));
    }

    [Test]
    public async Task RequestsOfOneConnection_SeeItsFeatures()
    {
        await using TestServer server = await TestServer.StartAsync(
            HttpVersion.Version11,
            app => app.MapGet("/", (HttpContext context) =>
            {
                NamedPipe pipe = context.Features.Get<INamedPipeStreamFeature>()!.Pipe;
                return $"{context.Connection.Id} {pipe.GetPeerProcessId()} {pipe.Name}";
            }));
        using HttpClient client = server.NewClient();
        string first = await client.GetStringAsync("/").InTime();
        Assert.That(first, Does.EndWith($" {Environment.ProcessId} {server.Name}"));
        Assert.That(await client.GetStringAsync("/").InTime(), Is.EqualTo(first));
        using HttpClient other = server.NewClient();
        Assert.That(await other.GetStringAsync("/").InTime(), Is.Not.EqualTo(first));
    }

    [Test]
    public async Task EndPointsOfOtherTransports_AreServedBesideOurs_ByALoopOfTheProgram()
    {
        string name = PipeNames.New();
        await using NamedPipeEventLoop loop = new();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseNamedPipeShim(options => options.EventLoop = loop);
        builder.WebHost.ConfigureKestrel(server =>
        {
            server.Listen(IPAddress.Loopback, 0);
            server.Listen(new NamedPipeEndPoint(name));
        });
        await using WebApplication application = builder.Build();
        application.MapGet("/", () => "both");
        await application.StartAsync().InTime();
        string tcp = application.Urls.Single(url => url.Contains("127.0.0.1"));
        using HttpClient overTcp = new();
        Assert.That(await overTcp.GetStringAsync(new Uri(tcp)).InTime(), Is.EqualTo("both"));
        using HttpClient overPipe = HttpOverPipe.New(name, HttpVersion.Version11);
        Assert.That(await overPipe.GetStringAsync("/").InTime(), Is.EqualTo("both"));
        await application.StopAsync().InTime();
    }

    private static NamedPipeShimTransportFactory NewFactory(
        NamedPipeShimTransportOptions? options = null, IMemoryPoolFactory<byte>? pools = null) =>
        new(Options.Create(options ?? new NamedPipeShimTransportOptions()), NullLoggerFactory.Instance, pools);

    private static async Task<(IConnectionListener Listener, ConnectionContext Connection, NamedPipeStream Client)> ConnectAsync(
        NamedPipeShimTransportOptions? options = null)
    {
        IConnectionListener listener = await NewFactory(options).BindAsync(new NamedPipeEndPoint(PipeNames.New())).InTime();
        NamedPipeStream client = await ClientAsync(listener);
        return (listener, (await listener.AcceptAsync().InTime())!, client);
    }

    private static Task<NamedPipeStream> ClientAsync(IConnectionListener listener, TimeSpan? timeout = null) =>
        NamedPipeStream.ConnectAsync(new NamedPipeClientOptions
        {
            Name = ((NamedPipeEndPoint)listener.EndPoint).PipeName,
            Timeout = timeout ?? Deadline.Step,
        }).InTime();

    private static async Task AwaitClosedAsync(ConnectionContext connection)
    {
        TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration told = connection.ConnectionClosed.Register(() => closed.TrySetResult());
        await closed.Task.InTime();
    }

    // The end, or a break where something was still under way.
    private static async Task AwaitEndAsync(NamedPipeStream client)
    {
        try
        {
            await client.CopyToAsync(Stream.Null).InTime();
        }
        catch (NamedPipeException)
        {
            // That is an end, too.
        }
    }

    // Completing it completes nothing of the pipe's.
    private sealed class OtherTransport : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(Stream.Null);

        public PipeWriter Output { get; } = PipeWriter.Create(Stream.Null);
    }
}
