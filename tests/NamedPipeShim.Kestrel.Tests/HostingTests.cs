using System.Net;
using System.Security.Principal;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using NamedPipeShim.Kestrel.Tests.Support;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Kestrel.Tests;

/// <summary>What a program of ASP.NET Core's own transport for named pipes uses works here too, on both systems.</summary>
public class HostingTests
{
    public enum Way
    {
        ListenNamedPipe,
        Urls,
        Configuration,
    }

    [Test]
    public async Task APipe_IsNamedInEachOfKestrelsWays([Values] Way way)
    {
        string name = PipeNames.New();
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseNamedPipeShim();
        switch (way)
        {
            case Way.ListenNamedPipe:
                builder.WebHost.ConfigureKestrel(server => server.ListenNamedPipe(name));
                break;
            case Way.Urls:
                builder.WebHost.UseUrls($"http://pipe:/{name}");
                break;
            case Way.Configuration:
                builder.Configuration.AddInMemoryCollection([new("Kestrel:Endpoints:Pipe:Url", $"http://pipe:/{name}")]);
                break;
        }

        await using WebApplication application = builder.Build();
        application.MapGet("/", () => "here");
        await application.StartAsync().InTime();
        Assert.That(application.Urls, Is.EqualTo(new[] { $"http://pipe:/{name}" }));
        using HttpClient client = HttpOverPipe.New(name, HttpVersion.Version11);
        Assert.That(await client.GetStringAsync("/").InTime(), Is.EqualTo("here"));
        await application.StopAsync().InTime();
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    public async Task ARequest_KnowsTheClientsProcessAndUser(string version)
    {
        await using TestServer server = await TestServer.StartAsync(
            Version.Parse(version),
            app => app.MapGet("/", (HttpContext context) => Describe(PipeOf(context).GetPeer())));
        string? expected = null;
        using HttpClient client = HttpOverPipe.New(
            HttpOverPipe.NewHandler(server.Name, connected: pipe => expected = Describe(((NamedPipeStream)pipe).Peer)),
            Version.Parse(version));
        string told = await client.GetStringAsync("/").InTime();
        Assert.That(told, Is.EqualTo(expected)); // the same process and user at both ends
        Assert.That(told, Does.StartWith($"{Environment.ProcessId} "));
    }

    [Test]
    public async Task ARequest_RunsAsTheClient_WhereTheSystemHasThat()
    {
        await using TestServer server = await TestServer.StartAsync(
            HttpVersion.Version11,
            app => app.MapGet("/", (HttpContext context) => Results.Text(RunAsClient(PipeOf(context)))));
        using HttpClient client = server.NewClient();
        Assert.That(await client.GetStringAsync("/").InTime(), Is.EqualTo("as expected"));
    }

    private static string RunAsClient(NamedPipe pipe)
    {
        if (!OperatingSystem.IsWindows())
        {
            Assert.Throws<NotSupportedException>(() => pipe.RunAsClient(() => { }));
            return "as expected";
        }

        string? user = pipe.RunAsClient(UserOfTheThread);
        return user == pipe.GetPeer().UserId ? "as expected" : $"as {user}";
    }

    private static string? UserOfTheThread()
    {
        if (!OperatingSystem.IsWindows())
        {
            return null;
        }

        using WindowsIdentity identity = WindowsIdentity.GetCurrent();
        return identity.User?.Value;
    }

    private static NamedPipe PipeOf(HttpContext context) => context.Features.Get<INamedPipeStreamFeature>()!.Pipe;

    private static string Describe(PeerIdentity peer) => $"{peer.ProcessId} {peer.UserId}";
}
