using System.IO.Pipelines;
using System.Text.Json.Nodes;
using NamedPipeShim.Tests.Support;

namespace NamedPipeShim.Tests;

/// <summary>
/// JSON-RPC as language servers speak it, both ends calling each other over one pipe, on the stream and on its view for
/// System.IO.Pipelines. (samples/JsonRpc does the same with StreamJsonRpc.)
/// </summary>
[TestFixture(false)]
[TestFixture(true)]
public class JsonRpcTests(bool view)
{
    private const int Calls = 200;

    private readonly List<int> _notes = [];
    private TaskCompletionSource _allHere = null!;
    private TaskCompletionSource _waiting = null!;
    private TaskCompletionSource _cancelled = null!;
    private StreamPair _pair = null!;
    private JsonRpcPeer _server = null!;
    private JsonRpcPeer _client = null!;
    private int _here;

    [SetUp]
    public async Task ConnectAsync()
    {
        _notes.Clear();
        _here = 0;
        _allHere = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _pair = await StreamPair.NewAsync();
        _server = NewPeer(_pair.Server);
        _client = NewPeer(_pair.Client);
    }

    [TearDown]
    public async Task DisconnectAsync()
    {
        await _client.DisposeAsync().InTime();
        await _server.DisposeAsync().InTime();
        _pair.Dispose();
    }

    [Test]
    public async Task Calls_InBothDirectionsAtOnce_EachGetTheirAnswer()
    {
        int[] numbers = [.. Enumerable.Range(0, Calls)];
        Task<JsonNode?>[] sums = [.. numbers.Select(i => _client.CallAsync("add", new JsonArray(i, 1_000)))];
        Task<JsonNode?>[] others = [.. numbers.Select(i => _server.CallAsync("add", new JsonArray(i, 2_000)))];
        Task<JsonNode?>[] back = [.. numbers.Select(i => _client.CallAsync("addThere", new JsonArray(i, 3_000)))];
        Task<JsonNode?>[] forth = [.. numbers.Select(i => _server.CallAsync("addThere", new JsonArray(i, 4_000)))];
        Task<JsonNode?>[][] all = [sums, others, back, forth];
        await Task.WhenAll(all.SelectMany(calls => calls)).InTime();
        for (int k = 0; k < all.Length; k++)
        {
            Assert.That(all[k].Select(call => (int)call.Result!), Is.EqualTo(numbers.Select(i => i + 1_000 * (k + 1))));
        }
    }

    [Test]
    public async Task Calls_ThatWaitForEachOther_AreAllServedAtOnce()
    {
        Task<JsonNode?>[] calls =
            [.. Enumerable.Range(0, Calls).Select(i => (i % 2 == 0 ? _client : _server).CallAsync("meet"))];
        await Task.WhenAll(calls).InTime();
        Assert.That(_here, Is.EqualTo(Calls));
    }

    [Test]
    public async Task Arguments_OfFourMegabytes_GoBothWaysAtOnce()
    {
        string text = string.Create(4 << 20, 0, static (chars, _) =>
        {
            for (int i = 0; i < chars.Length; i++)
            {
                chars[i] = (char)('a' + Pattern.At(i, 0) % 26);
            }
        });
        Task<JsonNode?>[] calls = [_client.CallAsync("same", text), _server.CallAsync("same", text)];
        await Task.WhenAll(calls).InTime();
        Assert.That(calls.All(call => (string)call.Result! == text), "the text that came back");
    }

    [Test]
    public async Task Notifications_ComeInOrder()
    {
        int[] numbers = [.. Enumerable.Range(0, 1_000)];
        foreach (int number in numbers)
        {
            await _client.NotifyAsync("note", number).InTime();
        }

        Assert.That((int)(await _client.CallAsync("add", new JsonArray(1, 2)).InTime())!, Is.EqualTo(3));
        Assert.That(_notes, Is.EqualTo(numbers));
    }

    [Test]
    public async Task ACallThatFails_EndsWithItsError_AndTheNextOneWorks()
    {
        Assert.That(async () => await _client.CallAsync("fail").InTime(), Throws.TypeOf<JsonRpcException>().With.Message.EqualTo("on purpose"));
        Assert.That((int)(await _client.CallAsync("add", new JsonArray(1, 2)).InTime())!, Is.EqualTo(3));
    }

    [Test]
    public async Task ACallThatIsCancelled_EndsAtBothEnds_AndTheNextOneWorks()
    {
        using CancellationTokenSource source = new();
        Task<JsonNode?> call = _client.CallAsync("wait", null, source.Token);
        await _waiting.Task.InTime();
        Assert.That(call.IsCompleted, Is.False);
        source.Cancel();
        Assert.That(async () => await call.InTime(), Throws.TypeOf<JsonRpcException>());
        await _cancelled.Task.InTime();
        Assert.That((int)(await _client.CallAsync("add", new JsonArray(1, 2)).InTime())!, Is.EqualTo(3));
    }

    [Test]
    public async Task AServerThatDiesInACall_EndsTheCall()
    {
        Task<JsonNode?> call = _client.CallAsync("wait");
        await _waiting.Task.InTime();
        _pair.Server.Abort();
        Assert.That(async () => await call.InTime(), Throws.InstanceOf<IOException>());
        await _cancelled.Task.InTime();
    }

    private JsonRpcPeer NewPeer(NamedPipeStream stream)
    {
        IDuplexPipe? pipe = view ? stream.AsDuplexPipe() : null;
        return new JsonRpcPeer(
            pipe?.Input ?? PipeReader.Create(stream),
            pipe?.Output ?? PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true)),
            (method, parameters, cancelled) => ServeAsync(ReferenceEquals(stream, _pair.Server), method, parameters, cancelled));
    }

    private async Task<JsonNode?> ServeAsync(bool atServer, string method, JsonNode? parameters, CancellationToken cancelled)
    {
        switch (method)
        {
            case "add":
                return (int)parameters![0]! + (int)parameters[1]!;
            case "addThere":
                return (await (atServer ? _server : _client).CallAsync("add", parameters!.DeepClone(), cancelled))?.DeepClone();
            case "same":
                return parameters!.DeepClone();
            case "note":
                _notes.Add((int)parameters!);
                return null;
            case "meet":
                if (Interlocked.Increment(ref _here) == Calls)
                {
                    _allHere.SetResult();
                }

                await _allHere.Task;
                return null;
            case "wait":
                _waiting.SetResult();
                await using (cancelled.Register(_cancelled.SetResult))
                {
                    await _cancelled.Task;
                    throw new OperationCanceledException("cancelled");
                }

            default:
                throw new InvalidOperationException("on purpose");
        }
    }
}
