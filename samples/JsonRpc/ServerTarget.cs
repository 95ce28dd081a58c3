using System.Collections.Concurrent;
using StreamJsonRpc;

namespace RpcSample;

/// <summary>What clients may call.</summary>
internal sealed class ServerTarget
{
    /// <summary>Calls the other way; set before the connection listens.</summary>
    public required Func<JsonRpc> Client { get; init; }

    public ConcurrentQueue<int> Notes { get; } = [];

    public TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Add(int a, int b) => a + b;

    public string Same(string text) => text;

    public int Fail() => throw new InvalidOperationException("on purpose");

    public void Note(int number) => Notes.Enqueue(number);

    public int CountNotes() => Notes.Count;

    /// <summary>Asks the client while the client waits for this answer.</summary>
    public async Task<int> DoubleByTheClientAsync(int number) => await Client().InvokeAsync<int>("Double", number);

    /// <summary>Ends when it is cancelled, or never.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        Waiting.SetResult();
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        finally
        {
            Cancelled.SetResult();
        }
    }
}
