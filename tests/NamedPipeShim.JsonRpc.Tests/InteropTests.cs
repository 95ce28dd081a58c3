using System.IO.Pipes;
using NamedPipeShim.Rpc.Tests.Support;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Rpc.Tests;

/// <summary>StreamJsonRpc on both ends of a pipe, one of which is System.IO.Pipes'.</summary>
public class InteropTests
{
    [Test]
    public async Task CallsAndLargeArguments_GoBothWaysAtOnce(
        [Values] OurEnd ourEnd, [Values] RpcView view, [Values(RpcFormat.Json, RpcFormat.MessagePack)] RpcFormat format)
    {
        (NamedPipeStream mine, TheirEnd theirs) = await ConnectAsync(ourEnd);
        using RpcPeer us = RpcPeer.Over(mine, view, format);
        using RpcPeer them = RpcPeer.Over(theirs.Stream, format);
        Task large = RpcCalls.EchoBothWaysAsync(us, them);
        await RpcCalls.CallBothWaysAsync(us, them, RunningSystem.Rounds(200, underWine: 100));
        await large;
    }

    [Test]
    public async Task AnEndThatCloses_EndsTheCallsOfBoth([Values] OurEnd ourEnd, [Values] RpcView view, [Values] bool weClose)
    {
        (NamedPipeStream mine, TheirEnd theirs) = await ConnectAsync(ourEnd);
        using RpcPeer us = RpcPeer.Over(mine, view);
        using RpcPeer them = RpcPeer.Over(theirs.Stream);
        Task[] calls = [us.There.WaitAsync(default), them.There.WaitAsync(default)];
        await us.Here.Waiting.InTime();
        await them.Here.Waiting.InTime();
        (weClose ? us : them).Dispose();
        await RpcCalls.EndByTheConnectionAsync(calls);
        await us.HasEndedAsync().InTime();
        await them.HasEndedAsync().InTime();
    }

    private static async Task<(NamedPipeStream Ours, TheirEnd Theirs)> ConnectAsync(OurEnd ourEnd)
    {
        string name = PipeNames.New();
        if (ourEnd == OurEnd.Server)
        {
            using NamedPipeListener listener = NamedPipeListener.Listen(name);
            TheirEnd client = await TheirEnd.ConnectAsync(name, PipeDirection.InOut, TheirCalls.Asynchronous);
            return (await listener.AcceptAsync().InTime(), client);
        }

        (TheirEnd server, Task connected) = TheirEnd.Listen(name, PipeDirection.InOut, TheirCalls.Asynchronous);
        NamedPipeStream stream = await NamedPipeStream.ConnectAsync(
            new NamedPipeClientOptions { Name = name, Timeout = Deadline.Step }).InTime();
        await connected.InTime();
        return (stream, server);
    }
}
