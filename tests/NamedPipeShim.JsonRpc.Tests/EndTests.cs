using System.Text;
using NamedPipeShim.Rpc.Tests.Support;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Rpc.Tests;

/// <summary>The end of a connection in the middle of calls: both ends come to theirs, and nobody waits for ever.</summary>
[TestFixture(RpcView.Stream)]
[TestFixture(RpcView.DuplexPipe)]
public class EndTests(RpcView view)
{
    private static readonly int s_calls = RunningSystem.Rounds(100, underWine: 50);

    [Test]
    public Task AnAbort_InTheMiddleOfCalls_EndsThemAll([Values] bool ofServer) =>
        EndInTheMiddleOfCallsAsync((pair, _) => pair.Stream(ofServer).Abort());

    [Test]
    public Task ADispose_InTheMiddleOfCalls_EndsThemAll([Values] bool ofServer) =>
        EndInTheMiddleOfCallsAsync((pair, _) => pair.Peer(ofServer).Dispose());

    [Test]
    public Task ADispose_OfBothEndsAtOnce_EndsAllCalls() =>
        EndInTheMiddleOfCallsAsync((pair, _) => Parallel.Invoke(pair.Server.Dispose, pair.Client.Dispose));

    [Test]
    public Task TheLoopsEnd_InTheMiddleOfCalls_EndsThemAll() =>
        EndInTheMiddleOfCallsAsync((_, loop) => loop.DisposeAsync().AsTask().InTime());

    [Test]
    public Task ACallThatWaitsToBeSent_EndsWhenThePeerDies([Values] bool ofServer) =>
        EndWhileACallWaitsToBeSentAsync(ofServer, (_, streams) => streams.End(!ofServer).Abort());

    [Test]
    public Task ACallThatWaitsToBeSent_EndsWithADispose([Values] bool ofServer) =>
        EndWhileACallWaitsToBeSentAsync(ofServer, (peer, streams) =>
        {
            peer.Dispose();
            if (view == RpcView.DuplexPipe)
            {
                // StreamJsonRpc completes the view's reader at once, but its writer only when it has written: nobody reads here.
                streams.End(ofServer).Dispose();
            }
        });

    [Test]
    public async Task APeerThatDies_InTheMiddleOfAMessage_EndsTheConnection([Values] bool ofServer)
    {
        using StreamPair streams = await StreamPair.NewAsync();
        using RpcPeer peer = RpcPeer.Over(streams.End(ofServer), view);
        await streams.End(!ofServer).WriteAsync(Encoding.ASCII.GetBytes("Content-Length: 100\r\n\r\n{")).InTime();
        await streams.End(!ofServer).DisposeAsync();
        await peer.HasEndedAsync().InTime();
    }

    [Test]
    public async Task WhatWasSent_ArrivesBehindADispose([Values] bool fromServer)
    {
        using RpcPair pair = await RpcPair.NewAsync(view);
        int[] numbers = [.. Enumerable.Range(0, 1_000)];
        foreach (int number in numbers)
        {
            await pair.Peer(fromServer).Rpc.NotifyAsync(nameof(IRpcPeer.Note), number).InTime();
        }

        pair.Peer(fromServer).Dispose();
        await pair.Peer(!fromServer).HasEndedAsync().InTime();
        Assert.That(pair.Peer(!fromServer).Here.Notes, Is.EqualTo(numbers));
    }

    [Test]
    public async Task AStream_IsClosedWithItsConnection([Values] bool ofServer)
    {
        using RpcPair pair = await RpcPair.NewAsync(view);
        pair.Peer(ofServer).Dispose();
        Deadline.WaitFor(() => !pair.Stream(ofServer).CanRead, "The end of the stream that was disposed with its connection");
        Deadline.WaitFor(() => !pair.Stream(!ofServer).CanRead, "The end of the other stream");
    }

    private Task EndInTheMiddleOfCallsAsync(Action<RpcPair, NamedPipeEventLoop> end) => EndInTheMiddleOfCallsAsync((pair, loop) =>
    {
        end(pair, loop);
        return Task.CompletedTask;
    });

    // Calls of every kind: some wait for an answer, some come and go without end.
    private async Task EndInTheMiddleOfCallsAsync(Func<RpcPair, NamedPipeEventLoop, Task> end)
    {
        await using NamedPipeEventLoop loop = new();
        using RpcPair pair = await RpcPair.NewAsync(view, loop: loop);
        int answers = 0;
        TaskCompletionSource busy = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task[] calls =
        [
            .. Enumerable.Range(0, s_calls).Select(i => pair.Peer(i % 2 == 0).There.WaitAsync(default)),
            .. Enumerable.Range(0, s_calls).Select(i => Task.Run(async () =>
            {
                while (true)
                {
                    int sum = i % 4 < 2
                        ? await pair.Peer(i % 2 == 0).There.AddAsync(i, 1)
                        : await pair.Peer(i % 2 == 0).There.AddAtCallerAsync(i, 1);
                    Assert.That(sum, Is.EqualTo(i + 1));
                    if (Interlocked.Increment(ref answers) == 5 * s_calls)
                    {
                        busy.SetResult();
                    }
                }
            })),
        ];
        await busy.Task.InTime();
        await end(pair, loop);
        await RpcCalls.EndByTheConnectionAsync(calls);
        await pair.Server.HasEndedAsync().InTime();
        await pair.Client.HasEndedAsync().InTime();
    }

    // The other end takes the call's first byte, and nothing more.
    private async Task EndWhileACallWaitsToBeSentAsync(bool ofServer, Action<RpcPeer, StreamPair> end)
    {
        using StreamPair streams = await StreamPair.NewAsync();
        using RpcPeer peer = RpcPeer.Over(streams.End(ofServer), view);
        Task<string> call = peer.There.EchoAsync(RpcCalls.TextOf(seed: 3));
        Assert.That(await streams.End(!ofServer).ReadAsync(new byte[1]).InTime(), Is.EqualTo(1));
        Assert.That(call.IsCompleted, Is.False);
        end(peer, streams);
        await RpcCalls.EndByTheConnectionAsync([call]);
        await peer.HasEndedAsync().InTime();
    }
}
