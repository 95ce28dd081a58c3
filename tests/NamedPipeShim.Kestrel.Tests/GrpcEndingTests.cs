using Grpc.Core;
using Grpc.Net.Client;
using NamedPipeShim.Kestrel.Tests.Calls;
using NamedPipeShim.Kestrel.Tests.Support;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Kestrel.Tests;

/// <summary>Calls that end before they are done: late, cancelled, failed, or without their client or server.</summary>
public class GrpcEndingTests
{
    [Test]
    public async Task ACallThatTakesTooLong_EndsAtItsDeadline_AtBothEnds([Values] ClientKind kind)
    {
        await using GrpcServer server = await GrpcServer.StartAsync();
        using GrpcChannel channel = server.NewChannel(kind);
        await GrpcTests.VerifyEchoAsync(channel); // the connection is there
        using AsyncUnaryCall<Received> call =
            GrpcServer.ClientOf(channel).WaitAsync(new Order(), deadline: DateTime.UtcNow.AddSeconds(3));
        await server.Service.Started.InTime();
        RpcException late = Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.InTime())!;
        Assert.That(late.StatusCode, Is.EqualTo(StatusCode.DeadlineExceeded));
        await server.Service.Ended.InTime();
        await GrpcTests.VerifyEchoAsync(channel);
    }

    [Test]
    public async Task ACallThatTheClientCancels_EndsAtTheServer_AndItsConnectionGoesOn([Values] ClientKind kind, [Values] bool stream)
    {
        await using GrpcServer server = await GrpcServer.StartAsync();
        int connections = 0;
        using GrpcChannel channel = server.NewChannel(kind, connected: _ => Interlocked.Increment(ref connections));
        Tester.TesterClient client = GrpcServer.ClientOf(channel);
        using CancellationTokenSource source = new();
        Task ending;
        if (stream)
        {
            AsyncServerStreamingCall<Chunk> call =
                client.Download(new Order { Seed = 1, Bytes = -1 }, cancellationToken: source.Token);
            Assert.That(await call.ResponseStream.MoveNext().InTime(), Is.True);
            ending = Chunks.VerifyAsync(new Continued(call.ResponseStream), seed: 1);
        }
        else
        {
            ending = client.WaitAsync(new Order(), cancellationToken: source.Token).ResponseAsync;
        }

        await server.Service.Started.InTime();
        source.Cancel();
        RpcException cancelled = Assert.ThrowsAsync<RpcException>(() => ending.InTime())!;

        // .NET's client that reads a stream may tell of its own abort before it tells why: over TCP too, one time in 400.
        Assert.That(
            cancelled.StatusCode,
            stream ? Is.EqualTo(StatusCode.Cancelled).Or.EqualTo(StatusCode.Unavailable) : Is.EqualTo(StatusCode.Cancelled),
            cancelled.ToString());
        await server.Service.Ended.InTime();
        await GrpcTests.VerifyEchoAsync(channel);
        Assert.That(connections, Is.EqualTo(1));
    }

    [Test]
    public async Task ACallThatFails_SaysWhy()
    {
        await using GrpcServer server = await GrpcServer.StartAsync();
        using GrpcChannel channel = server.NewChannel();
        Tester.TesterClient client = GrpcServer.ClientOf(channel);
        RpcException told = Assert.ThrowsAsync<RpcException>(() => client.FailAsync(
            new Failure { Status = (int)StatusCode.FailedPrecondition, Detail = "no pipe today: ÄÖÜ" }, deadline: GrpcTests.Late)
            .ResponseAsync.InTime())!;
        Assert.That(told.StatusCode, Is.EqualTo(StatusCode.FailedPrecondition));
        Assert.That(told.Status.Detail, Is.EqualTo("no pipe today: ÄÖÜ"));
        Assert.That(told.Trailers.GetValue("reason"), Is.EqualTo("because"));
        RpcException unknown = Assert.ThrowsAsync<RpcException>(() => client.FailAsync(
            new Failure { Detail = "the server's own affair" }, deadline: GrpcTests.Late).ResponseAsync.InTime())!;
        Assert.That(unknown.StatusCode, Is.EqualTo(StatusCode.Unknown));
        Assert.That(unknown.Status.Detail, Does.Not.Contain("affair"));
        await GrpcTests.VerifyEchoAsync(channel);
    }

    [Test]
    public async Task AServerThatStops_LetsACallTalkToItsEnd([Values] ClientKind kind)
    {
        await using GrpcServer server = await GrpcServer.StartAsync();
        using GrpcChannel channel = server.NewChannel(kind);
        using AsyncDuplexStreamingCall<Chunk, Chunk> call = GrpcServer.ClientOf(channel).Talk(deadline: GrpcTests.Late);
        await TalkAsync(call, seed: 1);
        TaskCompletionSource stops = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration told =
            server.Application.Lifetime.ApplicationStopping.Register(() => stops.SetResult());
        Task stopping = server.Application.StopAsync();
        await stops.Task.InTime();
        for (int seed = 2; seed < 20; seed++)
        {
            await TalkAsync(call, seed);
        }

        Assert.That(stopping.IsCompleted, Is.False);
        await call.RequestStream.CompleteAsync().InTime();
        Assert.That(await call.ResponseStream.MoveNext().InTime(), Is.False);
        Assert.That(call.GetStatus().StatusCode, Is.EqualTo(StatusCode.OK));
        await stopping.InTime();
        await using GrpcServer next = await GrpcServer.StartAsync(name: server.Name);
        await GrpcTests.VerifyEchoAsync(channel); // on a new connection
    }

    [Test]
    public async Task AServerThatMustStopNow_EndsTheStreams([Values] ClientKind kind, [Values] bool flows)
    {
        await using GrpcServer server = await GrpcServer.StartAsync();
        using GrpcChannel channel = server.NewChannel(kind);
        Tester.TesterClient client = GrpcServer.ClientOf(channel);
        using AsyncServerStreamingCall<Chunk>? flowing =
            flows ? client.Download(new Order { Seed = 1, Bytes = -1 }, deadline: GrpcTests.Late) : null;
        using AsyncDuplexStreamingCall<Chunk, Chunk>? silent = flows ? null : client.Talk(deadline: GrpcTests.Late);
        Task ending = flowing is not null ? Chunks.VerifyAsync(flowing.ResponseStream, seed: 1) : silent!.ResponseStream.MoveNext();
        await server.Service.Started.InTime();
        using CancellationTokenSource now = new();
        now.Cancel();
        await server.Application.StopAsync(now.Token).InTime();
        await server.Service.Ended.InTime();
        RpcException broken = Assert.ThrowsAsync<RpcException>(() => ending.InTime())!;
        Assert.That(
            broken.StatusCode,
            Is.EqualTo(StatusCode.Unavailable).Or.EqualTo(StatusCode.Cancelled).Or.EqualTo(StatusCode.Internal),
            broken.ToString());
    }

    [Test]
    public async Task AClientThatVanishes_EndsItsCalls_AndTheNextConnectionIsServed([Values] ClientKind kind, [Values] bool flows)
    {
        await using GrpcServer server = await GrpcServer.StartAsync();
        Stream? pipe = null;
        using GrpcChannel channel = server.NewChannel(kind, connected: stream => pipe = stream);
        Tester.TesterClient client = GrpcServer.ClientOf(channel);
        using AsyncServerStreamingCall<Chunk>? flowing =
            flows ? client.Download(new Order { Seed = 1, Bytes = -1 }, deadline: GrpcTests.Late) : null;
        using AsyncDuplexStreamingCall<Chunk, Chunk>? silent = flows ? null : client.Talk(deadline: GrpcTests.Late);
        Task ending = flowing is not null ? Chunks.VerifyAsync(flowing.ResponseStream, seed: 1) : silent!.ResponseStream.MoveNext();
        await server.Service.Started.InTime();
        Stream first = pipe!;
        if (first is NamedPipeStream ours)
        {
            ours.Abort();
        }
        else
        {
            await first.DisposeAsync();
        }

        await server.Service.Ended.InTime();
        Assert.ThrowsAsync<RpcException>(() => ending.InTime());
        await GrpcTests.VerifyEchoAsync(channel);
        Assert.That(pipe, Is.Not.SameAs(first));
    }

    private static async Task TalkAsync(AsyncDuplexStreamingCall<Chunk, Chunk> call, int seed)
    {
        await call.RequestStream.WriteAsync(Chunks.Of(2_000, seed)).InTime();
        Assert.That(await call.ResponseStream.MoveNext().InTime(), Is.True);
        Chunks.Verify(call.ResponseStream.Current, seed + 1);
    }

    /// <summary>A stream whose first message was read already.</summary>
    private sealed class Continued(IAsyncStreamReader<Chunk> stream) : IAsyncStreamReader<Chunk>
    {
        private bool _goesOn;

        public Chunk Current => stream.Current;

        public Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            bool first = !_goesOn;
            _goesOn = true;
            return first ? Task.FromResult(true) : stream.MoveNext(cancellationToken);
        }
    }
}
