using System.IO.Pipes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>Options of servers, clients and pollers: O2 to O4.</summary>
public class OptionsTests
{
    private static IEnumerable<TestCaseData> BadServerOptions =>
    [
        Bad("Direction", 0, o => o.Direction = 0),
        Bad("Direction", 4, o => o.Direction = (PipeDirection)4),
        Bad("Mode", 2, o => o.Mode = (PipeMode)2),
        Bad("InBufferSize", 16_777_217, o => o.InBufferSize = 16_777_217),
        Bad("OutBufferSize", 16_777_217, o => o.OutBufferSize = 16_777_217),
        Bad("ReadAhead", 1_048_577, o => o.ReadAhead = 1_048_577),
        Bad("WriteLimit", 16_777_217, o => o.WriteLimit = 16_777_217),
    ];

    private static IEnumerable<TestCaseData> ValuesRefusedWhenSet =>
    [
        Refused("MaxInstances", 0, () => new NamedPipeServerOptions { Name = "a", MaxInstances = 0 }),
        Refused("MaxInstances", 255, () => new NamedPipeServerOptions { Name = "a", MaxInstances = 255 }),
        Refused("MaxInstances", 256, () => new NamedPipeServerOptions { Name = "a", MaxInstances = 256 }),
        Refused("MaxInstances", -2, () => new NamedPipeServerOptions { Name = "a", MaxInstances = -2 }),
        Refused("InBufferSize", -1, () => new NamedPipeServerOptions { Name = "a", InBufferSize = -1 }),
        Refused("OutBufferSize", -1, () => new NamedPipeServerOptions { Name = "a", OutBufferSize = -1 }),
        Refused("ReadAhead", -1, () => new NamedPipeServerOptions { Name = "a", ReadAhead = -1 }),
        Refused("WriteLimit", 0, () => new NamedPipeServerOptions { Name = "a", WriteLimit = 0 }),
        Refused("WriteLimit", -1, () => new NamedPipeServerOptions { Name = "a", WriteLimit = -1 }),
        Refused("Timeout", -2, () => new NamedPipeClientOptions { Name = "a", Timeout = TimeSpan.FromMilliseconds(-2) }),
        Refused("DefaultTimeout", -1, () => new NamedPipeServerOptions { Name = "a", DefaultTimeout = TimeSpan.FromTicks(-1) }),
        Refused("DefaultTimeout", 1, () => new NamedPipeServerOptions { Name = "a", DefaultTimeout = TimeSpan.MaxValue }),
        Refused("Inheritability", 2, () => new NamedPipeServerOptions { Name = "a", Inheritability = (HandleInheritability)2 }),
        Refused("Inheritability", -1, () => new NamedPipeClientOptions { Name = "a", Inheritability = (HandleInheritability)(-1) }),
        Refused("ServerOwner", 3, () => new NamedPipeClientOptions { Name = "a", ServerOwner = (PipeServerOwner)3 }),
        Refused("ImpersonationLevel", 0, () => new NamedPipeClientOptions { Name = "a", ImpersonationLevel = 0 }),
        Refused(
            "ImpersonationLevel",
            5,
            () => new NamedPipeClientOptions { Name = "a", ImpersonationLevel = (System.Security.Principal.TokenImpersonationLevel)5 }),
        Refused("ReadAhead", -2, () => new NamedPipeClientOptions { Name = "a", ReadAhead = -2 }),
        Refused("WriteLimit", -2, () => new NamedPipeClientOptions { Name = "a", WriteLimit = -2 }),
        Refused("ReadAhead", -3, () => new NamedPipeHandleOptions { ReadAhead = -3 }),
        Refused("WriteLimit", -3, () => new NamedPipeHandleOptions { WriteLimit = -3 }),
        Refused("PoolBuffers", -1, () => new NamedPipePollerOptions { PoolBuffers = -1 }),
        Refused("PoolBufferSize", -1, () => new NamedPipePollerOptions { PoolBufferSize = -1 }),
    ];

    [TestCaseSource(nameof(BadServerOptions))]
    [Category("O3")]
    public void CreateServer_WithABadOption_NamesIt(string option, Action<NamedPipeServerOptions> set)
    {
        NamedPipeServerOptions options = new() { Name = PipeNames.New() };
        set(options);
        ArgumentException e = Assert.Catch<ArgumentException>(() => NamedPipe.CreateServer(options))!;
        Assert.That(e.ParamName, Is.EqualTo(option));
        Assert.That(e.Message, Does.Contain(option));
    }

    [TestCaseSource(nameof(ValuesRefusedWhenSet))]
    [Category("O3")]
    public void SettingABadValue_NamesTheOption(string option, Func<object> set)
    {
        ArgumentOutOfRangeException e = Assert.Throws<ArgumentOutOfRangeException>(() => set())!;
        Assert.That(e.Message, Does.Contain(option));
    }

    [Test]
    [Category("O3")]
    public void OpenClient_WithABadOption_NamesIt()
    {
        string name = PipeNames.New();
        ArgumentException e = Assert.Catch<ArgumentException>(
            () => NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, Direction = (PipeDirection)9 }))!;
        Assert.That(e.ParamName, Is.EqualTo("Direction"));
        e = Assert.Catch<ArgumentException>(
            () => NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, ReadAhead = int.MaxValue }))!;
        Assert.That(e.ParamName, Is.EqualTo("ReadAhead"));
        e = Assert.Catch<ArgumentException>(
            () => NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, WriteLimit = int.MaxValue }))!;
        Assert.That(e.ParamName, Is.EqualTo("WriteLimit"));
    }

    [TestCase(65_537, 65_536, "PoolBuffers")]
    [TestCase(1, 4_095, "PoolBufferSize")]
    [TestCase(1, 1_048_577, "PoolBufferSize")]
    [Category("O3")]
    public void Poller_WithABadOption_NamesIt(int buffers, int size, string option)
    {
        ArgumentException e = Assert.Catch<ArgumentException>(() => new NamedPipePoller(
            new NamedPipePollerOptions { PoolBuffers = buffers, PoolBufferSize = size }))!;
        Assert.That(e.ParamName, Is.EqualTo(option));
    }

    [Test]
    [Category("O3")]
    public void CreateServer_WithANameThatIsTooLong_SaysTheLimit()
    {
        int limit = OperatingSystem.IsWindows() ? 256 : 107;
        int prefix = PipeNames.FullNameOf(string.Empty).Length;
        string longest = PipeNames.New().PadRight(limit - prefix, 'x');
        using (NamedPipe server = NamedPipe.CreateServer(longest))
        using (NamedPipe client = NamedPipe.OpenClient(longest))
        {
            Assert.That(server.Name, Is.EqualTo(longest));
        }

        foreach (string tooLong in new[] { longest + "x", longest + new string('x', 10_000) })
        {
            ArgumentException e = Assert.Throws<ArgumentException>(() => NamedPipe.CreateServer(tooLong))!;
            Assert.That(e.ParamName, Is.EqualTo("Name"));
            Assert.That(e.Message, Does.Contain($"{limit}"));
            e = Assert.Throws<ArgumentException>(() => NamedPipe.OpenClient(tooLong))!;
            Assert.That(e.ParamName, Is.EqualTo("Name"));
            Assert.That(e.Message, Does.Contain($"{limit}"));
        }
    }

    [Test]
    [Category("O2")]
    public void Options_SetInAnyOrder_GiveTheSamePipe()
    {
        Action<NamedPipeServerOptions>[] setters =
        [
            o => o.Direction = PipeDirection.In,
            o => o.MaxInstances = 2,
            o => o.FirstInstance = true,
            o => o.InBufferSize = 10_000,
            o => o.OutBufferSize = 20_000,
            o => o.ReadAhead = 0,
            o => o.WriteLimit = 100,
        ];
        for (int rotation = 0; rotation < setters.Length; rotation++)
        {
            NamedPipeServerOptions options = new() { Name = PipeNames.New() };
            for (int i = 0; i < setters.Length; i++)
            {
                setters[(i + rotation) % setters.Length](options);
            }

            using TestLoop loop = new();
            using PipePair pair = PipePair.New(loop, options);
            Assert.Throws<NotSupportedException>(() => pair.Server.Pipe.TryWrite(new byte[1], out _), "direction");
            pair.Client.SendTo(pair.Server, 1_000, seed: rotation);
            options.FirstInstance = false;
            using NamedPipe second = NamedPipe.CreateServer(options);
            NamedPipeException e = Assert.Throws<NamedPipeException>(() => NamedPipe.CreateServer(options).Dispose())!;
            Assert.That(e.Error, Is.EqualTo(NamedPipeError.PipeBusy), "max instances");
        }
    }

    [Test]
    [Category("O2")]
    public void EachOption_LeavesTheOthersAtTheirDefaults()
    {
        NamedPipeServerOptions server = new() { Name = "a" };
        Assert.That(server.Direction, Is.EqualTo(PipeDirection.InOut));
        Assert.That(server.MaxInstances, Is.EqualTo(NamedPipeServerOptions.UnlimitedInstances));
        server.FirstInstance = true;
        server.MaxInstances = 3;
        server.WriteLimit = 5;
        server.ReadAhead = 6;
        Assert.That(server.InBufferSize, Is.Zero);
        Assert.That(server.OutBufferSize, Is.Zero);
        Assert.That(server.Direction, Is.EqualTo(PipeDirection.InOut));
        Assert.That((server.FirstInstance, server.MaxInstances, server.WriteLimit, server.ReadAhead), Is.EqualTo((true, 3, 5, 6)));
    }

    [TestCase(1)]
    [TestCase(3)]
    [Category("O2")]
    public void MaxInstances_IsTheLimit(int limit)
    {
        NamedPipeServerOptions options = new() { Name = PipeNames.New(), MaxInstances = limit };
        List<NamedPipe> servers = [.. Enumerable.Range(0, limit).Select(_ => NamedPipe.CreateServer(options))];
        NamedPipeException e = Assert.Throws<NamedPipeException>(() => NamedPipe.CreateServer(options))!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.PipeBusy));

        // One goes, one may come.
        servers[0].Dispose();
        servers[0] = NamedPipe.CreateServer(options);
        servers.ForEach(server => server.Dispose());
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(4_096)]
    [TestCase(1_048_576)]
    [Category("O2")]
    public void BufferSizes_OfAnyValue_CarryTheSameBytes(int size)
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(
            loop, new NamedPipeServerOptions { Name = PipeNames.New(), InBufferSize = size, OutBufferSize = size });
        pair.Client.SendTo(pair.Server, 200_000, seed: 1);
        pair.Server.SendTo(pair.Client, 200_000, seed: 2);
    }

    [TestCase(0, 65_536)]
    [TestCase(1, 4_096)]
    [TestCase(300, 1_048_576)]
    [Category("O2")]
    public void Pools_OfAnySize_CarryTheSameBytes(int buffers, int size)
    {
        using TestLoop loop = new(new NamedPipePollerOptions { PoolBuffers = buffers, PoolBufferSize = size });
        using PipePair one = PipePair.New(loop);
        using PipePair two = PipePair.New(loop);
        one.Client.SendTo(one.Server, 200_000, seed: 1);
        two.Server.SendTo(two.Client, 200_000, seed: 2);
    }

    [Test]
    [Category("O4")]
    [IgnoreUnderWine("Wine does not enforce FILE_FLAG_FIRST_PIPE_INSTANCE")]
    public void CreateServer_AsTheFirstInstanceOfATakenName_IsDenied()
    {
        string name = PipeNames.New();
        using NamedPipe owner = NamedPipe.CreateServer(name);
        NamedPipeException e = Assert.Throws<NamedPipeException>(
            () => NamedPipe.CreateServer(new NamedPipeServerOptions { Name = name, FirstInstance = true }))!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.AccessDenied));
        using TestLoop loop = new();
        TestEnd server = loop.Add(owner);
        server.Pipe.TryConnect();
        using TestEnd client = loop.Add(NamedPipe.OpenClient(name));
        server.AwaitConnected();
        client.SendTo(server, 100, seed: 1);
    }

    [Test]
    [Category("O4")]
    [IgnoreUnderWine("Wine does not enforce FILE_FLAG_FIRST_PIPE_INSTANCE")]
    public void CreateServer_AsTheFirstInstanceOfANameOfSystemIOPipes_IsDenied()
    {
        string name = PipeNames.New();
        using NamedPipeServerStream owner = new(name, PipeDirection.InOut, NamedPipeServerStream.MaxAllowedServerInstances);
        NamedPipeException e = Assert.Throws<NamedPipeException>(
            () => NamedPipe.CreateServer(new NamedPipeServerOptions { Name = name, FirstInstance = true }))!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.AccessDenied));
        Assert.That(e.NativeErrorCode, Is.Not.Zero);
    }

    private static TestCaseData Bad(string option, int value, Action<NamedPipeServerOptions> set) =>
        new TestCaseData(option, set).SetArgDisplayNames(option, $"{value}");

    private static TestCaseData Refused(string option, int value, Func<object> set) =>
        new TestCaseData(option, set).SetArgDisplayNames(option, $"{value}");
}
