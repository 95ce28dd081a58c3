using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using NamedPipeShim.Kestrel.Tests.Support;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Kestrel.Tests;

/// <summary>TLS between a real HTTP client and Kestrel, over a pipe: <c>UseHttps</c> as with any endpoint.</summary>
public class HttpsTests
{
    private const long LargeSize = 5_000_003;
    private const string Host = "pipe"; // of HttpOverPipe's addresses

    private X509Certificate2 _host = null!;

    [OneTimeSetUp]
    public void MakeTheCertificate()
    {
        if (!RunningSystem.IsWine)
        {
            _host = TestCertificate.New(Host);
        }
    }

    [OneTimeTearDown]
    public void DisposeTheCertificate() => _host?.Dispose();

    [TestCase("1.1")]
    [TestCase("2.0")]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task OneEndPoint_ServesBothVersions_AsTheClientAsks(string version)
    {
        Version asked = Version.Parse(version);
        await using TestServer server = await StartAsync();
        using HttpClient client = NewClient(server, asked);
        using HttpResponseMessage answer = await client.GetAsync("/about").InTime();
        Assert.That(answer.Version, Is.EqualTo(asked)); // agreed on by ALPN
        Assert.That(
            await answer.Content.ReadAsStringAsync(),
            Is.EqualTo($"HTTP/{(asked.Major == 2 ? "2" : "1.1")} https tls {server.Name} {Environment.ProcessId}"));
    }

    [TestCase("1.1")]
    [TestCase("2.0")]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task LargeBodies_ArriveBothWays(string version)
    {
        await using TestServer server = await StartAsync();
        using HttpClient client = NewClient(server, Version.Parse(version));
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
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task TheClientsCertificate_IsTheRequests()
    {
        using X509Certificate2 person = TestCertificate.New("somebody");
        await using TestServer server = await StartAsync(https =>
        {
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (found, _, _) => found.Thumbprint == person.Thumbprint;
        });
        using (HttpClient client = NewClient(server, HttpVersion.Version11, person))
        {
            Assert.That(await client.GetStringAsync("/who").InTime(), Is.EqualTo("CN=somebody"));
        }

        using HttpClient nobody = NewClient(server, HttpVersion.Version11);
        Assert.ThrowsAsync<HttpRequestException>(() => nobody.GetStringAsync("/who").InTime());
    }

    [Test]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task AServerWithAnotherCertificate_IsRefused_AndServesOthers()
    {
        await using TestServer server = await StartAsync();
        using X509Certificate2 other = TestCertificate.New(Host);
        using (HttpClient suspicious = NewClient(server, HttpVersion.Version20, takes: other))
        {
            Assert.ThrowsAsync<HttpRequestException>(() => suspicious.GetStringAsync("/about").InTime());
        }

        using HttpClient client = NewClient(server, HttpVersion.Version20);
        Assert.That(await client.GetStringAsync("/about").InTime(), Does.StartWith("HTTP/2"));
    }

    [Test]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task AClientThatSpeaksNoTls_OrVanishesInTheHandshake_DoesNotEndTheServer()
    {
        await using TestServer server = await StartAsync();
        foreach (byte[] hello in new[] { "GET / HTTP/1.1\r\n\r\n"u8.ToArray(), [0x16, 3, 1, 1, 0, 1], [] })
        {
            NamedPipeStream stream = await NamedPipeStream.ConnectAsync(
                new NamedPipeClientOptions { Name = server.Name, Timeout = Deadline.Step }).InTime();
            await stream.WriteAsync(hello).InTime();
            if (hello.Length > 6)
            {
                await AwaitEndAsync(stream); // refused
            }

            stream.Abort();
        }

        using HttpClient client = NewClient(server, HttpVersion.Version11);
        Assert.That(await client.GetStringAsync("/about").InTime(), Does.StartWith("HTTP/1.1"));
    }

    [Test]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task GrpcStreams_FlowBothWaysAtOnce()
    {
        await using GrpcServer server = await GrpcServer.StartAsync(listen: listen => listen.UseHttps(_host));
        using GrpcChannel channel = GrpcServer.NewChannel("https", NewHandler(server.Name));
        await GrpcTests.ExchangeAsync(channel, LargeSize).InTime();
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

    private static void Map(WebApplication application)
    {
        application.MapGet("/about", (HttpContext context) =>
        {
            NamedPipe pipe = context.Features.Get<INamedPipeStreamFeature>()!.Pipe;
            string tls = context.Features.Get<ITlsHandshakeFeature>() is null ? "plain" : "tls";
            return $"{context.Request.Protocol} {context.Request.Scheme} {tls} {pipe.Name} {pipe.GetPeerProcessId()}";
        });
        application.MapGet("/who", (HttpContext context) => context.Connection.ClientCertificate?.Subject ?? "nobody");
        application.MapPost("/up", async (HttpContext context) => await context.Response.WriteAsync(
            $"{await TestServer.VerifyPatternAsync(context.Request.Body, seed: 1)} bytes"));
        application.MapGet("/down", (HttpContext context) => TestServer.SendPatternAsync(context, LargeSize, seed: 2));
    }

    private Task<TestServer> StartAsync(Action<HttpsConnectionAdapterOptions>? configure = null) => TestServer.StartAsync(
        HttpVersion.Version11,
        Map,
        listen: listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(_host, https => configure?.Invoke(https));
        });

    private HttpClient NewClient(
        TestServer server, Version version, X509Certificate2? person = null, X509Certificate2? takes = null) =>
        HttpOverPipe.New(NewHandler(server.Name, person, takes), version, "https");

    private SocketsHttpHandler NewHandler(string name, X509Certificate2? person = null, X509Certificate2? takes = null)
    {
        SocketsHttpHandler handler = HttpOverPipe.NewHandler(name);
        string expected = (takes ?? _host).Thumbprint;
        handler.SslOptions = new SslClientAuthenticationOptions
        {
            ClientCertificates = person is null ? null : [person],
            RemoteCertificateValidationCallback = (_, found, _, _) => found?.GetCertHashString() == expected,
        };
        return handler;
    }
}
