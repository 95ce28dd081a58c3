using NamedPipeShim.Rpc.Tests.Support;
using NamedPipeShim.Tests.Support;
using StreamJsonRpc;

namespace NamedPipeShim.Rpc.Tests;

/// <summary>The formatters and handlers that come with StreamJsonRpc (not the one that it calls experimental).</summary>
public class FormatterTests
{
    [Test]
    public async Task Calls_InBothDirectionsAtOnce_EachGetTheirAnswer([Values] RpcView view, [Values] RpcFormat format)
    {
        using RpcPair pair = await RpcPair.NewAsync(view, format);
        await RpcCalls.CallBothWaysAsync(pair.Client, pair.Server, RunningSystem.Rounds(200, underWine: 100));
    }

    [Test]
    public async Task ArgumentsAndResults_OfFourMegabytes_GoBothWaysAtOnce([Values] RpcView view, [Values] RpcFormat format)
    {
        using RpcPair pair = await RpcPair.NewAsync(view, format);
        await RpcCalls.EchoBothWaysAsync(pair.Client, pair.Server);
    }

    [Test]
    public async Task StreamsOfValues_AndErrors_Arrive([Values] RpcView view, [Values] RpcFormat format)
    {
        using RpcPair pair = await RpcPair.NewAsync(view, format);
        ProgressList progress = new();
        await pair.Client.There.WorkAsync(100, progress).InTime();
        Assert.That(progress.Reports, Is.EqualTo(Enumerable.Range(0, 100)));
        Assert.That(
            await pair.Client.There.CountAsync(100, default).ToArrayAsync().AsTask().InTime(),
            Is.EqualTo(Enumerable.Range(0, 100)));
        Assert.That(
            await pair.Server.There.SumAsync(Enumerable.Range(0, 100).ToAsyncEnumerable(), default).InTime(),
            Is.EqualTo(4_950));
        Assert.That(
            async () => await pair.Client.There.FailAsync("on purpose").InTime(),
            Throws.TypeOf<RemoteInvocationException>().With.Message.EqualTo("on purpose"));
    }
}
