using NamedPipeShim.Tests.Support;
using StreamJsonRpc;

namespace NamedPipeShim.Rpc.Tests.Support;

/// <summary>Calls whose answers are verified.</summary>
internal static class RpcCalls
{
    /// <summary>That many calls of each end at once, and as many that each has the other make.</summary>
    public static async Task CallBothWaysAsync(RpcPeer one, RpcPeer other, int calls)
    {
        int[] numbers = [.. Enumerable.Range(0, calls)];
        Task<int[]>[] all =
        [
            Task.WhenAll(numbers.Select(i => one.There.AddAsync(i, 1_000))),
            Task.WhenAll(numbers.Select(i => other.There.AddAsync(i, 2_000))),
            Task.WhenAll(numbers.Select(i => one.There.AddAtCallerAsync(i, 3_000))),
            Task.WhenAll(numbers.Select(i => other.There.AddAtCallerAsync(i, 4_000))),
        ];
        for (int k = 0; k < all.Length; k++)
        {
            Assert.That(await all[k].InTime(), Is.EqualTo(numbers.Select(i => i + 1_000 * (k + 1))));
        }
    }

    /// <summary>A text of 4 MB each way at once, there and back.</summary>
    public static async Task EchoBothWaysAsync(RpcPeer one, RpcPeer other)
    {
        string first = TextOf(seed: 1), second = TextOf(seed: 2);
        Task<string> atOther = one.There.EchoAsync(first), atOne = other.There.EchoAsync(second);
        Assert.That(await atOther.InTime() == first, "the text that came back from the other");
        Assert.That(await atOne.InTime() == second, "the text that came back from the one");
    }

    /// <summary>Each of the calls ends, and says that it was the connection: lost while it waited for the answer, broken while
    /// it was sent, or closed before that.</summary>
    public static async Task EndByTheConnectionAsync(IEnumerable<Task> calls)
    {
        foreach (Task call in calls)
        {
            Assert.That(
                async () => await call.InTime(),
                Throws.TypeOf<ConnectionLostException>().Or.InstanceOf<IOException>().Or.TypeOf<ObjectDisposedException>());
        }
    }

    /// <summary>4 MB of letters, each of which says where it belongs.</summary>
    public static string TextOf(int seed) => string.Create(4 << 20, seed, static (chars, seed) =>
    {
        for (int i = 0; i < chars.Length; i++)
        {
            chars[i] = (char)('a' + Pattern.At(i, seed) % 26);
        }
    });
}
