using System.Runtime.Versioning;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>O1 on Linux: the socket file has the permissions that were asked for.</summary>
[LinuxTests]
[SupportedOSPlatform("linux")]
public class LinuxAccessTests
{
    [TestCase(0x180)]
    [TestCase(0x190)]
    [TestCase(0x1B6)]
    [TestCase(0x1FF)]
    [Category("O1")]
    public void UnixFileMode_IsTheSocketFiles(int mode)
    {
        string name = PipeNames.New();
        using NamedPipe server = NamedPipe.CreateServer(
            new NamedPipeServerOptions { Name = name, UnixFileMode = (UnixFileMode)mode });
        Assert.That(File.GetUnixFileMode(PipeNames.FullNameOf(name)), Is.EqualTo((UnixFileMode)mode));
    }

    [Test]
    [Category("O1")]
    public void Default_IsTheCurrentUserOnly_ForMessagePipesToo([Values] PipeMode mode)
    {
        string path = Path.Combine(Path.GetTempPath(), PipeNames.New());
        using NamedPipe server = NamedPipe.CreateServer(new NamedPipeServerOptions { Name = path, Mode = mode });
        Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    [Category("O1")]
    public void Descriptors_AreInheritedOnlyIfAskedFor([Values] HandleInheritability inheritability)
    {
        const int CloseOnExec = 0x80000;
        using TestLoop loop = new();
        NamedPipeServerOptions options = new() { Name = PipeNames.New(), Inheritability = inheritability };
        using PipePair pair = PipePair.New(
            loop, options, new NamedPipeClientOptions { Name = options.Name, Inheritability = inheritability });
        foreach (NamedPipe pipe in new[] { pair.Server.Pipe, pair.Client.Pipe })
        {
            string line = File.ReadLines($"/proc/self/fdinfo/{pipe.DangerousGetOSHandle()}").First(l => l.StartsWith("flags:"));
            int flags = Convert.ToInt32(line["flags:".Length..].Trim(), fromBase: 8);
            Assert.That((flags & CloseOnExec) == 0, Is.EqualTo(inheritability == HandleInheritability.Inheritable));
        }
    }

    [Test]
    [Category("R4")]
    public void MessagePipe_AndBytePipe_OfOneShortName_AreTwo()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using PipePair bytes = PipePair.New(loop, new NamedPipeServerOptions { Name = name });
        using PipePair messages = PipePair.New(loop, new NamedPipeServerOptions { Name = name, Mode = PipeMode.Message });
        bytes.Client.SendTo(bytes.Server, 10, seed: 1);
        MessageTests.WriteMessage(messages.Client, []);
        Assert.That(MessageTests.ReadMessage(messages.Server, 10), Is.Empty);
    }
}
