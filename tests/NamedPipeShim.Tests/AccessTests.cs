using System.IO.Pipes;
using System.Security.Principal;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Who may connect and who is trusted, on both systems: O1, O3, O4, K3.</summary>
public class AccessTests
{
    private static IEnumerable<TestCaseData> Accesses
    {
        get
        {
            yield return new TestCaseData((Action<NamedPipeServerOptions>)(_ => { })).SetArgDisplayNames("default");
            yield return new TestCaseData((Action<NamedPipeServerOptions>)(o => o.CurrentElevationOnly = true))
                .SetArgDisplayNames("elevation");
            yield return OperatingSystem.IsWindows()
                ? new TestCaseData((Action<NamedPipeServerOptions>)(o => o.SecurityDescriptor = "D:(A;;FA;;;WD)"))
                    .SetArgDisplayNames("everyone")
                : new TestCaseData((Action<NamedPipeServerOptions>)(o => o.UnixFileMode = (UnixFileMode)0x1B6))
                    .SetArgDisplayNames("everyone");
        }
    }

    [TestCaseSource(nameof(Accesses))]
    [Category("O1")]
    public void EveryAccess_LetsOurOwnUserIn_AndMakeASecondInstance(Action<NamedPipeServerOptions> set)
    {
        using TestLoop loop = new();
        NamedPipeServerOptions options = new() { Name = PipeNames.New() };
        set(options);
        using PipePair first = PipePair.New(loop, options);
        using PipePair second = PipePair.New(loop, options);
        first.Client.SendTo(first.Server, 100, seed: 1);
        second.Server.SendTo(second.Client, 100, seed: 2);
    }

    [Test]
    [Category("O1")]
    public void WhatTheSystemDoesNotHave_IsNotSupported_AndNamesThePipe()
    {
        string name = PipeNames.New();
        NamedPipeServerOptions[] servers = OperatingSystem.IsWindows()
            ? [new() { Name = name, UnixFileMode = UnixFileMode.UserWrite }]
            : [
                new() { Name = name, SecurityDescriptor = "D:(A;;FA;;;OW)" },
                new() { Name = name, AllowRemoteClients = true },
                new() { Name = name, DefaultTimeout = TimeSpan.FromSeconds(1) },
            ];
        foreach (NamedPipeServerOptions options in servers)
        {
            NotSupportedException e = Assert.Throws<NotSupportedException>(() => NamedPipe.CreateServer(options))!;
            Assert.That(e.Message, Does.Contain(name));
        }

        if (!OperatingSystem.IsWindows())
        {
            using NamedPipe server = NamedPipe.CreateServer(name);
            NamedPipeClientOptions[] clients =
            [
                new() { Name = name, ServerName = "elsewhere" },
                new() { Name = name, ImpersonationLevel = TokenImpersonationLevel.Impersonation },
            ];
            foreach (NamedPipeClientOptions options in clients)
            {
                Assert.Throws<NotSupportedException>(() => NamedPipe.OpenClient(options));
            }
        }
    }

    [Test]
    [Category("O2")]
    public void Accesses_ThatContradictEachOther_AreRefusedAndNamed()
    {
        Check(
            new() { Name = "a", CurrentElevationOnly = true, SecurityDescriptor = "D:(A;;FA;;;OW)" },
            nameof(NamedPipeServerOptions.CurrentElevationOnly));
        Check(
            new() { Name = "a", CurrentElevationOnly = true, UnixFileMode = UnixFileMode.UserWrite },
            nameof(NamedPipeServerOptions.CurrentElevationOnly));
        Check(
            new() { Name = "a", UnixFileMode = UnixFileMode.UserWrite, SecurityDescriptor = "D:(A;;FA;;;OW)" },
            nameof(NamedPipeServerOptions.UnixFileMode));
        Check(new() { Name = "a", UnixGroup = 5 }, nameof(NamedPipeServerOptions.UnixGroup));

        static void Check(NamedPipeServerOptions options, string option)
        {
            ArgumentException e = Assert.Throws<ArgumentException>(() => NamedPipe.CreateServer(options))!;
            Assert.That(e.ParamName, Is.EqualTo(option));
            Assert.That(e.Message, Does.Contain(option));
        }
    }

    [Test]
    [Category("O3")]
    public void BadAccesses_AreNamed()
    {
        string name = PipeNames.New();
        ArgumentException e;
        if (OperatingSystem.IsWindows())
        {
            foreach (string bad in new[] { "no descriptor", "D:(A;;FA;;;NOBODY)" })
            {
                e = Assert.Catch<ArgumentException>(
                    () => NamedPipe.CreateServer(new NamedPipeServerOptions { Name = name, SecurityDescriptor = bad }))!;
                Assert.That(e.ParamName, Is.EqualTo("SecurityDescriptor"));
            }
        }
        else
        {
            foreach (UnixFileMode bad in new[] { UnixFileMode.None, UnixFileMode.SetUser, (UnixFileMode)(-1) })
            {
                e = Assert.Catch<ArgumentException>(
                    () => NamedPipe.CreateServer(new NamedPipeServerOptions { Name = name, UnixFileMode = bad }))!;
                Assert.That(e.ParamName, Is.EqualTo("UnixFileMode"));
                Assert.That(e.Message, Does.Contain(name));
            }
        }

        foreach (string bad in new[] { "a\0b", "\ud800" })
        {
            e = Assert.Catch<ArgumentException>(
                () => NamedPipe.CreateServer(new NamedPipeServerOptions { Name = name, SecurityDescriptor = bad }))!;
            Assert.That(e.ParamName, Is.EqualTo("SecurityDescriptor"));
            e = Assert.Catch<ArgumentException>(
                () => NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, ServerName = bad }))!;
            Assert.That(e.ParamName, Is.EqualTo("ServerName"));
        }

        foreach (string bad in new[] { @"a\b", "a/b" })
        {
            e = Assert.Catch<ArgumentException>(
                () => NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, ServerName = bad }))!;
            Assert.That(e.ParamName, Is.EqualTo("ServerName"));
        }
    }

    [TestCase(".")]
    [Category("K1")]
    public void ThisMachine_CanBeNamed(string server)
    {
        using TestLoop loop = new();
        NamedPipeServerOptions options = new() { Name = PipeNames.New() };
        using PipePair pair = PipePair.New(
            loop, options, new NamedPipeClientOptions { Name = options.Name, ServerName = server });
        pair.Client.SendTo(pair.Server, 100, seed: 1);
    }

    [Test]
    [Category("K3")]
    public void EveryServerOwner_TrustsAServerOfOurOwn([Values] PipeServerOwner owner)
    {
        using TestLoop loop = new();
        NamedPipeServerOptions options = new() { Name = PipeNames.New() };
        using PipePair pair = PipePair.New(
            loop, options, new NamedPipeClientOptions { Name = options.Name, ServerOwner = owner });
        pair.Client.SendTo(pair.Server, 100, seed: 1);
    }

    [TestCase(PipeDirection.In)]
    [TestCase(PipeDirection.Out)]
    [Category("K1")]
    public void OneWayMessageClients_ReadAndWriteMessages(PipeDirection ofServer)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(
            loop, new NamedPipeServerOptions { Name = PipeNames.New(), Mode = PipeMode.Message, Direction = ofServer });
        TestEnd writer = pair.End(ofServer == PipeDirection.Out);
        TestEnd reader = pair.End(ofServer == PipeDirection.In);
        MessageTests.WriteMessage(writer, Pattern.Of(10));
        MessageTests.WriteMessage(writer, []);
        Assert.That(MessageTests.ReadMessage(reader, 4), Is.EqualTo(Pattern.Of(10)));
        Assert.That(MessageTests.ReadMessage(reader, 4), Is.Empty);
        Assert.Throws<NotSupportedException>(() => reader.Pipe.TryWrite(new byte[1], out _));
        Assert.Throws<NotSupportedException>(() => writer.Pipe.TryRead(new byte[1], out _));
        Assert.Throws<NotSupportedException>(() => writer.Pipe.TryPeek(new byte[1], out _, out _));
    }

    [Test]
    [Category("I2")]
    public void RunAsClient_IsForAWindowsServerAlone_AndNotForTasks()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop);
        pair.Client.SendTo(pair.Server, 1, seed: 1);
        bool ran = false;
        NotSupportedException e = Assert.Throws<NotSupportedException>(() => pair.Client.Pipe.RunAsClient(() => ran = true))!;
        Assert.That(e.Message, Does.Contain(pair.Client.Pipe.Name));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Throws<NotSupportedException>(() => pair.Server.Pipe.RunAsClient(() => ran = true));
        }

        Assert.Throws<ArgumentException>(() => pair.Server.Pipe.RunAsClient(() => Task.CompletedTask));
        Func<ValueTask<int>> method = () => throw new InvalidOperationException();
        Assert.Throws<ArgumentException>(() => { _ = pair.Server.Pipe.RunAsClient(method).AsTask(); });
        Assert.That(ran, Is.False);
    }
}
