using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace NamedPipeShim.Rpc.Tests.Support;

/// <summary>What an end has the other call.</summary>
internal sealed class RpcTarget : IRpcPeer
{
    private readonly TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _enumerated = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The other end; set before it can call.</summary>
    public IRpcPeer Caller { get; set; } = null!;

    public RpcMeeting Meeting { get; set; } = null!;

    public ConcurrentQueue<int> Notes { get; } = [];

    /// <summary>A call of <see cref="WaitAsync"/> is there.</summary>
    public Task Waiting => _waiting.Task;

    /// <summary>And was cancelled.</summary>
    public Task Cancelled => _cancelled.Task;

    /// <summary>An enumeration has ended: nobody asks for more.</summary>
    public Task Enumerated => _enumerated.Task;

    public Task<int> AddAsync(int a, int b) => Task.FromResult(a + b);

    public Task<int> AddAtCallerAsync(int a, int b) => Caller.AddAsync(a, b);

    public async Task<int> BounceAsync(int times) => times == 0 ? 0 : 1 + await Caller.BounceAsync(times - 1);

    public Task<string> EchoAsync(string text) => Task.FromResult(text);

    public Task MeetAsync() => Meeting.ArriveAsync();

    public Task<int> FailAsync(string message) => throw new InvalidOperationException(message);

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        _waiting.TrySetResult();
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        finally
        {
            _cancelled.TrySetResult();
        }
    }

    public Task HaveCallerWaitAsync(CancellationToken cancellationToken) => Caller.WaitAsync(cancellationToken);

    public async IAsyncEnumerable<int> CountAsync(int count, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            for (int i = 0; i < count; i++)
            {
                yield return i;
                await Task.Yield();
            }
        }
        finally
        {
            _enumerated.TrySetResult();
        }
    }

    public async Task<long> SumAsync(IAsyncEnumerable<int> numbers, CancellationToken cancellationToken)
    {
        long sum = 0;
        await foreach (int number in numbers.WithCancellation(cancellationToken))
        {
            sum += number;
        }

        return sum;
    }

    public async Task WorkAsync(int steps, IProgress<int> progress)
    {
        for (int i = 0; i < steps; i++)
        {
            progress.Report(i);
            await Task.Yield();
        }
    }

    public void Note(int number) => Notes.Enqueue(number);
}
