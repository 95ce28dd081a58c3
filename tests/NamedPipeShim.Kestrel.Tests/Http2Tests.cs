using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using NamedPipeShim.Kestrel.Tests.Support;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Kestrel.Tests;

/// <summary>What HTTP/2 has beyond HTTP/1.1: many streams on one connection, each in both directions at once.</summary>
public class Http2Tests
{
    private const string ConnectionHeader = "x-connection";

    [Test]
    public async Task StreamsOfOneConnection_CarryLargeBodiesBothWays([Values] ClientKind kind)
    {
        int streams = RunningSystem.Rounds(24, underWine: 8);
        const int Size = 1_500_001;
        await using TestServer server = await StartAsync(app => app.MapPost("/both", async (HttpContext context) =>
        {
            // Sends while it receives.
            int seed = int.Parse(context.Request.Query["seed"]!, System.Globalization.CultureInfo.InvariantCulture);
            context.Response.Headers[ConnectionHeader] = context.Connection.Id;
            Task<long> receiving = TestServer.VerifyPatternAsync(context.Request.Body, seed);
            await TestServer.SendPatternAsync(context, Size, seed + 1);
            context.Response.AppendTrailer("received", $"{await receiving}");
        }));
        using HttpClient client = server.NewClient(kind);
        await client.GetAsync("/").InTime(); // the connection is there
        string[] connections = await Task.WhenAll(Enumerable.Range(0, streams).Select(i => Task.Run(async () =>
        {
            using HttpRequestMessage request = NewRequest(
                HttpMethod.Post, $"/both?seed={2 * i}", new PatternContent(Size, seed: 2 * i));
            using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.That(
                await TestServer.VerifyPatternAsync(await answer.Content.ReadAsStreamAsync(), (2 * i) + 1), Is.EqualTo(Size));
            Assert.That(answer.TrailingHeaders.GetValues("received").Single(), Is.EqualTo($"{Size}"));
            return answer.Headers.GetValues(ConnectionHeader).Single();
        }))).InTime();
        Assert.That(connections.Distinct().Count(), Is.EqualTo(1), "connections");
    }

    [Test]
    public async Task AStream_IsTalkedOnInBothDirections([Values] ClientKind kind)
    {
        const int Rounds = 200;
        await using TestServer server = await StartAsync(app => app.MapPost("/talk", async (HttpContext context) =>
        {
            await context.Response.Body.FlushAsync();
            byte[] message = new byte[1_000];
            while (await context.Request.Body.ReadAtLeastAsync(message, message.Length, throwOnEndOfStream: false) > 0)
            {
                message.AsSpan().Reverse();
                await context.Response.Body.WriteAsync(message);
                await context.Response.Body.FlushAsync();
            }

            context.Response.AppendTrailer("end", "good");
        }));
        using HttpClient client = server.NewClient(kind);
        TalkContent talk = new();
        using HttpRequestMessage request = NewRequest(HttpMethod.Post, "/talk", talk);
        using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).InTime();
        Stream received = await answer.Content.ReadAsStreamAsync();
        Stream sent = await talk.Opened.InTime();
        byte[] back = new byte[1_000];
        for (int i = 0; i < Rounds; i++)
        {
            byte[] message = Pattern.Of(back.Length, seed: i);
            await sent.WriteAsync(message).InTime();
            await sent.FlushAsync().InTime();
            await received.ReadExactlyAsync(back).InTime();
            back.AsSpan().Reverse();
            Pattern.Verify(back, seed: i);
        }

        talk.Complete();
        Assert.That(await received.ReadAsync(back).InTime(), Is.Zero);
        Assert.That(answer.TrailingHeaders.GetValues("end").Single(), Is.EqualTo("good"));
    }

    [Test]
    public async Task AStreamThatNobodyReads_AndOneThatIsReset_HoldNoOtherBack()
    {
        TaskCompletionSource reset = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await StartAsync(app =>
        {
            app.MapGet("/endless", async (HttpContext context) =>
            {
                context.Response.Headers[ConnectionHeader] = context.Connection.Id;
                using CancellationTokenRegistration told = context.RequestAborted.Register(() => reset.TrySetResult());
                await TestServer.SendPatternAsync(context, long.MaxValue, seed: 1);
            });
            app.MapGet("/some", (HttpContext context) =>
            {
                context.Response.Headers[ConnectionHeader] = context.Connection.Id;
                return TestServer.SendPatternAsync(context, 300_000, seed: 2);
            });
        });
        using HttpClient client = server.NewClient();
        using HttpRequestMessage request = NewRequest(HttpMethod.Get, "/endless");
        HttpResponseMessage unread = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).InTime();
        string connection = unread.Headers.GetValues(ConnectionHeader).Single();
        await GetSomeAsync();
        unread.Dispose();
        await reset.Task.InTime();
        await GetSomeAsync();

        async Task GetSomeAsync()
        {
            using HttpRequestMessage some = NewRequest(HttpMethod.Get, "/some");
            using HttpResponseMessage answer = await client.SendAsync(some, HttpCompletionOption.ResponseHeadersRead).InTime();
            Assert.That(
                await TestServer.VerifyPatternAsync(await answer.Content.ReadAsStreamAsync(), seed: 2).InTime(),
                Is.EqualTo(300_000));
            Assert.That(answer.Headers.GetValues(ConnectionHeader).Single(), Is.EqualTo(connection));
        }
    }

    private static Task<TestServer> StartAsync(Action<WebApplication> map) => TestServer.StartAsync(HttpVersion.Version20, map);

    private static HttpRequestMessage NewRequest(HttpMethod method, string path, HttpContent? content = null) => new(method, path)
    {
        Content = content,
        Version = HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    /// <summary>A body that the test writes while it goes on.</summary>
    private sealed class TalkContent : HttpContent
    {
        private readonly TaskCompletionSource<Stream> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<Stream> Opened => _opened.Task;

        public void Complete() => _complete.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync(); // the request's headers go ahead
            _opened.SetResult(stream);
            await _complete.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
