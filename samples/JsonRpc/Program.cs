// JSON-RPC over a named pipe, in both directions: the clients have the server count the words of their documents, and the server
// asks them for the texts. Many calls run at once. The exit code says whether every count was right.
using NamedPipeShim;
using NamedPipeShim.Samples.Words;
using StreamJsonRpc;

const int Clients = 4;
const int Calls = 100;

string name = $"words-{Environment.ProcessId}";
await using NamedPipeListener listener = NamedPipeListener.Listen(name);
Task serving = ServeAsync(listener);

int[][] counts = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => CountAsync(name)));

listener.Stop();
await serving;

bool right = counts.All(count => count.SequenceEqual(Enumerable.Range(0, Calls)));
Console.WriteLine($"{Clients} clients, {Calls} calls of each at once: {(right ? "every count is right" : "a count is wrong")}");
return right ? 0 : 1;

static async Task ServeAsync(NamedPipeListener listener)
{
    await foreach (NamedPipeStream stream in listener.AcceptAllAsync())
    {
        var rpc = new JsonRpc(stream);
        IDocuments client = rpc.Attach<IDocuments>();
        rpc.AddLocalRpcTarget<IWordCounter>(new WordCounter(client), null);
        rpc.StartListening(); // until the client goes; the stream is closed then
    }
}

static async Task<int[]> CountAsync(string name)
{
    var options = new NamedPipeClientOptions { Name = name, Timeout = TimeSpan.FromSeconds(5) };
    using var rpc = new JsonRpc(await NamedPipeStream.ConnectAsync(options));
    rpc.AddLocalRpcTarget<IDocuments>(new Documents(), null);
    IWordCounter server = rpc.Attach<IWordCounter>();
    rpc.StartListening();
    return await Task.WhenAll(Enumerable.Range(0, Calls).Select(i => server.CountAsync($"{i}")));
}
