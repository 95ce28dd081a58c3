using NamedPipeShim.Rpc.Tests.Support;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Rpc.Tests;

/// <summary>Many clients of one listener at once.</summary>
[TestFixture(RpcView.Stream)]
[TestFixture(RpcView.DuplexPipe)]
public class ManyConnectionsTests(RpcView view)
{
    private static readonly int s_clients = RunningSystem.Rounds(50, underWine: 30);

    private readonly string _name = PipeNames.New();
    private RpcPeer[] _servers = null!;
    private RpcPeer[] _clients = null!;

    [SetUp]
    public async Task ConnectAsync()
    {
        await using NamedPipeListener listener = NamedPipeListener.Listen(_name);
        ValueTask<RpcPeer[]> accepting =
            listener.AcceptAllAsync().Take(s_clients).Select(stream => RpcPeer.Over(stream, view)).ToArrayAsync();
        _clients = await Task.WhenAll(Enumerable.Range(0, s_clients).Select(_ => NewClientAsync())).InTime();
        _servers = await accepting.InTime(); // in any order
    }

    [TearDown]
    public void Disconnect()
    {
        foreach (RpcPeer peer in _clients.Concat(_servers))
        {
            peer.Dispose();
        }
    }

    [Test]
    public async Task ConcurrentCallsOfAll_EachGetTheirAnswer()
    {
        for (int i = 0; i < s_clients; i++)
        {
            _clients[i].There.Note(i);
        }

        await CallAsync(_clients, _servers);
        Assert.That(_servers.Select(server => server.Here.Notes.Single()), Is.EquivalentTo(Enumerable.Range(0, s_clients)));
    }

    [Test]
    public async Task HalfOfThemDying_InTheMiddleOfCalls_LeavesTheOthersAtWork()
    {
        // The servers of the clients that will die are those that were told so.
        RpcPeer[] dying = [.. _clients.Where((_, i) => i % 2 == 0)], living = [.. _clients.Except(dying)];
        Task[] calls = [.. dying.Select(client => client.There.WaitAsync(default))];
        await Task.WhenAll(dying.Select(client => client.There.AddAsync(1, 2))).InTime();
        RpcPeer[] left = [.. _servers.Where(server => server.Here.Waiting.IsCompleted)];
        Assert.That(left, Has.Length.EqualTo(dying.Length));

        Task others = CallAsync(living, [.. _servers.Except(left)]);
        foreach (RpcPeer client in dying)
        {
            client.Dispose();
        }

        await RpcCalls.EndByTheConnectionAsync(calls);
        await Task.WhenAll(left.Select(server => server.HasEndedAsync())).InTime();
        await others;
        await CallAsync(living, [.. _servers.Except(left)]);
    }

    private static Task CallAsync(RpcPeer[] some, RpcPeer[] others) =>
        Task.WhenAll(some.Zip(others, (one, other) => RpcCalls.CallBothWaysAsync(one, other, 20)));

    private async Task<RpcPeer> NewClientAsync() => RpcPeer.Over(
        await NamedPipeStream.ConnectAsync(new NamedPipeClientOptions { Name = _name, Timeout = Deadline.Step }), view);
}
