using System.IO.Pipes;
using System.Security.Principal;
using Microsoft.Win32.SafeHandles;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What a program did wrong is said so that it can be found: by the option, by the direction, by the right exception.</summary>
public sealed class UserErrorsTests
{
    private static IEnumerable<TestCaseData> ServerOptionsOfTheOtherSystem() => OperatingSystem.IsWindows()
        ? [Case(nameof(NamedPipeServerOptions.UnixFileMode), o => o.UnixFileMode = UnixFileMode.UserRead)]
        : [
            Case(nameof(NamedPipeServerOptions.SecurityDescriptor), o => o.SecurityDescriptor = "D:P(A;;FA;;;OW)"),
            Case(nameof(NamedPipeServerOptions.AllowRemoteClients), o => o.AllowRemoteClients = true),
            Case(nameof(NamedPipeServerOptions.DefaultTimeout), o => o.DefaultTimeout = TimeSpan.FromSeconds(1)),
        ];

    private static TestCaseData Case(string option, Action<NamedPipeServerOptions> set) =>
        new TestCaseData(option, set).SetArgDisplayNames(option);

    [TestCaseSource(nameof(ServerOptionsOfTheOtherSystem))]
    public void AServerOption_ThatThisSystemDoesNotHave_IsNamed(string option, Action<NamedPipeServerOptions> set)
    {
        NamedPipeServerOptions options = new() { Name = PipeNames.New() };
        set(options);
        NotSupportedException? error = Assert.Throws<NotSupportedException>(() => NamedPipe.CreateServer(options));
        Assert.That(error!.Message, Does.Contain(option).And.Contain(options.Name));
    }

    [Test]
    public void AClientOption_ThatThisSystemDoesNotHave_IsNamed([Values] bool impersonation, [Values] bool asynchronous)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Pass("Windows has them all.");
        }

        NamedPipeClientOptions options = new() { Name = PipeNames.New() };
        if (impersonation)
        {
            options.ImpersonationLevel = TokenImpersonationLevel.Impersonation;
        }
        else
        {
            options.ServerName = "elsewhere";
        }

        NotSupportedException? error = asynchronous
            ? Assert.ThrowsAsync<NotSupportedException>(() => NamedPipeStream.ConnectAsync(options).AsTask())
            : Assert.Throws<NotSupportedException>(() => NamedPipe.OpenClient(options));
        Assert.That(error!.Message, Does.Contain(impersonation ? "ImpersonationLevel" : "ServerName").And.Contain(options.Name));
    }

    [Test]
    public async Task TheWrongDirection_IsSaid()
    {
        NamedPipeServerOptions options = new() { Name = PipeNames.New(), Direction = PipeDirection.Out };
        using StreamPair pair = await StreamPair.NewAsync(options);
        NotSupportedException? error = Assert.ThrowsAsync<NotSupportedException>(() => pair.Client.WriteAsync(new byte[1]).AsTask());
        Assert.That(error!.Message, Does.Contain("only reads").And.Contain(options.Name));
        error = Assert.Throws<NotSupportedException>(() => pair.Server.ReadByte());
        Assert.That(error!.Message, Does.Contain("only writes").And.Contain(options.Name));
    }

    [Test]
    public void ADescriptorThatIsNotOpen_IsABadArgument()
    {
        using SafePipeHandle none = new(0x7FFF_FFF0, ownsHandle: false);
        ArgumentException? error = Assert.Throws<ArgumentException>(() => NamedPipe.FromHandle(none).Dispose());
        Assert.That(error!.ParamName, Is.EqualTo("handle"));
    }
}
