using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>System.IO.Pipes has no message pipes on Linux: what happens instead (docs/interop.md).</summary>
[LinuxTests]
[Category("R4")]
public class InteropMessageLinuxTests
{
    // Its name is marked as there on Windows only, which is what is tested here.
    private const PipeTransmissionMode Messages = (PipeTransmissionMode)1;

    [Test]
    public void TheirMessageServer_IsRefusedByThem() => Assert.Throws<PlatformNotSupportedException>(
        () => new NamedPipeServerStream(PipeNames.New(), PipeDirection.InOut, 1, Messages).Dispose());

    [Test]
    public void OurMessageServer_IsNotFoundByTheirClient()
    {
        string name = PipeNames.New();
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(new NamedPipeServerOptions { Name = name, Mode = PipeMode.Message });
        using NamedPipeClientStream client = new(".", name, PipeDirection.InOut);
        Assert.Throws<TimeoutException>(() => client.Connect(0));
    }

    [Test]
    public void TheirByteServer_IsNotFoundByOurMessageClient()
    {
        string name = PipeNames.New();
        using NamedPipeServerStream server = new(name, PipeDirection.InOut, 1);
        NamedPipeException error = Assert.Throws<NamedPipeException>(
            () => NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, Mode = PipeMode.Message }))!;
        Assert.That(error.Error, Is.EqualTo(NamedPipeError.NotFound));
    }

    [Test]
    public async Task OurByteServer_DoesNotLetTheirClientReadMessages()
    {
        string name = PipeNames.New();
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(name);
        using TheirEnd client = await TheirEnd.ConnectAsync(name, PipeDirection.InOut, TheirCalls.Asynchronous);
        Assert.Throws<PlatformNotSupportedException>(() => client.Stream.ReadMode = Messages);
    }
}
