using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>What only Windows has: overlapped handles, completion ports, instances that are busy.</summary>
[WindowsTests]
[SupportedOSPlatform("windows")]
public partial class WindowsTests
{
    [Test]
    [Category("K1")]
    public void AnotherMachine_CanBeGivenUp()
    {
        var options = new NamedPipeClientOptions
        {
            Name = PipeNames.New(),
            ServerName = "nobody.invalid",
            Timeout = Timeout.InfiniteTimeSpan,
        };
        using CancellationTokenSource source = new();
        Task<NamedPipeStream> connecting = NamedPipeStream.ConnectAsync(options, null, source.Token).AsTask();
        source.Cancel(); // the system goes on asking for as long as it likes
        Exception ended = Assert.CatchAsync(() => connecting.InTime())!;
        Assert.That(ended, Is.InstanceOf<OperationCanceledException>().Or.InstanceOf<NamedPipeException>());
    }

    [Test]
    [Category("X1")]
    public async Task StreamAbort_AfterDispose_EndsTheDelivery([Values] bool asynchronously)
    {
        using StreamPair pair = await StreamPair.NewAsync(
            new NamedPipeServerOptions { Name = PipeNames.New(), InBufferSize = 4096, OutBufferSize = 4096, ReadAhead = 0 });
        byte[] bytes = Pattern.Of(60_000);
        await pair.Server.WriteAsync(bytes).InTime();
        Assert.That(pair.Server.Pipe.UnsentBytes, Is.GreaterThan(0));
        if (asynchronously)
        {
            _ = pair.Server.DisposeAsync().AsTask(); // flushes, in vain
        }

        pair.Server.Dispose();
        Assert.That(pair.Server.CanWrite, Is.False);
        pair.Server.Abort();
        using MemoryStream arrived = new();
        await pair.Client.CopyToAsync(arrived).InTime();
        Assert.That(arrived.Length, Is.LessThan(bytes.Length));
    }

    [Test]
    [Category("K1")]
    public void OpenClient_WithAllInstancesTaken_IsBusy()
    {
        using TestLoop loop = new();
        using PipePair pair = PipePair.New(loop, new NamedPipeServerOptions { Name = PipeNames.New(), MaxInstances = 1 });
        NamedPipeException e = Assert.Throws<NamedPipeException>(() => NamedPipe.OpenClient(pair.Server.Pipe.Name!))!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.PipeBusy));
        Assert.That(e.NativeErrorCode, Is.EqualTo(231), "ERROR_PIPE_BUSY");
        Assert.That(e.Message, Does.Contain(pair.Server.Pipe.Name!));
    }

    [Test]
    [Category("K1")]
    public void OpenClient_InADirectionThatTheServerDoesNotHave_IsDenied()
    {
        string name = PipeNames.New();
        using NamedPipe server = NamedPipe.CreateServer(
            new NamedPipeServerOptions { Name = name, Direction = PipeDirection.In });
        NamedPipeException e = Assert.Throws<NamedPipeException>(
            () => NamedPipe.OpenClient(new NamedPipeClientOptions { Name = name, Direction = PipeDirection.In }))!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.AccessDenied));
        Assert.That(e.NativeErrorCode, Is.EqualTo(5), "ERROR_ACCESS_DENIED");
    }

    [Test]
    [Category("C5")]
    public void Connect_ThatFailsInTheBackground_IsReportedByAnEvent_AndTakeErrorGivesItOnce()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(PipeNames.New());

        // Nobody but us would do that to a handle that was lent: the connect ends with ERROR_OPERATION_ABORTED.
        Assert.That(CancelIoEx(server.Pipe.DangerousGetOSHandle(), 0));
        server.Await(PipeReadiness.Error);
        NamedPipeException? error = server.Pipe.TakeError();
        Assert.That(error, Is.Not.Null);
        Assert.That(error!.NativeErrorCode, Is.EqualTo(995), "ERROR_OPERATION_ABORTED");
        Assert.That(server.Pipe.TakeError(), Is.Null);

        // And connect may be called again.
        Assert.That(server.Pipe.TryConnect(), Is.EqualTo(PipeStatus.WouldBlock));
        using TestEnd client = loop.Add(NamedPipe.OpenClient(server.Pipe.Name!));
        server.AwaitConnected();
        client.SendTo(server, 100, seed: 1);
    }

    [Test]
    [Category("O3")]
    public void Libuv1525_FromHandle_OfASynchronousHandle_IsRefusedAtOnce()
    {
        string name = PipeNames.New();
        using NamedPipe server = NamedPipe.CreateServer(name);
        using NamedPipeClientStream client = new(".", name, PipeDirection.InOut, PipeOptions.None);
        TestThread.Run(() => client.Connect((int)Deadline.Step.TotalMilliseconds));
        NamedPipeException e = Assert.Throws<NamedPipeException>(() => NamedPipe.FromHandle(client.SafePipeHandle))!;
        Assert.That(e.Error, Is.EqualTo(NamedPipeError.NotOverlapped));
        Assert.That(client.SafePipeHandle.IsClosed, Is.False);
    }

    [Test]
    [Category("P5")]
    public void Register_OfAHandleOfTheThreadPool_Throws()
    {
        using TestLoop loop = new();
        string name = PipeNames.New();
        using TestEnd server = loop.Listen(name);
        using NamedPipeClientStream client = new(".", name, PipeDirection.InOut, PipeOptions.Asynchronous);
        TestThread.Run(() => client.Connect((int)Deadline.Step.TotalMilliseconds));
        server.AwaitConnected();
        using NamedPipe adopted = NamedPipe.FromHandle(client.SafePipeHandle);
        Assert.Throws<InvalidOperationException>(() => adopted.Register(loop.Poller, 99, PipeInterest.Both));
        adopted.Dispose();
        Assert.That(server.ReadToEnd(), Is.Empty);
    }

    [Test]
    [Category("K1")]
    public void Names_AreCaseInsensitive()
    {
        using TestLoop loop = new();
        using TestEnd server = loop.Listen(PipeNames.New());
        using TestEnd client = loop.Add(NamedPipe.OpenClient(server.Pipe.Name!.ToUpperInvariant()));
        server.AwaitConnected();
        client.SendTo(server, 100, seed: 1);
    }

    [LibraryImport("kernel32", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CancelIoEx(nint handle, nint overlapped);
}
