using System.IO.Pipes;
using Microsoft.Win32.SafeHandles;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What no correct program passes: each has its own clear exception, never a crash, a hang or a silent success.</summary>
[Category("O3")]
public class BadInputTests
{
    private static readonly string[] s_badNames =
    [
        "with\0nul",
        "\0leading",
        "lone\uD800surrogate",
        "lone\uDC00surrogate",
        "anonymous",
    ];

    [Test]
    public void NullArguments_AreRefused()
    {
        using NamedPipe pipe = NamedPipe.CreateServer(PipeNames.New());
        Assert.Throws<ArgumentNullException>(() => NamedPipe.CreateServer((NamedPipeServerOptions)null!));
        Assert.Throws<ArgumentNullException>(() => NamedPipe.CreateServer((string)null!));
        Assert.Throws<ArgumentNullException>(() => NamedPipe.OpenClient((NamedPipeClientOptions)null!));
        Assert.Throws<ArgumentNullException>(() => NamedPipe.OpenClient((string)null!));
        Assert.Throws<ArgumentNullException>(() => NamedPipe.FromHandle(null!));
        Assert.Throws<ArgumentNullException>(() => pipe.Register(null!, 1, PipeInterest.Both));
        Assert.That(pipe.Poller, Is.Null);
    }

    [TestCaseSource(nameof(s_badNames))]
    public void BadNames_AreRefused(string name)
    {
        ArgumentException e = Assert.Throws<ArgumentException>(() => NamedPipe.CreateServer(name))!;
        Assert.That(e.ParamName, Is.EqualTo("Name"));
        e = Assert.Throws<ArgumentException>(() => NamedPipe.OpenClient(name))!;
        Assert.That(e.ParamName, Is.EqualTo("Name"));
    }

    [Test]
    public void EmptyName_IsRefused()
    {
        Assert.That(Assert.Throws<ArgumentException>(() => NamedPipe.CreateServer(string.Empty))!.ParamName, Is.EqualTo("Name"));
        Assert.That(Assert.Throws<ArgumentException>(() => NamedPipe.OpenClient(string.Empty))!.ParamName, Is.EqualTo("Name"));
    }

    [Test]
    public void Separators_InAShortName_AreRefused()
    {
        string[] names = OperatingSystem.IsWindows()
            ? [@"a\b", @"a\", @"\a", @"\\.\pipe\", @"\\.\pipe\a\b", @"\\server\pipe\a\b"]
            : ["a/b", "a/", "./a"];
        foreach (string name in names)
        {
            Assert.That(Assert.Throws<ArgumentException>(() => NamedPipe.CreateServer(name), name)!.ParamName, Is.EqualTo("Name"));
            Assert.That(Assert.Throws<ArgumentException>(() => NamedPipe.OpenClient(name), name)!.ParamName, Is.EqualTo("Name"));
        }
    }

    [TestCase("with space")]
    [TestCase("ünïcödé-名前-🚀")]
    [TestCase("a.b,c;d'e\"f")]
    public void UnusualNames_ThatAreValid_Work(string part)
    {
        if (OperatingSystem.IsWindows())
        {
            part = part.Replace('"', '_');
        }

        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop, new NamedPipeServerOptions { Name = PipeNames.New() + part });
        pair.Client.SendTo(pair.Server, 10, seed: 1);
    }

    [TestCase(PipeInterest.None)]
    [TestCase(PipeInterest.OnDemand)]
    [TestCase((PipeInterest)8)]
    [TestCase(PipeInterest.Both | (PipeInterest)8)]
    [TestCase((PipeInterest)(-1))]
    public void BadInterest_IsRefused(PipeInterest interest)
    {
        using TestLoop loop = new();
        using NamedPipe pipe = NamedPipe.CreateServer(PipeNames.New());
        ArgumentOutOfRangeException e = Assert.Throws<ArgumentOutOfRangeException>(
            () => pipe.Register(loop.Poller, 1, interest))!;
        Assert.That(e.ParamName, Is.EqualTo("interest"));
        Assert.That(pipe.Poller, Is.Null);
        pipe.Register(loop.Poller, 1, PipeInterest.Both);
        e = Assert.Throws<ArgumentOutOfRangeException>(() => pipe.Reregister(1, interest))!;
        Assert.That(e.ParamName, Is.EqualTo("interest"));
    }

    [Test]
    public void Wait_WithoutRoomOrWithANegativeTime_IsRefused()
    {
        using NamedPipePoller poller = new();
        Assert.That(Assert.Throws<ArgumentException>(() => poller.Wait([], TimeSpan.Zero))!.ParamName, Is.EqualTo("events"));
        PipeEvent[] events = new PipeEvent[1];
        foreach (TimeSpan time in new[] { TimeSpan.FromTicks(-1), TimeSpan.FromMilliseconds(-2), TimeSpan.MinValue })
        {
            ArgumentOutOfRangeException e = Assert.Throws<ArgumentOutOfRangeException>(() => poller.Wait(events, time))!;
            Assert.That(e.ParamName, Is.EqualTo("timeout"));
        }

        // The longest time there is overflows nowhere.
        poller.Wake(1);
        Assert.That(poller.Wait(events, TimeSpan.MaxValue), Is.EqualTo(1));
    }

    [Test]
    public void Close_WithANegativeTime_IsRefused()
    {
        using NamedPipe pipe = NamedPipe.CreateServer(PipeNames.New());
        ArgumentOutOfRangeException e = Assert.Throws<ArgumentOutOfRangeException>(() => pipe.Close(TimeSpan.FromSeconds(-2)))!;
        Assert.That(e.ParamName, Is.EqualTo("linger"));

        // It was not closed by that; and the longest time there is overflows nowhere.
        Assert.That(pipe.TryConnect(), Is.EqualTo(PipeStatus.WouldBlock));
        Assert.That(pipe.Close(TimeSpan.MaxValue), Is.True);
    }

    [Test]
    public void InputAndOutput_OfAServerThatIsNotConnecting_IsNotConnected()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Add(NamedPipe.CreateServer(PipeNames.New()));
        foreach (Action call in new Action[]
        {
            () => server.Pipe.TryRead(new byte[1], out _),
            () => server.Pipe.TryWrite(new byte[1], out _),
        })
        {
            Assert.That(
                call, Throws.TypeOf<NamedPipeException>().With.Property("Error").EqualTo(NamedPipeError.NotConnected));
        }
    }

    [Test]
    public void FromHandle_WithNoHandle_IsRefused()
    {
        using SafePipeHandle invalid = new();
        Assert.That(Assert.Throws<ArgumentException>(() => NamedPipe.FromHandle(invalid))!.ParamName, Is.EqualTo("handle"));
        using SafePipeHandle minusOne = new(-1, ownsHandle: false);
        Assert.That(Assert.Throws<ArgumentException>(() => NamedPipe.FromHandle(minusOne))!.ParamName, Is.EqualTo("handle"));
        using AnonymousPipeServerStream stream = new();
        SafePipeHandle closed = stream.SafePipeHandle;
        closed.Dispose();
        Assert.That(Assert.Throws<ArgumentException>(() => NamedPipe.FromHandle(closed))!.ParamName, Is.EqualTo("handle"));
    }

    [Test]
    public void FromHandle_OfAFile_IsNotAPipeAndLeavesItOpen()
    {
        using FileStream file = new(typeof(BadInputTests).Assembly.Location, FileMode.Open, FileAccess.Read);
        using SafePipeHandle handle = new(file.SafeFileHandle.DangerousGetHandle(), ownsHandle: false);
        NamedPipeException e = Assert.Throws<NamedPipeException>(() => NamedPipe.FromHandle(handle))!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.NotAPipe));
        Assert.That(handle.IsClosed, Is.False);
        Assert.That(file.ReadByte(), Is.GreaterThanOrEqualTo(0));
    }

    [Test]
    public void FromHandle_OfAnAnonymousPipe_IsRefusedAndLeavesItOpen()
    {
        using AnonymousPipeServerStream server = new(PipeDirection.Out, HandleInheritability.None);
        using AnonymousPipeClientStream client = new(PipeDirection.In, server.ClientSafePipeHandle);
        NamedPipeException e = Assert.Throws<NamedPipeException>(() => NamedPipe.FromHandle(client.SafePipeHandle))!;
        Assert.That(e.Error, Is.AnyOf(NamedPipeError.NotAPipe, NamedPipeError.NotOverlapped));
        Assert.That(client.SafePipeHandle.IsClosed, Is.False);
        server.Write([5]);
        Assert.That(client.ReadByte(), Is.EqualTo(5));
    }
}
