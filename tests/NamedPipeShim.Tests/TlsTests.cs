using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>TLS over our streams at both ends: a demanding user of a Stream, which reads and writes at once, in parts.</summary>
public class TlsTests
{
    private const int LargeSize = 8_000_003;

    [Test]
    [Category("W1")]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task BytesFlowBothWaysAtOnce()
    {
        await using TlsPair pair = await TlsPair.NewAsync();
        Assert.That(pair.Server.IsEncrypted && pair.Client.IsEncrypted);
        await Task.WhenAll(
            Task.Run(() => SendAsync(pair.Client, seed: 1)),
            Task.Run(() => SendAsync(pair.Server, seed: 2)),
            Task.Run(() => VerifyAsync(pair.Server, seed: 1)),
            Task.Run(() => VerifyAsync(pair.Client, seed: 2))).InTime();
    }

    [Test]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task MessagesGoToAndFro()
    {
        await using TlsPair pair = await TlsPair.NewAsync();
        byte[] buffer = new byte[40_000];
        foreach (int size in new[] { 1, 2, 100, 16_383, 16_384, 16_385, 40_000 })
        {
            for (int round = 0; round < 20; round++)
            {
                await pair.Client.WriteAsync(Pattern.Of(size, seed: round)).InTime();
                await pair.Server.ReadExactlyAsync(buffer.AsMemory(0, size)).InTime();
                Pattern.Verify(buffer.AsSpan(0, size), seed: round);
                await pair.Server.WriteAsync(buffer.AsMemory(0, size)).InTime();
                await pair.Client.ReadExactlyAsync(buffer.AsMemory(0, size)).InTime();
                Pattern.Verify(buffer.AsSpan(0, size), seed: round);
            }
        }
    }

    [Test]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task TheClientsCertificate_IsSeenByTheServer()
    {
        await using TlsPair pair = await TlsPair.NewAsync(clientHasCertificate: true);
        Assert.That(pair.Server.IsMutuallyAuthenticated);
        Assert.That(pair.Server.RemoteCertificate!.Subject, Is.EqualTo("CN=somebody"));
        Assert.That(pair.Client.RemoteCertificate!.Subject, Is.EqualTo("CN=pipe.test"));
    }

    [Test]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public void ACertificateThatIsNotTheExpectedOne_IsRefused()
    {
        using X509Certificate2 host = TestCertificate.New("pipe.test");
        using X509Certificate2 other = TestCertificate.New("pipe.test");
        Assert.CatchAsync<AuthenticationException>(() => TlsPair.NewAsync(host, other, person: null, expectedPerson: null));
    }

    [Test]
    [Category("R3")]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task AnEndThatSaysGoodbye_IsTheEndOfTheStream([Values] bool byServer)
    {
        await using TlsPair pair = await TlsPair.NewAsync();
        await pair.End(byServer).WriteAsync(Pattern.Of(50_000, seed: 4)).InTime();
        await pair.End(byServer).ShutdownAsync().InTime();
        await pair.End(byServer).DisposeAsync().InTime();
        using MemoryStream all = new();
        await pair.End(!byServer).CopyToAsync(all).InTime();
        Assert.That(all.Length, Is.EqualTo(50_000));
        Pattern.Verify(all.ToArray(), seed: 4);
    }

    [Test]
    [Category("W3")]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task APeerThatClosesInTheMiddle_EndsReadsAndWrites([Values] bool byServer)
    {
        await using TlsPair pair = await TlsPair.NewAsync();
        SslStream left = pair.End(!byServer);
        Task writing = Task.Run(() => SendAsync(left, seed: 1, size: long.MaxValue));
        byte[] some = new byte[100_000];
        await pair.End(byServer).ReadExactlyAsync(some).InTime();
        Pattern.Verify(some, seed: 1);
        ValueTask<int> reading = left.ReadAsync(new byte[100]);
        pair.PipeOf(byServer).Abort(); // in the middle of a record, most likely
        Assert.That(() => writing.InTime(), Throws.InstanceOf<IOException>());
        try
        {
            Assert.That(await reading.InTime(), Is.Zero);
        }
        catch (IOException)
        {
            // That is an end, too: the peer said no goodbye.
        }
    }

    [Test]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task AReadThatIsCancelled_LosesNoByte_OfTheStreamUnderneath()
    {
        // SslStream is of no use after a read of it was cancelled in the middle of a record; before the first byte of one it goes on.
        await using TlsPair pair = await TlsPair.NewAsync();
        byte[] buffer = new byte[20_000];
        for (int round = 0; round < 50; round++)
        {
            using CancellationTokenSource source = new();
            ValueTask<int> reading = pair.Server.ReadAsync(buffer, source.Token);
            Assert.That(reading.IsCompleted, Is.False);
            source.Cancel();
            OperationCanceledException cancelled =
                Assert.CatchAsync<OperationCanceledException>(() => reading.InTime())!;
            Assert.That(cancelled.CancellationToken, Is.EqualTo(source.Token));
            await pair.Client.WriteAsync(Pattern.Of(buffer.Length, seed: round)).InTime();
            await pair.Server.ReadExactlyAsync(buffer).InTime();
            Pattern.Verify(buffer, seed: round);
        }
    }

    [Test]
    [IgnoreUnderWine(TestCertificate.NoTlsUnderWine)]
    public async Task SynchronousCalls_Work()
    {
        await using TlsPair pair = await TlsPair.NewAsync();
        Task echoing = Task.Run(() =>
        {
            byte[] bytes = new byte[30_000];
            pair.Server.ReadExactly(bytes);
            pair.Server.Write(bytes);
        });
        byte[] back = new byte[30_000];
        await Task.Run(() =>
        {
            pair.Client.Write(Pattern.Of(back.Length, seed: 6));
            pair.Client.ReadExactly(back);
        }).InTime();
        await echoing.InTime();
        Pattern.Verify(back, seed: 6);
    }

    private static async Task SendAsync(Stream stream, int seed, long size = LargeSize)
    {
        byte[] bytes = new byte[60_000];
        for (long sent = 0; sent < size;)
        {
            int count = (int)Math.Min(bytes.Length, size - sent);
            for (int i = 0; i < count; i++)
            {
                bytes[i] = Pattern.At(sent + i, seed);
            }

            await stream.WriteAsync(bytes.AsMemory(0, count));
            sent += count;
        }
    }

    private static async Task VerifyAsync(Stream stream, int seed)
    {
        byte[] bytes = new byte[50_000];
        for (long received = 0; received < LargeSize;)
        {
            int count = await stream.ReadAsync(bytes);
            Assert.That(count, Is.Positive);
            Pattern.Verify(bytes.AsSpan(0, count), seed, received);
            received += count;
        }
    }
}
