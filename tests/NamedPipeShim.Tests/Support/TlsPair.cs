using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace NamedPipeShim.Tests.Support;

/// <summary>A pair of streams with TLS on them; each end takes exactly the certificate that the test made for the other.</summary>
internal sealed class TlsPair : IAsyncDisposable
{
    private const string Host = "pipe.test";

    private readonly StreamPair _pipes;

    private TlsPair(StreamPair pipes, SslStream server, SslStream client)
    {
        _pipes = pipes;
        Server = server;
        Client = client;
    }

    public SslStream Server { get; }

    public SslStream Client { get; }

    public NamedPipeStream PipeOf(bool ofServer) => _pipes.End(ofServer);

    public SslStream End(bool ofServer) => ofServer ? Server : Client;

    public static async Task<TlsPair> NewAsync(bool clientHasCertificate = false)
    {
        using X509Certificate2 host = TestCertificate.New(Host);
        using X509Certificate2? person = clientHasCertificate ? TestCertificate.New("somebody") : null;
        return await NewAsync(host, host, person, person);
    }

    /// <param name="host">The server's certificate.</param>
    /// <param name="expectedHost">The one that the client takes.</param>
    /// <param name="person">The client's certificate, if it has one.</param>
    /// <param name="expectedPerson">The one that the server takes; null: it asks for none.</param>
    public static async Task<TlsPair> NewAsync(
        X509Certificate2 host, X509Certificate2 expectedHost, X509Certificate2? person, X509Certificate2? expectedPerson)
    {
        StreamPair pipes = await StreamPair.NewAsync();
        SslStream server = new(pipes.Server, leaveInnerStreamOpen: false);
        SslStream client = new(pipes.Client, leaveInnerStreamOpen: false);
        TlsPair pair = new(pipes, server, client);
        Exception? first = null;
        try
        {
            await Task.WhenAll(
                EndingBoth(server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                {
                    ServerCertificate = host,
                    ClientCertificateRequired = expectedPerson is not null,
                    RemoteCertificateValidationCallback = (_, found, _, _) => IsThis(expectedPerson, found),
                })),
                EndingBoth(client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
                {
                    TargetHost = Host,
                    ClientCertificates = person is null ? null : [person],
                    RemoteCertificateValidationCallback = (_, found, _, _) => IsThis(expectedHost, found),
                }))).InTime();
        }
        catch (Exception error)
        {
            await pair.DisposeAsync();
            throw first ?? error; // the other end's is but a closed pipe
        }

        return pair;

        // One end alone would wait for the other.
        async Task EndingBoth(Task handshake)
        {
            try
            {
                await handshake;
            }
            catch (Exception error)
            {
                Interlocked.CompareExchange(ref first, error, null);
                pipes.Dispose();
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _pipes.Dispose(); // no word of farewell
        await Client.DisposeAsync();
        await Server.DisposeAsync();
    }

    private static bool IsThis(X509Certificate2? expected, X509Certificate? found) =>
        expected is null ? found is null : found is not null && found.GetCertHash().AsSpan().SequenceEqual(expected.GetCertHash());
}
