using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;
using Microsoft.Win32.SafeHandles;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>O1, K3, I2 on Windows: what the system was told, read back. Wine does not enforce it.</summary>
[WindowsTests]
[SupportedOSPlatform("windows")]
public partial class WindowsAccessTests
{
    private const int OwnerAndDacl = 0x1 | 0x4;
    private const int HandleFlagInherit = 0x1;
    private const int TokenQuery = 0x8;
    private const int TokenImpersonationLevelClass = 9;

    [Test]
    [Category("O1")]
    public void DefaultAcl_LetsTheCurrentUserIn_AndNeitherEveryoneNorAnonymous([Values] PipeMode mode)
    {
        using NamedPipe server = NamedPipe.CreateServer(new NamedPipeServerOptions { Name = PipeNames.New(), Mode = mode });
        RawSecurityDescriptor found = DescriptorOf(server);
        SecurityIdentifier own = WindowsIdentity.GetCurrent().User!;
        Assert.That(found.Owner, Is.EqualTo(own));
        Assert.That(found.DiscretionaryAcl, Is.Not.Null, "No list lets everybody in.");
        CommonAce[] allowing = [.. found.DiscretionaryAcl!
            .OfType<CommonAce>().Where(ace => ace.AceQualifier == AceQualifier.AccessAllowed)];
        Assert.That(allowing, Is.Not.Empty);
        Assert.That(allowing.Select(ace => ace.SecurityIdentifier), Is.All.EqualTo(own));
    }

    [Test]
    [Category("O1")]
    public void SecurityDescriptor_IsThePipes()
    {
        using NamedPipe server = NamedPipe.CreateServer(new NamedPipeServerOptions
        {
            Name = PipeNames.New(),
            SecurityDescriptor = "D:(A;;FA;;;WD)(A;;0x12019b;;;BG)",
        });
        IEnumerable<SecurityIdentifier> found = DescriptorOf(server).DiscretionaryAcl!
            .OfType<CommonAce>().Select(ace => ace.SecurityIdentifier);
        Assert.That(found, Is.EquivalentTo(new[]
        {
            new SecurityIdentifier(WellKnownSidType.WorldSid, null),
            new SecurityIdentifier(WellKnownSidType.BuiltinGuestsSid, null),
        }));
    }

    [Test]
    [Category("O4")]
    [IgnoreUnderWine("Wine keeps a security descriptor for each instance, not for the name")]
    public void SquattedName_OfAnotherOwner_IsDeniedAndNotJoined()
    {
        using NamedPipe squatter = ServerOfTheAdministrators();
        NamedPipeException e = Assert.Throws<NamedPipeException>(() => NamedPipe.CreateServer(squatter.Name!))!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.AccessDenied));
        Assert.That(e.Message, Does.Contain(squatter.Name!));
    }

    [Test]
    [Category("O4")]
    public void OpenClient_OfAServerOfAnotherOwner_IsDeniedIfAskedFor()
    {
        using NamedPipe squatter = ServerOfTheAdministrators();
        string name = squatter.Name!;
        NamedPipeException e = Assert.Throws<NamedPipeException>(() => NamedPipe.OpenClient(
            new NamedPipeClientOptions { Name = name, ServerOwner = PipeServerOwner.CurrentUser }))!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.AccessDenied));
        Assert.That(e.Message, Does.Contain(name));
    }

    [Test]
    [Category("O1")]
    public void RemoteClientsAndDefaultTimeout_AreTaken_AndThisMachineIsStillServed()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop, new NamedPipeServerOptions
        {
            Name = PipeNames.New(),
            AllowRemoteClients = true,
            DefaultTimeout = TimeSpan.FromSeconds(1),
        });
        pair.Client.SendTo(pair.Server, 100, seed: 1);
    }

    [Test]
    [Category("O1")]
    public void Handles_AreInheritedOnlyIfAskedFor([Values] HandleInheritability inheritability)
    {
        using TestLoop loop = new();
        NamedPipeServerOptions options = new() { Name = PipeNames.New(), Inheritability = inheritability };
        using PipePair pair = PipePair.New(
            loop, options, new NamedPipeClientOptions { Name = options.Name, Inheritability = inheritability });
        foreach (NamedPipe pipe in new[] { pair.Server.Pipe, pair.Client.Pipe })
        {
            using SafeHandle lent = pipe.LendHandle();
            Assert.That(GetHandleInformation(lent, out int flags));
            Assert.That(flags & HandleFlagInherit, Is.EqualTo((int)inheritability));
        }
    }

    [Test]
    [Category("K3")]
    [Category("I2")]
    [IgnoreUnderWine("Wine does not limit impersonation")]
    public void RunAsClient_ActsAsFarAsTheClientsLevelAllows()
    {
        using TestLoop loop = new();
        foreach (TokenImpersonationLevel level in new[]
        {
            TokenImpersonationLevel.Identification,
            TokenImpersonationLevel.Impersonation,
            TokenImpersonationLevel.Delegation,
        })
        {
            NamedPipeServerOptions options = new() { Name = PipeNames.New() };
            using PipePair pair = PipePair.New(
                loop, options, new NamedPipeClientOptions { Name = options.Name, ImpersonationLevel = level });
            pair.Client.SendTo(pair.Server, 1, seed: 1);
            Assert.That(pair.Server.Pipe.RunAsClient(LevelOfTheThread), Is.EqualTo(level));
        }
    }

    [Test]
    [Category("I2")]
    public void RunAsClient_IsTheClient_UntilItReturns()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Client.SendTo(pair.Server, 1, seed: 1);
        for (int i = 0; i < 3; i++)
        {
            (bool Impersonating, SecurityIdentifier? User) seen = pair.Server.Pipe.RunAsClient(() =>
            {
                using WindowsIdentity identity = WindowsIdentity.GetCurrent();
                return (IsImpersonating(), identity.User);
            });
            Assert.That(seen.Impersonating);
            Assert.That(seen.User, Is.EqualTo(WindowsIdentity.GetCurrent().User));
            AssertThatTheThreadIsItself();
        }
    }

    [Test]
    [Category("I2")]
    public void RunAsClient_ThatThrows_IsTheProcessAgainBeforeAnyFilterRuns()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Client.SendTo(pair.Server, 1, seed: 1);
        bool? filterWasClient = null;
        try
        {
            pair.Server.Pipe.RunAsClient(() =>
            {
                Assert.That(IsImpersonating(), Is.True);
                throw new InvalidDataException();
            });
            Assert.Fail("It did not throw.");
        }
        catch (InvalidDataException) when ((filterWasClient = IsImpersonating()) is not null)
        {
            Assert.That(filterWasClient, Is.False);
        }

        AssertThatTheThreadIsItself();
    }

    [Test]
    [Category("I1")]
    [Category("I2")]
    [IgnoreUnderWine("Wine lets a server impersonate a client that it has not read from")]
    public void Client_IsKnownOnlyAfterItHasSpoken()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        PeerIdentity peer = pair.Server.Pipe.GetPeer();
        Assert.That((peer.ProcessId, peer.UserId, peer.UserName), Is.EqualTo(((int?)Environment.ProcessId, (string?)null, (string?)null)));
        Assert.That(pair.Server.Pipe.TryGetPeerUser(out string? user), Is.EqualTo(PipeStatus.WouldBlock));
        Assert.That(user, Is.Null);
        bool ran = false;
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(
            () => pair.Server.Pipe.RunAsClient(() => ran = true))!;
        Assert.That(e.Message, Does.Contain(pair.Server.Pipe.Name));
        Assert.That(ran, Is.False);
        AssertThatTheThreadIsItself();
    }

    [Test]
    [Category("R4")]
    public void MessageHandle_GivenToANamedPipeClientStream_ReadsMessages()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(new NamedPipeServerOptions { Name = PipeNames.New(), Mode = PipeMode.Message });
        NamedPipe client = NamedPipe.OpenClient(new NamedPipeClientOptions { Name = server.Pipe.Name!, Mode = PipeMode.Message });
        using NamedPipeClientStream stream = new(PipeDirection.InOut, isAsync: true, isConnected: true, client.ExportHandle())
        {
            ReadMode = PipeTransmissionMode.Message,
        };
        client.Dispose();
        server.AwaitConnected();
        MessageTests.WriteMessage(server, Pattern.Of(10));
        MessageTests.WriteMessage(server, Pattern.Of(3));
        byte[] buffer = new byte[100];
        TestThread.Run(() =>
        {
            Task<int> read = stream.ReadAsync(buffer, 0, buffer.Length);
            Assert.That(read.Wait(Deadline.Step));
            Assert.That(read.Result, Is.EqualTo(10));
            Assert.That(stream.IsMessageComplete);
        });
    }

    private static NamedPipe ServerOfTheAdministrators()
    {
        NamedPipe server = NamedPipe.CreateServer(new NamedPipeServerOptions
        {
            Name = PipeNames.New(),
            SecurityDescriptor = "O:BAD:(A;;FA;;;WD)",
        });
        Assert.That(
            DescriptorOf(server).Owner, Is.EqualTo(new SecurityIdentifier(WellKnownSidType.BuiltinAdministratorsSid, null)));
        return server;
    }

    /// <summary>As the system has it: SECURITY_IMPERSONATION_LEVEL counts from anonymous, the enumeration from none.</summary>
    private static TokenImpersonationLevel LevelOfTheThread()
    {
        Assert.That(OpenThreadToken(-2, TokenQuery, openAsSelf: true, out SafeAccessTokenHandle token));
        using (token)
        {
            Assert.That(GetTokenInformation(token, TokenImpersonationLevelClass, out int level, sizeof(int), out _));
            return (TokenImpersonationLevel)(level + 1);
        }
    }

    private static bool IsImpersonating()
    {
        using WindowsIdentity? thread = WindowsIdentity.GetCurrent(ifImpersonating: true);
        return thread is not null;
    }

    private static void AssertThatTheThreadIsItself() => Assert.That(IsImpersonating(), Is.False);

    private static RawSecurityDescriptor DescriptorOf(NamedPipe pipe)
    {
        using SafeHandle lent = pipe.LendHandle();
        byte[] bytes = new byte[4_096];
        return GetKernelObjectSecurity(lent, OwnerAndDacl, bytes, bytes.Length, out _)
            ? new RawSecurityDescriptor(bytes, 0)
            : throw new IOException($"Error {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("advapi32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetKernelObjectSecurity(
        SafeHandle handle, int information, [Out] byte[] descriptor, int size, out int needed);

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetHandleInformation(SafeHandle handle, out int flags);

    [LibraryImport("advapi32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool OpenThreadToken(
        nint thread, int access, [MarshalAs(UnmanagedType.Bool)] bool openAsSelf, out SafeAccessTokenHandle token);

    [LibraryImport("advapi32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetTokenInformation(
        SafeAccessTokenHandle token, int kind, out int value, int size, out int needed);
}
