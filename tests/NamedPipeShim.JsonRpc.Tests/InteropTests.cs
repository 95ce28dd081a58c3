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
        using MixedPair pair = await MixedPair.ConnectAsync(ourEnd, PipeDirection.InOut, TheirCalls.Asynchronous);
        using RpcPeer us = RpcPeer.Over(pair.Ours, view, format);
        using RpcPeer them = RpcPeer.Over(pair.Theirs.Stream, format);
        Task large = RpcCalls.EchoBothWaysAsync(us, them);
        await RpcCalls.CallBothWaysAsync(us, them, RunningSystem.Rounds(200, underWine: 100));
        await large;
    }

    [Test]
    public async Task AnEndThatCloses_EndsTheCallsOfBoth([Values] OurEnd ourEnd, [Values] RpcView view, [Values] bool weClose)
    {
        using MixedPair pair = await MixedPair.ConnectAsync(ourEnd, PipeDirection.InOut, TheirCalls.Asynchronous);
        using RpcPeer us = RpcPeer.Over(pair.Ours, view);
        using RpcPeer them = RpcPeer.Over(pair.Theirs.Stream);
        Task[] calls = [us.There.WaitAsync(default), them.There.WaitAsync(default)];
        await us.Here.Waiting.InTime();
        await them.Here.Waiting.InTime();
        (weClose ? us : them).Dispose();
        await RpcCalls.EndByTheConnectionAsync(calls);
        await us.HasEndedAsync().InTime();
        await them.HasEndedAsync().InTime();
    }
}
