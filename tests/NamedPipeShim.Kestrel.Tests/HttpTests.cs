using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using NamedPipeShim.Kestrel.Tests.Support;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Kestrel.Tests;

/// <summary>A real HTTP client and Kestrel on the two ends of a pipe.</summary>
[TestFixture("1.1")]
[TestFixture("2.0")]
public class HttpTests(string version)
{
    private const long LargeSize = 8_000_003;

    private readonly Version _version = Version.Parse(version);

    [Test]
    public async Task ARequest_IsAnswered([Values] ClientKind kind)
    {
        await using TestServer server = await StartAsync(app => app.MapGet(
            "/hello", (HttpContext context) => $"hello, {context.Request.Protocol}, {context.Request.Query["name"]}"));
        using HttpClient client = server.NewClient(kind);
        Assert.That(
            await client.GetStringAsync("/hello?name=pipe").InTime(),
            Is.EqualTo($"hello, HTTP/{(_version.Major == 2 ? "2" : "1.1")}, pipe"));
        using HttpResponseMessage missing = await client.GetAsync("/nothing").InTime();
        Assert.That(missing.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(missing.Version, Is.EqualTo(_version));
    }

    [Test]
    public async Task ConcurrentRequests_GetTheirOwnAnswers([Values] ClientKind kind)
    {
        int requests = RunningSystem.Rounds(100, underWine: 30);

        // On Windows their client blocks a thread of the pool while no instance is free.
        await using TestServer server = await TestServer.StartAsync(
            _version, MapEcho, options => options.InstancesAhead = kind == ClientKind.Ours ? 4 : requests);
        using HttpClient client = server.NewClient(kind);
        await Task.WhenAll(Enumerable.Range(0, requests).Select(i => Task.Run(async () =>
        {
            byte[] bytes = Pattern.Of(1 + 700 * i, seed: i);
            using HttpResponseMessage answer = await client.PostAsync("/echo", new ByteArrayContent(bytes));
            Assert.That((await answer.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(bytes), Is.True);
        }))).InTime();
    }

    [Test]
    public async Task LargeBodies_ArriveBothWays([Values] ClientKind kind)
    {
        await using TestServer server = await StartAsync(app =>
        {
            app.MapPost("/up", async (HttpContext context) => await context.Response.WriteAsync(
                $"{await TestServer.VerifyPatternAsync(context.Request.Body, seed: 1)} bytes"));
            app.MapGet("/down", (HttpContext context) => TestServer.SendPatternAsync(context, LargeSize, seed: 2));
        });
        using HttpClient client = server.NewClient(kind);
        Task<HttpResponseMessage> uploading = client.PostAsync("/up", new PatternContent(LargeSize, seed: 1));
        using (HttpResponseMessage down = await client.GetAsync("/down", HttpCompletionOption.ResponseHeadersRead).InTime())
        {
            Stream body = await down.Content.ReadAsStreamAsync();
            Assert.That(await TestServer.VerifyPatternAsync(body, seed: 2).InTime(), Is.EqualTo(LargeSize));
        }

        using HttpResponseMessage up = await uploading.InTime();
        Assert.That(await up.Content.ReadAsStringAsync(), Is.EqualTo($"{LargeSize} bytes"));
    }

    [Test]
    public async Task AClientThatAbortsInMidResponse_EndsTheRequest_AndOthersAreServed([Values] ClientKind kind)
    {
        TaskCompletionSource aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await StartAsync(app =>
        {
            MapEcho(app);
            app.MapGet("/endless", async (HttpContext context) =>
            {
                try
                {
                    await TestServer.SendPatternAsync(context, long.MaxValue, seed: 3);
                }
                catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
                {
                    aborted.SetResult();
                }
            });
        });
        using (HttpClient client = server.NewClient(kind))
        {
            HttpResponseMessage answer =
                await client.GetAsync("/endless", HttpCompletionOption.ResponseHeadersRead).InTime();
            Stream body = await answer.Content.ReadAsStreamAsync();
            byte[] some = new byte[100_000];
            await body.ReadExactlyAsync(some).InTime();
            Pattern.Verify(some, seed: 3);
            answer.Dispose(); // in the middle of it
        }

        await aborted.Task.InTime();
        await VerifyEchoAsync(server);
    }

    [Test]
    public async Task ARequestThatTheServerAborts_FailsAtTheClient_AndOthersAreServed()
    {
        await using TestServer server = await StartAsync(app =>
        {
            MapEcho(app);
            app.MapGet("/abort", async (HttpContext context) =>
            {
                await TestServer.SendPatternAsync(context, 50_000, seed: 4);
                context.Abort();
            });
        });
        using HttpClient client = server.NewClient();
        Assert.That(
            async () => await client.GetByteArrayAsync("/abort").InTime(),
            Throws.InstanceOf<HttpRequestException>().Or.InstanceOf<IOException>());
        await VerifyEchoAsync(server);
    }

    [Test]
    public async Task AServerThatStops_FinishesWhatRuns_AndTheNameIsFree([Values] ClientKind kind)
    {
        TaskCompletionSource running = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await StartAsync(app => app.MapGet("/slow", async (HttpContext context) =>
        {
            await TestServer.SendPatternAsync(context, 10_000, seed: 5);
            running.SetResult();
            await go.Task;
            await TestServer.SendPatternAsync(context, 10_000, seed: 6);
        }));
        using HttpClient client = server.NewClient(kind);
        using HttpResponseMessage answer =
            await client.GetAsync("/slow", HttpCompletionOption.ResponseHeadersRead).InTime();
        await running.Task.InTime();
        TaskCompletionSource stops = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration told =
            server.Application.Lifetime.ApplicationStopping.Register(() => stops.SetResult());
        Task stopping = server.Application.StopAsync();
        await stops.Task.InTime();
        Assert.That(stopping.IsCompleted, Is.False);
        go.SetResult();
        byte[] body = await answer.Content.ReadAsByteArrayAsync().InTime();
        Pattern.Verify(body.AsSpan(0, 10_000), seed: 5);
        Pattern.Verify(body.AsSpan(10_000), seed: 6);
        Assert.That(body, Has.Length.EqualTo(20_000));
        await stopping.InTime();
        await using TestServer next = await TestServer.StartAsync(_version, MapEcho, name: server.Name);
        await VerifyEchoAsync(next);
    }

    [Test]
    public async Task AServerThatMustStopNow_AbortsWhatRuns()
    {
        TaskCompletionSource aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await StartAsync(app => app.MapGet("/never", async (HttpContext context) =>
        {
            using CancellationTokenRegistration told = context.RequestAborted.Register(() => aborted.TrySetResult());
            await context.Response.Body.FlushAsync();
            await aborted.Task;
        }));
        using HttpClient client = server.NewClient();
        using HttpResponseMessage answer =
            await client.GetAsync("/never", HttpCompletionOption.ResponseHeadersRead).InTime();
        using CancellationTokenSource now = new();
        now.Cancel();
        await server.Application.StopAsync(now.Token).InTime();
        await aborted.Task.InTime();
        Assert.That(
            async () => await answer.Content.ReadAsByteArrayAsync().InTime(),
            Throws.InstanceOf<HttpRequestException>().Or.InstanceOf<IOException>());
    }

    [Test]
    public async Task AClientThatDoesNotRead_HoldsTheApplicationBack()
    {
        const long Size = 16 << 20;
        TaskCompletionSource heldBack = new(TaskCreationOptions.RunContinuationsAsynchronously);
        long flushed = 0;
        await using TestServer server = await StartAsync(app => app.MapGet("/down", (HttpContext context) =>
            TestServer.SendPatternAsync(context, Size, seed: 7, atOnce =>
            {
                if (atOnce)
                {
                    flushed += 16_384;
                }
                else
                {
                    heldBack.TrySetResult();
                }
            })));
        using HttpClient client = server.NewClient();
        using HttpResponseMessage answer =
            await client.GetAsync("/down", HttpCompletionOption.ResponseHeadersRead).InTime();
        await heldBack.Task.InTime();
        Assert.That(flushed, Is.LessThan(Size / 2));
        Stream body = await answer.Content.ReadAsStreamAsync();
        Assert.That(await TestServer.VerifyPatternAsync(body, seed: 7).InTime(), Is.EqualTo(Size));
    }

    private static void MapEcho(WebApplication app) => app.MapPost(
        "/echo", (HttpContext context) => context.Request.Body.CopyToAsync(context.Response.Body));

    private static async Task VerifyEchoAsync(TestServer server)
    {
        using HttpClient client = server.NewClient();
        byte[] bytes = Pattern.Of(3_000);
        using HttpResponseMessage answer = await client.PostAsync("/echo", new ByteArrayContent(bytes)).InTime();
        Assert.That(await answer.Content.ReadAsByteArrayAsync(), Is.EqualTo(bytes));
    }

    private Task<TestServer> StartAsync(Action<WebApplication> map) => TestServer.StartAsync(_version, map);
}
