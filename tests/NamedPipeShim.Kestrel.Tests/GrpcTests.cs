using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using NamedPipeShim.Kestrel.Tests.Calls;
using NamedPipeShim.Kestrel.Tests.Support;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Kestrel.Tests;

/// <summary>A real gRPC client and server on the two ends of a pipe: the four kinds of calls, and what they carry.</summary>
public class GrpcTests
{
    private const long LargeSize = 6_000_001;

    [Test]
    public async Task ConcurrentCalls_GetTheirOwnAnswers([Values] ClientKind kind, [Values(1, 6)] int channels)
    {
        int calls = RunningSystem.Rounds(240, underWine: 60);
        await using GrpcServer server = await GrpcServer.StartAsync();
        GrpcChannel[] all = [.. Enumerable.Range(0, channels).Select(_ => server.NewChannel(kind))];
        string[] connections = await Task.WhenAll(Enumerable.Range(0, calls).Select(i => Task.Run(async () =>
        {
            Tester.TesterClient client = new(all[i % channels]);
            Chunk chunk = Chunks.Of(1 + (300 * i), seed: i);
            Echoed echoed = await client.EchoAsync(chunk, deadline: Late);
            Chunks.Verify(echoed.Chunk, seed: i);
            Assert.That(echoed.Chunk.Data.Length, Is.EqualTo(chunk.Data.Length));
            return echoed.Connection;
        }))).InTime();
        Assert.That(connections.Distinct().Count(), Is.EqualTo(channels), "connections");
        Array.ForEach(all, channel => channel.Dispose());
    }

    [Test]
    public async Task ACall_KnowsTheClientsProcessAndUser()
    {
        await using GrpcServer server = await GrpcServer.StartAsync();
        string? user = null;
        using GrpcChannel channel = server.NewChannel(connected: stream => user = ((NamedPipeStream)stream).Peer.UserId);
        Echoed echoed = await GrpcServer.ClientOf(channel).EchoAsync(Chunks.Of(1, seed: 1), deadline: Late).ResponseAsync.InTime();
        Assert.That(user, Is.Not.Null.And.Not.Empty);
        Assert.That(echoed.Peer, Is.EqualTo($"{Environment.ProcessId} {user}"));
    }

    [Test]
    public async Task AStreamOfTheClient_ArrivesWhole([Values] ClientKind kind)
    {
        await using GrpcServer server = await GrpcServer.StartAsync();
        using GrpcChannel channel = server.NewChannel(kind);
        using AsyncClientStreamingCall<Chunk, Received> call = GrpcServer.ClientOf(channel).Upload(deadline: Late);
        await Chunks.SendAsync(call.RequestStream, seed: 1, LargeSize).InTime();
        await call.RequestStream.CompleteAsync().InTime();
        Assert.That((await call.ResponseAsync.InTime()).Bytes, Is.EqualTo(LargeSize));
    }

    [Test]
    public async Task AStreamOfTheServer_ArrivesWhole([Values] ClientKind kind)
    {
        await using GrpcServer server = await GrpcServer.StartAsync();
        using GrpcChannel channel = server.NewChannel(kind);
        using AsyncServerStreamingCall<Chunk> call =
            GrpcServer.ClientOf(channel).Download(new Order { Seed = 3, Bytes = LargeSize }, deadline: Late);
        Assert.That(await Chunks.VerifyAsync(call.ResponseStream, seed: 3).InTime(), Is.EqualTo(LargeSize));
        Assert.That(call.GetStatus().StatusCode, Is.EqualTo(StatusCode.OK));
    }

    [Test]
    public async Task StreamsBothWays_FlowAtOnce([Values] ClientKind kind, [Values(1, 4)] int calls)
    {
        // Several times what HTTP/2's windows and the pipe's buffers hold: it ends only if both directions go on together.
        await using GrpcServer server = await GrpcServer.StartAsync();
        using GrpcChannel channel = server.NewChannel(kind);
        await Task.WhenAll(Enumerable.Range(0, calls).Select(_ => Task.Run(() => ExchangeAsync(channel, LargeSize / calls)))).InTime();
    }

    [Test]
    public async Task MessagesBothWays_AreAnsweredOneByOne([Values] ClientKind kind)
    {
        await using GrpcServer server = await GrpcServer.StartAsync();
        using GrpcChannel channel = server.NewChannel(kind);
        using AsyncDuplexStreamingCall<Chunk, Chunk> call = GrpcServer.ClientOf(channel).Talk(deadline: Late);
        for (int i = 0; i < 200; i++)
        {
            await call.RequestStream.WriteAsync(Chunks.Of(i, seed: i)).InTime();
            Assert.That(await call.ResponseStream.MoveNext().InTime(), Is.True);
            Chunks.Verify(call.ResponseStream.Current, seed: i + 1);
            Assert.That(call.ResponseStream.Current.Data.Length, Is.EqualTo(i));
        }

        await call.RequestStream.CompleteAsync().InTime();
        Assert.That(await call.ResponseStream.MoveNext().InTime(), Is.False);
    }

    [Test]
    public async Task LargeMessages_AreCarried_AsFarAsTheLimitsAllow([Values] ClientKind kind)
    {
        const int Large = 12_000_007;
        await using GrpcServer server = await GrpcServer.StartAsync(options => options.MaxReceiveMessageSize = Large + 100);
        using (GrpcChannel channel = server.NewChannel(kind, options => options.MaxReceiveMessageSize = Large + 1_000))
        {
            Echoed echoed = await GrpcServer.ClientOf(channel).EchoAsync(Chunks.Of(Large, seed: 5), deadline: Late)
                .ResponseAsync.InTime();
            Assert.That(echoed.Chunk.Data.Length, Is.EqualTo(Large));
            Chunks.Verify(echoed.Chunk, seed: 5);
            RpcException tooLarge = Assert.ThrowsAsync<RpcException>(() => GrpcServer.ClientOf(channel)
                .EchoAsync(Chunks.Of(Large + 1_000, seed: 5), deadline: Late).ResponseAsync.InTime())!;
            Assert.That(tooLarge.StatusCode, Is.EqualTo(StatusCode.ResourceExhausted));
            await VerifyEchoAsync(channel);
        }

        using GrpcChannel withItsOwnLimit = server.NewChannel(kind); // gRPC's own: 4 MiB to receive
        RpcException refused = Assert.ThrowsAsync<RpcException>(() => GrpcServer.ClientOf(withItsOwnLimit)
            .EchoAsync(Chunks.Of(Large, seed: 5), deadline: Late).ResponseAsync.InTime())!;
        Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.ResourceExhausted));
        await VerifyEchoAsync(withItsOwnLimit);
    }

    [Test]
    public async Task EmptyMessages_AreMessages()
    {
        await using GrpcServer server = await GrpcServer.StartAsync();
        using GrpcChannel channel = server.NewChannel();
        Echoed echoed = await GrpcServer.ClientOf(channel).EchoAsync(new Chunk(), deadline: Late).ResponseAsync.InTime();
        Assert.That(echoed.Chunk.Data, Is.EqualTo(ByteString.Empty));
        using AsyncClientStreamingCall<Chunk, Received> nothing = GrpcServer.ClientOf(channel).Upload(deadline: Late);
        await nothing.RequestStream.CompleteAsync().InTime();
        Assert.That((await nothing.ResponseAsync.InTime()).Bytes, Is.Zero);
    }

    internal static DateTime Late => DateTime.UtcNow + Deadline.Step;

    internal static async Task VerifyEchoAsync(GrpcChannel channel)
    {
        Echoed echoed = await GrpcServer.ClientOf(channel).EchoAsync(Chunks.Of(3_000, seed: 9), deadline: Late).ResponseAsync.InTime();
        Assert.That(echoed.Chunk.Data.Length, Is.EqualTo(3_000));
        Chunks.Verify(echoed.Chunk, seed: 9);
    }

    internal static async Task ExchangeAsync(GrpcChannel channel, long size)
    {
        Metadata headers = new() { { TesterService.BytesHeader, $"{size}" } };
        using AsyncDuplexStreamingCall<Chunk, Chunk> call = GrpcServer.ClientOf(channel).Exchange(headers, Late);
        Task<long> receiving = Chunks.VerifyAsync(call.ResponseStream, seed: 2);
        await Chunks.SendAsync(call.RequestStream, seed: 1, size + 1);
        await call.RequestStream.CompleteAsync();
        Assert.That(await receiving, Is.EqualTo(size));
        Assert.That(call.GetTrailers().GetValue(TesterService.ReceivedTrailer), Is.EqualTo($"{size + 1}"));
    }
}
