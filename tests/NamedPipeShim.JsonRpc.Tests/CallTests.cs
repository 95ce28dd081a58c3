using NamedPipeShim.Rpc.Tests.Support;
using NamedPipeShim.Tests.Support;
using StreamJsonRpc;

namespace NamedPipeShim.Rpc.Tests;

/// <summary>
/// StreamJsonRpc over a pipe, both ends calling each other, on the stream and on its view for System.IO.Pipelines.
/// </summary>
[TestFixture(RpcView.Stream)]
[TestFixture(RpcView.DuplexPipe)]
public class CallTests(RpcView view)
{
    private static readonly int s_calls = RunningSystem.Rounds(500, underWine: 200);

    private RpcPair _pair = null!;

    [SetUp]
    public async Task ConnectAsync() => _pair = await RpcPair.NewAsync(view);

    [TearDown]
    public void Disconnect() => _pair.Dispose();

    [Test]
    public Task Calls_InBothDirectionsAtOnce_EachGetTheirAnswer() =>
        RpcCalls.CallBothWaysAsync(_pair.Client, _pair.Server, s_calls);

    [Test]
    public async Task Calls_ThatWaitForEachOther_AreAllServedAtOnce()
    {
        _pair.Server.Here.Meeting = _pair.Client.Here.Meeting = new RpcMeeting(s_calls);
        await Task.WhenAll(Enumerable.Range(0, s_calls).Select(i => _pair.Peer(i % 2 == 0).There.MeetAsync())).InTime();
    }

    [Test]
    public async Task Calls_WithinCalls_GoThereAndBack([Values] bool fromServer) =>
        Assert.That(await _pair.Peer(fromServer).There.BounceAsync(100).InTime(), Is.EqualTo(100));

    [Test]
    public Task ArgumentsAndResults_OfFourMegabytes_GoBothWaysAtOnce() =>
        RpcCalls.EchoBothWaysAsync(_pair.Client, _pair.Server);

    [Test]
    public async Task SmallCalls_BesideLargeOnes_EachGetTheirAnswer()
    {
        Task large = RpcCalls.EchoBothWaysAsync(_pair.Client, _pair.Server);
        await RpcCalls.CallBothWaysAsync(_pair.Client, _pair.Server, s_calls / 4);
        await large;
    }

    [Test]
    public async Task Notifications_ComeInOrder([Values] bool fromServer)
    {
        int[] numbers = [.. Enumerable.Range(0, 1_000)];
        foreach (int number in numbers)
        {
            _pair.Peer(fromServer).There.Note(number);
        }

        await CallStillWorksAsync(fromServer);
        Assert.That(_pair.Peer(!fromServer).Here.Notes, Is.EqualTo(numbers));
    }

    [Test]
    public async Task ACallThatFails_EndsWithItsError_AndTheNextOneWorks([Values] bool fromServer)
    {
        Assert.That(
            async () => await _pair.Peer(fromServer).There.FailAsync("on purpose").InTime(),
            Throws.TypeOf<RemoteInvocationException>().With.Message.EqualTo("on purpose"));
        await CallStillWorksAsync(fromServer);
    }

    [Test]
    public async Task AMethodThatIsNotThere_IsToldOf_AndTheNextCallWorks([Values] bool fromServer)
    {
        Assert.That(
            async () => await _pair.Peer(fromServer).Rpc.InvokeAsync("Nothing").InTime(),
            Throws.TypeOf<RemoteMethodNotFoundException>());
        await CallStillWorksAsync(fromServer);
    }

    [Test]
    public async Task ACallThatIsCancelled_EndsAtBothEnds_AndTheNextOneWorks([Values] bool fromServer)
    {
        using CancellationTokenSource source = new();
        Task call = _pair.Peer(fromServer).There.WaitAsync(source.Token);
        await _pair.Peer(!fromServer).Here.Waiting.InTime();
        Assert.That(call.IsCompleted, Is.False);
        source.Cancel();
        Assert.That(async () => await call.InTime(), Throws.InstanceOf<OperationCanceledException>());
        await _pair.Peer(!fromServer).Here.Cancelled.InTime();
        await CallStillWorksAsync(fromServer);
    }

    [Test]
    public async Task CallsThatAreCancelled_AmongOthers_EndAlone()
    {
        using CancellationTokenSource some = new(), others = new();
        Task[] calls =
        [
            .. Enumerable.Range(0, s_calls).Select(
                i => _pair.Peer(i % 2 == 0).There.WaitAsync((i % 4 < 2 ? some : others).Token)),
        ];
        Task adding = RpcCalls.CallBothWaysAsync(_pair.Client, _pair.Server, s_calls / 4);
        some.Cancel();
        await EndAsCancelledAsync(calls.Where((_, i) => i % 4 < 2));
        await adding;
        Assert.That(calls.Where((_, i) => i % 4 >= 2).Select(call => call.IsCompleted), Is.All.False);
        others.Cancel();
        await EndAsCancelledAsync(calls.Where((_, i) => i % 4 >= 2));
        await CallStillWorksAsync(fromServer: true);
        await CallStillWorksAsync(fromServer: false);

        static async Task EndAsCancelledAsync(IEnumerable<Task> calls)
        {
            foreach (Task call in calls)
            {
                Assert.That(async () => await call.InTime(), Throws.InstanceOf<OperationCanceledException>());
            }
        }
    }

    [Test]
    public async Task ACallThatIsCancelled_CancelsTheCallBackWithinIt([Values] bool fromServer)
    {
        using CancellationTokenSource source = new();
        Task call = _pair.Peer(fromServer).There.HaveCallerWaitAsync(source.Token);
        await _pair.Peer(fromServer).Here.Waiting.InTime();
        source.Cancel();
        Assert.That(async () => await call.InTime(), Throws.InstanceOf<OperationCanceledException>());
        await _pair.Peer(fromServer).Here.Cancelled.InTime();
        await CallStillWorksAsync(fromServer);
    }

    [Test]
    public async Task AsyncEnumerables_AsResults_GoBothWaysAtOnce()
    {
        int[] numbers = [.. Enumerable.Range(0, 200)];
        Task<int[]> ofServer = _pair.Client.There.CountAsync(numbers.Length, default).ToArrayAsync().AsTask();
        Task<int[]> ofClient = _pair.Server.There.CountAsync(numbers.Length, default).ToArrayAsync().AsTask();
        Assert.That(await ofServer.InTime(), Is.EqualTo(numbers));
        Assert.That(await ofClient.InTime(), Is.EqualTo(numbers));
    }

    [Test]
    public async Task AsyncEnumerables_AsArguments_GoBothWaysAtOnce()
    {
        IAsyncEnumerable<int> numbers = Enumerable.Range(0, 200).ToAsyncEnumerable();
        Task<long> atServer = _pair.Client.There.SumAsync(numbers, default);
        Task<long> atClient = _pair.Server.There.SumAsync(numbers, default);
        Assert.That(await atServer.InTime(), Is.EqualTo(19_900));
        Assert.That(await atClient.InTime(), Is.EqualTo(19_900));
    }

    [Test]
    public async Task AnAsyncEnumerable_ThatIsLeft_EndsAtTheOtherEnd([Values] bool fromServer)
    {
        Assert.That(
            await _pair.Peer(fromServer).There.CountAsync(int.MaxValue, default).Take(10).ToArrayAsync().AsTask().InTime(),
            Is.EqualTo(Enumerable.Range(0, 10)));
        await _pair.Peer(!fromServer).Here.Enumerated.InTime();
        await CallStillWorksAsync(fromServer);
    }

    [Test]
    public async Task Progress_ComesInOrder([Values] bool fromServer)
    {
        ProgressList progress = new();
        await _pair.Peer(fromServer).There.WorkAsync(1_000, progress).InTime();
        Assert.That(progress.Reports, Is.EqualTo(Enumerable.Range(0, 1_000)));
    }

    private async Task CallStillWorksAsync(bool fromServer) =>
        Assert.That(await _pair.Peer(fromServer).There.AddAsync(1, 2).InTime(), Is.EqualTo(3));
}
