// An echo server that serves any number of clients, and some clients, in one process, with await. What comes back is compared
// with what was sent; the exit code says whether it held. Trimmed and ahead-of-time compiled in the builds.
using NamedPipeShim;

const int Clients = 8, Size = 1_000_000;
string name = $"echo-async-{Environment.ProcessId}";
using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));

NamedPipeListener listener = NamedPipeListener.Listen(name);
Task serving = ServeAsync(listener);
bool[] verified = await Task.WhenAll(Enumerable.Range(0, Clients).Select(seed => TalkAsync(name, seed, limit.Token)));
bool cancelled = await CancelAsync(name);

listener.Stop(); // ends the server's loop
await serving;

int good = verified.Count(one => one);
Console.WriteLine($"{good} of {Clients} clients got their {Size} bytes back; a cancelled read lost {(cancelled ? "none" : "some")}.");
return good == Clients && cancelled ? 0 : 1;

static async Task ServeAsync(NamedPipeListener listener)
{
    List<Task> connections = [];
    await foreach (NamedPipeStream stream in listener.AcceptAllAsync())
    {
        connections.Add(EchoAsync(stream));
    }

    await Task.WhenAll(connections);
}

static async Task EchoAsync(NamedPipeStream stream)
{
    await using (stream)
    {
        await stream.CopyToAsync(stream);
    }
}

// Writes and reads at the same time: else both ends could wait for each other to read.
static async Task<bool> TalkAsync(string name, int seed, CancellationToken cancellationToken)
{
    byte[] question = new byte[Size], answer = new byte[Size];
    new Random(seed).NextBytes(question);
    await using NamedPipeStream stream = await NamedPipeStream.ConnectAsync(
        new NamedPipeClientOptions { Name = name, Timeout = TimeSpan.FromSeconds(30) }, loop: null, cancellationToken);
    Task writing = stream.WriteAsync(question, cancellationToken).AsTask();
    await stream.ReadExactlyAsync(answer, cancellationToken);
    await writing;
    return question.AsSpan().SequenceEqual(answer);
}

// A read that waits, and is cancelled; the next one gets all that comes.
static async Task<bool> CancelAsync(string name)
{
    await using NamedPipeStream stream = await NamedPipeStream.ConnectAsync(
        new NamedPipeClientOptions { Name = name, Timeout = TimeSpan.FromSeconds(30) });
    byte[] answer = new byte[3];
    using CancellationTokenSource source = new();
    Task<int> read = stream.ReadAsync(answer, source.Token).AsTask();
    source.Cancel();
    try
    {
        await read;
        return false;
    }
    catch (OperationCanceledException)
    {
        await stream.WriteAsync(new byte[] { 1, 2, 3 });
        await stream.ReadExactlyAsync(answer);
        return answer is [1, 2, 3];
    }
}
